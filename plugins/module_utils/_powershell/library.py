# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""pywinrm, imported only when a connection is made, so that a missing library is one clear error and not a
traceback."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError

# What a transport needs beyond pywinrm itself: the module, and how it is installed.
_EXTRAS = {"kerberos": ("kerberos", "pywinrm[kerberos]"), "credssp": ("requests_credssp", "pywinrm[credssp]")}


def load_protocol(transport: str) -> Any:
    """Returns pywinrm's class Protocol; raises ConfigurationError that names the interpreter and what it lacks."""
    module, package = _EXTRAS.get(transport, ("winrm.protocol", "pywinrm"))
    try:
        protocol = importlib.import_module("winrm.protocol").Protocol
        importlib.import_module(module)
    except ImportError as error:
        raise ConfigurationError(
            f"The Python interpreter {sys.executable} lacks the library {package} ({error}).",
            hint=f"Install it there ({sys.executable} -m pip install '{package}'), or set ansible_python_interpreter "
            "to an interpreter that has it.",
        ) from error
    # It logs tracebacks that would land on stderr, where a module's result may be read.
    logging.getLogger("winrm.vendor.requests_kerberos").addHandler(logging.NullHandler())
    return protocol
