# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a server's address may look like in options."""

from __future__ import annotations

import re

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError

_HIGHEST_PORT = 65535
# Another sign than these belongs to a URL, to a port, or to a slip; an IPv6 address has two colons at least.
_BARE_HOST = re.compile(r"[^\s/@?#:]+|\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%[^\s/]+)?\]?")


def check_port(option: str, port: int | None) -> None:
    """Raises ConfigurationError where a port was given that cannot be one."""
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise ConfigurationError(f"{option} must be between 1 and {_HIGHEST_PORT}, not {port}.")


def check_host(option: str, host: str) -> None:
    """Raises ConfigurationError where there is more than a name or an address, as a scheme or a port."""
    if not _BARE_HOST.fullmatch(host):
        raise ConfigurationError(
            f"{option} must be a host name or an address and nothing else, not {host!r}.",
            hint="A port is given with the option port.",
        )
