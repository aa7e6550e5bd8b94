# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The options of the event source, as a rulebook gives them. Every error names its option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Signature
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.options import (
    signatures_of,
    since_of,
)

SOURCE = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "servers": {"type": "list", "elements": "raw", "default": []},
            "signatures": {
                "type": "list",
                "elements": "str",
                "choices": [signature.value for signature in Signature],
                "default": [],
            },
            "alerts": {"type": "bool", "default": True},
            "interval": {"type": "int", "default": 60},
            "alerts_interval": {"type": "int", "default": 300},
            "since": {"type": "str", "default": "15m"},
            "state": {"type": "path"},
            "feedback": {"type": "bool", "default": False},
            "feedback_timeout": {"type": "int", "default": 120},
            "meta_hosts": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 300},
        }
    )
)
_AT_LEAST_1 = ("interval", "alerts_interval", "feedback_timeout", "timeout")


@dataclass(frozen=True)
class Server:
    """One server that is watched: its name, and the options of the connection to it."""

    name: str
    connection: Mapping[str, Any]

    @property
    def changes_the_environment(self) -> bool:
        """Whether its ticket stands in the environment while it is read, so that no other may be read meanwhile."""
        return self.connection.get("transport") == "kerberos"


@dataclass(frozen=True)
class Settings:
    """What a rulebook wants of the source. Intervals and timeouts are in seconds."""

    servers: tuple[Server, ...]
    signatures: frozenset[Signature]
    alerts: bool
    interval: int
    alerts_interval: int
    look_back: timedelta
    state: str | None
    feedback: bool
    feedback_timeout: int
    meta_hosts: bool
    timeout: int


def settings_of(args: Mapping[str, Any], now: datetime | None = None) -> Settings:
    """Returns what the arguments of a rulebook mean; a text that is empty is nothing given.

    Raises ConfigurationError for what is wrong, unknown or does not go together."""
    given = {name: value for name, value in args.items() if value not in (None, "")}
    options = _validated(SOURCE, given, "")
    for name in _AT_LEAST_1:
        if options[name] < 1:
            raise ConfigurationError(f"{name} must be at least 1, not {options[name]}.")
    return Settings(
        servers=_servers(options["servers"], {name: given[name] for name in CONNECTION.options if name in given}),
        signatures=signatures_of(options["signatures"]),
        alerts=options["alerts"],
        interval=options["interval"],
        alerts_interval=options["alerts_interval"],
        look_back=_look_back(options["since"], now or datetime.now(UTC)),
        state=options["state"],
        feedback=options["feedback"],
        feedback_timeout=options["feedback_timeout"],
        meta_hosts=options["meta_hosts"],
        timeout=options["timeout"],
    )


def _validated(spec: ArgumentSpec, given: Mapping[str, Any], where: str) -> dict[str, Any]:
    result = ArgumentSpecValidator(dict(spec.options), **spec.rules).validate(dict(given))
    if result.error_messages:
        raise ConfigurationError(f"{where}{' '.join(result.error_messages)}")
    return dict(result.validated_parameters)


def _look_back(text: str, now: datetime) -> timedelta:
    since = since_of(text)
    back = timedelta(seconds=since.seconds) if since.time is None else now - since.time
    if back <= timedelta(0):
        raise ConfigurationError(f"since must be in the past, not {text}.")
    return back


def _servers(given: list[Any], common: Mapping[str, Any]) -> tuple[Server, ...]:
    """Returns the servers that a list names, each a host name or a table of its own options; with none the one that the
    options of the source, or the environment, name."""
    found = [_server(entry, common) for entry in given or [{}]]
    names = [server.name for server in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"servers names {twice} twice.")
    return tuple(found)


def _server(entry: Any, common: Mapping[str, Any]) -> Server:
    own = {"hostname": entry} if isinstance(entry, str) else entry
    if not isinstance(own, Mapping):
        raise ConfigurationError(
            "servers: an entry is neither a host name nor a table of connection options.",
            hint="Write servers: [dpm01.example.com] or servers: [{hostname: dpm01.example.com, username: ...}].",
        )
    own = {name: value for name, value in own.items() if value not in (None, "")}
    connection = _validated(CONNECTION, {**common, **own}, f"servers, {own['hostname']}: " if own else "")
    target = Target.of(connection)
    return Server(target.hostname.lower(), connection)
