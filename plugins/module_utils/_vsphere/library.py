# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""pyVmomi, imported in one place, so that a missing library is one clear error and not a traceback."""

from __future__ import annotations

import sys
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError

# The library's constructors carry no types, so it is Any to the rest of the collection.
vim: Any
vmodl: Any
SoapStubAdapter: Any
SoapResponseDeserializer: Any
service_versions: Any
version_ids: Any

try:
    from pyVmomi import vim as _vim
    from pyVmomi import vmodl as _vmodl
    from pyVmomi.SoapAdapter import SoapResponseDeserializer as _SoapResponseDeserializer
    from pyVmomi.SoapAdapter import SoapStubAdapter as _SoapStubAdapter
    from pyVmomi.VmomiSupport import GetServiceVersions as _GetServiceVersions
    from pyVmomi.VmomiSupport import versionIdMap as _versionIdMap

    vim, vmodl, SoapStubAdapter = _vim, _vmodl, _SoapStubAdapter
    SoapResponseDeserializer = _SoapResponseDeserializer
    service_versions, version_ids = _GetServiceVersions, _versionIdMap
    _MISSING: str | None = None
except ImportError as error:
    vim = vmodl = SoapStubAdapter = SoapResponseDeserializer = service_versions = version_ids = None
    _MISSING = str(error)


def require() -> None:
    """Raises ConfigurationError, naming the interpreter, where pyVmomi cannot be imported."""
    if _MISSING is not None:
        raise ConfigurationError(
            f"The Python interpreter {sys.executable} lacks the library pyvmomi ({_MISSING}).",
            hint=f"Install it there ({sys.executable} -m pip install pyvmomi), or set ansible_python_interpreter "
            "to an interpreter that has it.",
        )
