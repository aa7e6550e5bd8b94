#!/usr/bin/python
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: write_files
short_description: Write several texts into a directory of the controller
version_added: 1.0.0
author:
  - The winbackup.storage contributors (@winbackup)
description:
  - Writes texts as files of one directory of the controller, all in one step. The role
    P(winbackup.storage.storage_report#role) writes its page and tables with it, which may be megabytes.
  - A file is written beside its place and moved into it, so that nobody reads half of one. A file that holds its text
    already is left as it is.
  - It runs on the controller and needs no connection.
options:
  path:
    description:
      - The directory. It is made where it does not exist, for its owner and group (mode C(0750)); the rights of one
        that exists are left as they are.
    type: path
    required: true
  files:
    description:
      - The texts by the names of their files, which are names without a directory.
    type: dict
    required: true
extends_documentation_fragment:
  - winbackup.storage._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  async:
    support: none
"""

EXAMPLES = r"""
- name: Write the report
  winbackup.storage.write_files:
    path: /srv/reports/storage
    files:
      report.html: "{{ made.html }}"
      mappings.csv: "{{ made.csv }}"
  vars:
    made: "{{ mappings | winbackup.storage.storage_report }}"
"""

RETURN = r"""
files:
  description: The paths of the files that were written, or in check mode would be; a file with this text is not.
  type: list
  elements: str
  returned: success
  sample:
    - /srv/reports/storage/report.html
"""
