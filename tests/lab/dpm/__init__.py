# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DPM server as far as its cmdlets show it: a model made from documentation, not a DPM server.

`Dpm` (in `dpm.dpm`) is the whole of it: a server in memory (`server`), what scripts see of it (`commands`), and what
tests do to it (`control`).
"""

from __future__ import annotations

BANNER = "winbackup.storage lab: a model of a DPM server made from documentation"
