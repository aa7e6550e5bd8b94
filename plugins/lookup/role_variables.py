# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: role_variables
short_description: The variables of a role of this collection, converted once
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Takes the variables of a role as its argument specification types them. Variables from the command line,
    from surveys
    and from inventories are often text - C("false"), C("no"), C("92.5"), or C("backup01") for a list - and mean
    here what
    a person means by them.
  - A text for a list is its one entry; it is not split at commas. Null is as good as no value, and so is an empty text.
    But Ansible itself looks at the variables of a role first, by its argument specification, and refuses an empty text
    for a number, for yes or no, and for one of several choices, and null for what has a default or choices; such a
    variable must be left out, or be C(omit).
  - A variable that begins with the name of the role and is none of its own is a problem, which names the
    nearest one that
    there is. So is a value that cannot be converted.
  - Lists of results (those whose elements are dictionaries) are left as they are, since they may be of megabytes.
  - The roles of this collection use it at their door; they stop at a problem before anything is read. So do the
    playbooks C(audit) and C(site) for the variables that begin with V(audit_); of other variables that begin with
    V(audit_) or V(site_), only one that is nearly one of these is a problem, since inventories have their own. It is
    the same with C(rehearse) and V(rehearse_).
options:
  _terms:
    description:
      - The name of the role, without the name of the collection; or V(audit) or V(rehearse), for the playbook.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
---
- name: Show the variables of a role as the role will take them
  ansible.builtin.debug:
    msg: "{{ lookup('winbackup.storage.role_variables', 'storage_report') }}"
"""

RETURN = r"""
---
_raw:
  description: One dictionary a role.
  type: list
  elements: dict
  contains:
    options:
      description: The values by the names of the variables without that of the role; what has no value is left out.
      type: dict
      returned: always
    chosen:
      description: The values that are not the default, by the full names of their variables, without secrets.
      type: dict
      returned: always
    problems:
      description: A sentence for each variable that is unknown or cannot be converted.
      type: list
      elements: str
      returned: always
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.lookup import LookupBase

from ansible_collections.winbackup.storage.plugins.module_utils._core.interpreter import require_python

# Roles and playbooks come through this door first.
require_python()

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.options import size_policy_of, volume_kind_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._role_variables import (
    chosen,
    converted,
    misspelt_variables,
    unknown_variables,
)

_COLLECTION = Path(__file__).resolve().parents[2]
# The role whose variables depend on each other, and those that say how large a volume shall be.
_SIZES = "dpm_recovery_points"
_WISHES = ("size", "min_free", "min_free_percent", "min_days")
# Of each playbook, where its specification stands, and with what the names of its variables begin; `site` ends with an
# audit.
_PLAYBOOKS = {"audit": ("main", ("audit", "site")), "rehearse": ("rehearse", ("rehearse",))}


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup plugin."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Returns `values` and `problems` of each role that is named; raises AnsibleLookupError for an unknown role."""
        self.set_options(var_options=variables, direct=kwargs)
        return [self._role(str(term), variables or {}) for term in terms]

    def _role(self, role: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        options = _options(role)
        if role in _PLAYBOOKS:
            problems = misspelt_variables(_PLAYBOOKS[role][1], options, variables)
        else:
            problems = unknown_variables(role, options, variables)
        taken = {name: option for name, option in options.items() if option.get("elements") != "dict"}
        # Templated as members of a dictionary, where the placeholder omit takes its member away.
        given = self._templar.template({name: variables[name] for name in taken if name in variables})
        plain: Any = to_json_types(given)
        values, refused = converted(role, taken, plain)
        if role == _SIZES and not refused:
            refused = size_problems(values)
        return {"options": values, "chosen": chosen(role, taken, values), "problems": [*problems, *refused]}


def size_problems(values: Mapping[str, Any]) -> list[str]:
    """Returns what the module would refuse of the sizes: nothing is read, and no check begins, for a mistake."""
    given = [name for name in _WISHES if values.get(name) is not None]
    if not given:
        return []
    if len(given) > 1:
        return [f"{' and '.join(f'{_SIZES}_{name}' for name in given)} exclude each other. Give one of them."]
    # The role's own default is not given with a size.
    headroom = {} if "size" in given else {"headroom_percent": values.get("headroom_percent")}
    # A history is kept by each reading, whatever the wish.
    unread = {} if "min_days" in given else {"history": None}
    names = (option.removeprefix(f"{_SIZES}_") for option in _options(_SIZES))
    options = {**{name: values.get(name) for name in names}, "headroom_percent": None, **headroom, **unread}
    try:
        size_policy_of(options)
        volume_kind_of(options)
    except ConfigurationError as error:
        return [f"{_SIZES}_{error}"]
    return []


@cache
def _options(role: str) -> dict[str, dict[str, Any]]:
    folder = _COLLECTION / "playbooks" / "vars" if role in _PLAYBOOKS else _COLLECTION / "roles" / role / "meta"
    file = folder / "argument_specs.yml"
    if not file.is_file():
        raise AnsibleLookupError(f"role_variables: the collection has no role {role}.")
    entry = _PLAYBOOKS[role][0] if role in _PLAYBOOKS else "main"
    options: dict[str, dict[str, Any]] = yaml_load(file.read_text(encoding="utf-8"))["argument_specs"][entry]["options"]
    return options
