# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The settings of a virtual machine (.vmx): lines of `key = "value"`, special characters as | and two hex digits."""

from __future__ import annotations

import re

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines

_LINE = re.compile(r'\s*(?P<key>[^\s=#"][^=\r\n"]*?)\s*=\s*"(?P<value>[^"\r\n]*)"\s*')
_ESCAPE = re.compile(r"\|([0-9A-Fa-f]{2})")
# What cannot stand in a value as it is. Others are written as they are, in the file's encoding.
_SPECIAL = re.compile(r'["|#\x00-\x1f\x7f]')


def vmx_settings(text: str) -> dict[str, str]:
    """Returns the settings, keys in lower case (VMware reads them so), values without escapes; the first of a key."""
    settings: dict[str, str] = {}
    for line in lines(text):
        found = _LINE.fullmatch(line)
        if found is not None:
            settings.setdefault(found["key"].lower(), unescaped(found["value"]))
    return settings


def unescaped(value: str) -> str:
    """Returns a value as people see it: `|22` is a quote."""
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), value)


def escaped(value: str) -> str:
    """Returns a value as it stands in the file; the reverse of `unescaped`."""
    return _SPECIAL.sub(lambda special: f"|{ord(special[0]):02X}", value)
