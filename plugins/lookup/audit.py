# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: audit
short_description: What an audit read, for the screen and for files
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Takes the results of M(winbackup.storage.rdm_info), M(winbackup.storage.lun_info) and
    M(winbackup.storage.dpm_allocation_info) as the hosts of a play registered them, by the names of the
    variables, and makes
    of them what the playbook C(winbackup.storage.audit) shows and writes.
  - The results may be of thousands of mappings; they are not templated on their way.
options:
  _terms:
    description:
      - What is wanted. V(found) is a dictionary with C(lines) for the screen, C(counts) of the findings by severity,
        C(failures) (the sentences by host), C(physical) and C(short) (whether a physical mapping, or a volume
        that is short,
        was found).
      - V(files) is what the filter P(winbackup.storage.storage_report#filter) returns.
      - V(json) is all that was read, as JSON.
    type: list
    elements: str
    choices: [found, files, json]
    required: true
  hosts:
    description: The hosts that registered results, in the order in which they count where two show the same.
    type: list
    elements: str
    required: true
  mappings:
    description: Name of the variable with what M(winbackup.storage.rdm_info) returned.
    type: str
    default: audit_mappings
  luns:
    description:
      - Name of the variable with what M(winbackup.storage.lun_info) returned, where M(winbackup.storage.rdm_info) did
        not read the LUNs too.
    type: str
  allocations:
    description: Name of the variable with what M(winbackup.storage.dpm_allocation_info) returned.
    type: str
    default: audit_allocations
  servers:
    description: Names of the servers for the head of the page.
    type: list
    elements: str
    default: []
  read_at:
    description: When the results were read, in words of your own.
    type: str
    default: ""
  stories:
    description: What P(winbackup.storage.machine_story#filter) returned, of each machine, for the page.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
---
- name: Read every raw device mapping
  winbackup.storage.rdm_info:
  register: audit_mappings

- name: Show what was found
  ansible.builtin.debug:
    msg: "{{ lookup('winbackup.storage.audit', 'found', hosts=[inventory_hostname]).lines }}"
"""

RETURN = r"""
---
_raw:
  description: One element for each term.
  type: list
  elements: raw
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.winbackup.storage.plugins.filter.storage_report import report_of
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.plugin_utils._audit_screen import counts_of, screen_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._packed_results import NotPacked, unpacked
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import facts_of

_KINDS = ("mappings", "luns", "allocations")


class LookupModule(LookupBase):  # type: ignore[misc]
    """The lookup plugin."""

    def run(self, terms: Sequence[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Returns what each term asks for; raises AnsibleLookupError for an unknown term."""
        self.set_options(var_options=variables, direct=kwargs)
        # As the hosts registered them, untouched: templates would look into every member of megabytes.
        readings = _readings((variables or {})["hostvars"], self.get_option("hosts"), self.get_option)
        made: dict[str, Callable[[], Any]] = {
            "found": lambda: _found(readings),
            "files": lambda: report_of(
                readings["mappings"],
                readings["luns"],
                readings["allocations"],
                self.get_option("servers"),
                self.get_option("read_at"),
                to_json_types(self.get_option("stories")),
            ),
            "json": lambda: json.dumps(
                {"read_at": self.get_option("read_at") or None, **readings}, ensure_ascii=False, indent=1
            ),
        }
        unknown = [str(term) for term in terms if term not in made]
        if unknown:
            raise AnsibleLookupError(f"audit: {', '.join(unknown)} is none of {', '.join(made)}.")
        return [made[term]() for term in terms]


def _readings(hostvars: Any, hosts: Sequence[str], option: Callable[[str], Any]) -> dict[str, list[dict[str, Any]]]:
    """Returns the results of each kind, in the order of the hosts; those of skipped tasks are left out."""
    readings: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
    for host in hosts:
        registered = hostvars.raw_get(host)
        for kind in _KINDS:
            name = option(kind)
            result = registered.get(name) if name else None
            if isinstance(result, Mapping) and not result.get("skipped"):
                try:
                    plain = unpacked(result)
                except NotPacked as error:
                    raise AnsibleLookupError(f"audit: {name} of {host} cannot be read: {error}.") from error
                # localhost is where the modules ran; which server they asked, the environment says.
                readings[kind].append(plain if host == "localhost" else {**plain, "host": str(host)})
    return readings


def _found(readings: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    facts = facts_of(readings["mappings"], readings["luns"], readings["allocations"])
    failures: dict[str, list[str]] = {}
    for host, sentence in _failures(readings):
        if sentence not in failures.setdefault(host, []):
            failures[host].append(sentence)
    lines = screen_of(facts, readings["mappings"])
    lines.extend(f"could not be read: {host}: {one}" for host, said in failures.items() for one in said)
    physical = any(mapping.compatibility == "physical" for mapping in facts.mappings)
    short = any(source.is_short for server in facts.dpm for source in server.datasources)
    return {"lines": lines, "counts": counts_of(facts), "failures": failures, "physical": physical, "short": short}


def _failures(readings: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    for results in readings.values():
        for result in results:
            if result.get("failed") or result.get("unreachable"):
                message = str(result.get("msg") or "It said nothing more.").strip()
                yield str(result.get("host") or "localhost"), message
