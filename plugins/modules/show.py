#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Print lines as they are
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Prints lines on the screen as plain text, without the quotes and the doubled backslashes that
    M(ansible.builtin.debug) shows them with. The playbooks and roles of this collection print with it.
  - A line that begins with the word C(error) or C(warning) has the colour that Ansible has for it, where Ansible's own
    settings allow colours.
  - On a terminal long lines are broken between words to its width, and go on below where their text began. A line with
    a command to be pasted, C(ansible-playbook), stays one line.
  - Where the output of Ansible is data, as with the callback plugins V(json), V(jsonl), V(junit), V(minimal),
    V(oneline), V(tree) and V(null), nothing is printed. The lines are in the result either way.
  - It runs on the controller, needs no connection and changes nothing.
options:
  lines:
    description:
      - What to print, one entry a line.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - winbackup.storage._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - It changes nothing.
  idempotent:
    support: N/A
    details:
      - It changes nothing.
  async:
    support: none
"""

EXAMPLES = r"""
- name: Say what was found
  winbackup.storage.show:
    lines: "{{ lookup('ansible.builtin.template', 'found.j2').splitlines() }}"
"""

RETURN = r"""
lines:
  description: The lines, as they were given.
  type: list
  elements: str
  returned: always
  sample:
    - 'error recovery_point_volume_short (1): D:\ on "fs01"'
"""
