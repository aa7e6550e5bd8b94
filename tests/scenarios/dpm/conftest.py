# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DPM modules on the lab's DPM server, over real WinRM with NTLM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from dpm.dpm import Dpm
from wsman.site import Site

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
    result_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution import commands
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import (
    ALLOCATION,
    CHECK,
    GROUP,
    INFO,
    POINT,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import DpmServer, PowerShellServer

GB = 1024**3
MB = 1024**2


class SteppedServer(PowerShellServer):
    """Where the collection would wait, the lab's time passes, and ours does not."""

    def __init__(self, options: Mapping[str, Any], dpm: Dpm) -> None:
        super().__init__(options)
        self._dpm = dpm
        self._waited = 0.0

    def _sleep(self, seconds: float) -> None:
        self._waited += seconds
        self._dpm.control.advance(seconds)

    def time(self) -> float:
        return super().time() + self._waited


class Lab:
    """The lab's server and the modules on it. Each returns (failure or None, plain result)."""

    def __init__(self, site: Site, dpm: Dpm) -> None:
        self.site = site
        self.dpm = dpm
        self.control = dpm.control
        self.said: list[str] = []

    def world(self, text: str | None = None, **options: Any) -> None:
        """Another world, or the story."""
        self.control.world(text, options)

    def info(self, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        failure, result = self._run(INFO, commands.allocation_info, check_mode, options)
        assert failure is None
        return result

    def allocate(self, *, check_mode: bool = False, **options: Any) -> tuple[str | None, dict[str, Any]]:
        return self._run(ALLOCATION, commands.resize, check_mode, options)

    def check(self, *, check_mode: bool = False, **options: Any) -> tuple[str | None, dict[str, Any]]:
        return self._run(CHECK, commands.consistency_check, check_mode, options)

    def point(self, *, check_mode: bool = False, **options: Any) -> tuple[str | None, dict[str, Any]]:
        return self._run(POINT, commands.recovery_point, check_mode, options)

    def group(self, *, check_mode: bool = False, **options: Any) -> tuple[str | None, dict[str, Any]]:
        return self._run(GROUP, commands.protection_group, check_mode, options)

    def operations(self) -> list[str]:
        """What was asked of the host since the last time, but for Receive, which grows with the output."""
        operations = [action for action in self.site.host.troubles.operations() if action != "Receive"]
        self.site.host.troubles.log.clear()
        return operations

    def recovery(self, name: str, computer: str | None = None) -> int:
        """What is allocated in truth."""
        allocated: int = self.control.datasource(name, computer)["recovery"]["allocated"]
        return allocated

    def _run(
        self,
        spec: ArgumentSpec,
        do: Callable[[DpmServer, ModuleCall], ModuleResult],
        check_mode: bool,
        options: dict[str, Any],
    ) -> tuple[str | None, dict[str, Any]]:
        given = {**self.site.options("ntlm", "http"), **options}
        validated = ArgumentSpecValidator(dict(spec.options), **spec.rules).validate(given)
        assert not validated.error_messages
        call = ModuleCall(validated.validated_parameters, check_mode, True, self.said.append)
        with SteppedServer(call.options, self.dpm) as server:
            return result_of(lambda one: do(server, one), call)


@pytest.fixture
def lab(dpm_site: tuple[Site, Dpm]) -> Lab:
    return Lab(*dpm_site)


def states(result: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What became of each data source, by its name."""
    rows = result.get("volumes") or result.get("checks") or result.get("points") or []
    return {row["datasource"]["name"]: (row["state"], row["reason"]) for row in rows}
