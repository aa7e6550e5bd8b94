# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What came of tests of shadow copies, as their documentation describes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import Refusal
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import VSS, read_sign
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Machine, Volume
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import shown
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import VolumeTable, guid_in

# What Win32_ShadowCopy.Create returns (Microsoft, the class's reference), in the order of its numbers.
RETURN_VALUES: Mapping[int, tuple[str, str]] = {
    1: ("access_denied", "Windows denied it: the session has no elevated token."),
    2: ("invalid_argument", "Windows called an argument invalid."),
    3: ("volume_not_found", "Windows did not find the volume."),
    4: ("volume_not_supported", "Windows makes no copies of this volume."),
    5: ("context_not_supported", "Windows makes no such copies of this volume."),
    6: ("insufficient_storage", "There is not enough storage for the copy."),
    7: ("volume_in_use", "The volume is in use."),
    8: ("copies_at_their_number", "The number of copies is at its limit."),
    9: ("operation_in_progress", "Another creation of a shadow copy was in progress, three times."),
    10: ("provider_vetoed", "The provider of shadow copies refused."),
    11: ("provider_not_registered", "The provider of shadow copies is not registered."),
    12: ("provider_failed", "The provider of shadow copies failed."),
    13: ("unknown_error", "Windows tells no reason."),
}
IN_PROGRESS = 9
# What fails the task in any case: a test that left something behind, or cost a copy.
_LOUD = ("copies_lost", "copy_left_behind")
_PREPARE_FOR_SNAPSHOT, _INVALID_PARAMETER = 0x0053C008, 0x80070057
_UNEXPECTED_ERROR = 12289


@dataclass
class VolumeTest:
    """The test of one volume; `name` is what the user called it."""

    name: str
    volume: Volume | None
    state: str = "would_test"
    code: str | None = None
    message: str | None = None
    return_value: int | None = None
    seconds: float | None = None
    events: tuple[EventRecord, ...] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def title(self) -> str:
        """How sentences call the volume."""
        return (self.volume.letter or self.volume.path if self.volume is not None else None) or self.name

    def refuse(self, refusal: Refusal) -> None:
        """Notes why no copy was made."""
        self.stop("refused", refusal.code, f"{refusal.message} {refusal.hint}")

    def stop(self, state: str, code: str, message: str) -> None:
        """Notes what the test came to."""
        self.state, self.code, self.message = state, code, message

    @property
    def is_the_fault(self) -> bool | None:
        """Whether Windows logged the fault of the collection's story about this volume; None where its logs could not
        be read, or no test was made."""
        if self.events is None:
            return None
        guid = self.volume.guid if self.volume is not None else None
        return any(_is_the_fault(record, guid) for record in self.events)


def answered(test: VolumeTest, return_value: int | None) -> None:
    """Notes what Windows returned."""
    test.return_value = return_value
    if return_value == 0:
        test.state, test.code, test.message = "succeeded", None, None
        return
    code, said = RETURN_VALUES.get(
        return_value or -1, ("unknown_error", "Windows returned a value of no known meaning.")
    )
    number = "no value" if return_value is None else f"return value {return_value}"
    message = f"No shadow copy of {test.title} could be made ({number}): {said}"
    if test.is_the_fault:
        message += (
            " VSS logged 12289 with the call 0x0053C008 and 0x80070057, as it does on raw device mappings in physical "
            "mode."
        )
    test.stop("failed", code, message)


def shadow_test_result(machine: Machine, tests: Sequence[VolumeTest], findings: Sequence[Finding]) -> dict[str, object]:
    """Returns the result of one call."""
    states = [test.state for test in tests]
    return {
        "changed": False,
        "machine": asdict(machine),
        "tests": [_row(test) for test in tests],
        "findings": [*findings, *(finding for test in tests for finding in test.findings)],
        "summary": {state: states.count(state) for state in ("succeeded", "failed", "refused", "would_test")},
    }


def shadow_test_failure(tests: Sequence[VolumeTest], *, on_failure: bool) -> str | None:
    """Returns the sentence that fails the task: something was left behind or lost, or `on_failure` a test failed or was
    refused."""
    loud = [test for test in tests if test.code in _LOUD]
    failed = [test for test in tests if test.state in ("failed", "refused")] if on_failure else []
    found = [*loud, *(test for test in failed if test not in loud)]
    if not found:
        return None
    more = f" {len(found) - 1} more tests failed or were refused." if len(found) > 1 else ""
    return f"{found[0].message}{more}"


def _row(test: VolumeTest) -> dict[str, object]:
    return {
        "name": test.name,
        "volume": None
        if test.volume is None
        else {"guid": test.volume.guid, "letter": test.volume.letter, "path": test.volume.path},
        "state": test.state,
        "return_value": test.return_value,
        "code": test.code,
        "message": test.message,
        "seconds": test.seconds,
        "is_the_fault": test.is_the_fault,
        "events": None if test.events is None else [_event(record) for record in test.events],
    }


def _event(record: EventRecord) -> dict[str, object]:
    sign = read_sign(record, VolumeTable(()))
    codes = () if sign is None else ((sign.control,) if sign.control is not None else ()) + sign.codes
    return {
        "log": record.log,
        "provider": record.provider,
        "id": record.id,
        "record": record.number,
        "time": record.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "codes": [shown(code) for code in codes],
        "data": [text for _name, text in record.fields],
    }


def _is_the_fault(record: EventRecord, guid: str | None) -> bool:
    sign = read_sign(record, VolumeTable(()))
    return (
        sign is not None
        and sign.key == (VSS, _UNEXPECTED_ERROR)
        and sign.control == _PREPARE_FOR_SNAPSHOT
        and _INVALID_PARAMETER in sign.codes
        and guid is not None
        and sign.volume is not None
        and guid_in(sign.volume.path) == guid
    )
