# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work that an action plugin did itself is answered as a module would answer it, without a secret anywhere."""

from __future__ import annotations

import pytest
from ansible.utils.display import Display

from ansible_collections.winbackup.storage.plugins.plugin_utils._answer import answered

SECRET = 'Gehe"im-ä'


def test_no_secret_is_in_a_warning_a_failure_or_a_member(capsys: pytest.CaptureFixture[str]) -> None:
    result = {"changed": False, "names": [f"of {SECRET}"], "warnings": [f"It said {SECRET} twice."]}
    answer = answered(Display(), f"It said {SECRET}.", result, {SECRET}, failed_as="unreachable")
    assert answer.keys() == {"changed", "names", "unreachable", "msg"}
    shown = capsys.readouterr().err
    assert "It said" in shown
    assert SECRET not in shown + str(answer)


def test_what_holds_no_secret_is_returned_as_it_is() -> None:
    assert answered(Display(), None, {"changed": True, "names": ["a"]}, {SECRET}) == {"changed": True, "names": ["a"]}
