# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup; it is described in role_variables.yml beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.lookup import LookupBase

from ansible_collections.winbackup.storage.plugins.module_utils._core.plain import to_plain
from ansible_collections.winbackup.storage.plugins.plugin_utils._role_variables import (
    chosen,
    converted,
    unknown_variables,
)

_ROLES = Path(__file__).resolve().parents[2] / "roles"


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup plugin."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Returns `values` and `problems` of each role that is named; raises AnsibleLookupError for an unknown role."""
        self.set_options(var_options=variables, direct=kwargs)
        return [self._role(str(term), variables or {}) for term in terms]

    def _role(self, role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        options = _options(role)
        problems = unknown_variables(role, options, variables)
        taken = {name: option for name, option in options.items() if option.get("elements") != "dict"}
        # Templated as members of a dictionary, where the placeholder omit takes its member away.
        given = self._templar.template({name: variables[name] for name in taken if name in variables})
        plain: Any = to_plain(given)
        values, refused = converted(role, taken, plain)
        return {"options": values, "chosen": chosen(role, taken, values), "problems": [*problems, *refused]}


@cache
def _options(role: str) -> dict[str, dict[str, Any]]:
    file = _ROLES / role / "meta" / "argument_specs.yml"
    if not file.is_file():
        raise AnsibleLookupError(f"role_variables: the collection has no role {role}.")
    options: dict[str, dict[str, Any]] = yaml_load(file.read_text(encoding="utf-8"))["argument_specs"]["main"][
        "options"
    ]
    return options
