# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows machine as far as its event logs and disks show it: a model made from documentation and published samples.

`Guest` (in `guest.guest`) is the whole of it; `records` what stands in a log, `shapes` how versions of Windows write
it, `query` how scripts read it, on a DPM server too; `disks` what its interfaces say of disks and volumes.
"""

from __future__ import annotations
