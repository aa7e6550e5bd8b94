# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should use it.

"""The attributes of modules, described once."""

from __future__ import annotations


class ModuleDocFragment:
    """What each attribute means; modules add whether they support it."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and tells what it would change without changing it.
  diff_mode:
    description: Returns in diff mode what has changed, or in check mode what would change.
  idempotent:
    description: A second run with the same options changes nothing.
  async:
    description: Can be used with the C(async) keyword.
"""

    VSPHERE = r"""
options: {}
attributes:
  action_group:
    description: Takes its connection options from C(module_defaults) of the group V(winbackup.storage.vsphere).
    support: full
    membership:
      - winbackup.storage.vsphere
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""
