# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows modules on the lab's Windows machines, over real WinRM with NTLM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from guest.guest import Guest
from wsman.powershell import PowerShellCommands
from wsman.site import Site, windows_site

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
    result_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Pace
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution import commands
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.argument_specs import (
    DISK,
    DISK_INFO,
    FAILURE_INFO,
    SHADOW_COPY_TEST,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.failure_info import failure_info
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.testing_shadow_copies import (
    shadow_copy_test,
)


@dataclass(frozen=True)
class SteppedPace(Pace):
    """Where the collection would wait, the machine's time passes, and ours does not."""

    lab: Lab | None = None

    def pause(self, times: float = 1.0) -> None:
        if self.lab is not None:
            self.lab.guest.now += timedelta(seconds=times)


class Lab:
    """A Windows machine, and the modules on it. Each returns (failure or None, plain result)."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.guest = Guest()
        self.said: list[str] = []

    def disk_info(self, **options: Any) -> dict[str, Any]:
        failure, result = self.try_disk_info(**options)
        assert failure is None
        return result

    def try_disk_info(self, **options: Any) -> tuple[str | None, dict[str, Any]]:
        return self._run(DISK_INFO, commands.on_host(commands.disk_info), False, options)

    def failure_info(self, **options: Any) -> dict[str, Any]:
        failure, result = self.try_failure_info(**options)
        assert failure is None
        return result

    def try_failure_info(self, **options: Any) -> tuple[str | None, dict[str, Any]]:
        return self._run(FAILURE_INFO, failure_info, False, options)

    def disk(self, *disk_ids: str, check_mode: bool = False, **options: Any) -> tuple[str | None, dict[str, Any]]:
        work = commands.on_host(lambda host, call: commands.disk(host, call, Pace(0.0)))
        return self._run(DISK, work, check_mode, {"disk_ids": list(disk_ids), **options})

    def shadow_copy_test(
        self, *volumes: str, check_mode: bool = False, **options: Any
    ) -> tuple[str | None, dict[str, Any]]:
        work = commands.on_host(lambda host, call: shadow_copy_test(host, call, SteppedPace(0.0, self)))
        return self._run(SHADOW_COPY_TEST, work, check_mode, {"volumes": list(volumes), **options})

    def operations(self) -> list[str]:
        """What was asked of the host since the last time, but for Receive, which grows with the output."""
        operations = [action for action in self.site.host.troubles.operations() if action != "Receive"]
        self.site.host.troubles.log.clear()
        return operations

    def _run(
        self,
        spec: ArgumentSpec,
        do: Callable[[ModuleCall], ModuleResult],
        check_mode: bool,
        options: dict[str, Any],
    ) -> tuple[str | None, dict[str, Any]]:
        given = {**self.site.options("ntlm", "http"), **options}
        validated = ArgumentSpecValidator(dict(spec.options), **spec.rules).validate(given)
        assert not validated.error_messages
        call = ModuleCall(validated.validated_parameters, check_mode, True, self.said.append)
        return result_of(do, call)


@pytest.fixture(scope="session")
def place() -> Iterator[Lab]:
    holder: list[Lab] = []
    with windows_site(PowerShellCommands(lambda process: holder[0].guest.new_session(process))) as site:
        holder.append(Lab(site))
        yield holder[0]


@pytest.fixture
def lab(place: Lab) -> Iterator[Lab]:
    place.guest = Guest()
    place.said.clear()
    place.site.host.troubles.clear()
    place.site.host.shells.lose_all()
    yield place
    place.site.host.troubles.clear()


def codes(result: dict[str, Any]) -> list[str]:
    """The codes of the findings of a result, or of a disk of it."""
    return [finding["code"] for finding in result["findings"]]
