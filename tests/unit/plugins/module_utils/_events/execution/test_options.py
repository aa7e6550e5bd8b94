# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the event source, and that its documentation has the same."""

from __future__ import annotations

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.options import SOURCE, settings_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Signature

FILE = Path(__file__).resolve().parents[6] / "extensions/eda/plugins/event_source/dpm_events.py"
USER = {"username": "reader", "password": "secret"}


def test_the_documentation_has_the_options_as_they_are() -> None:
    told = yaml.safe_load(runpy.run_path(str(FILE))["DOCUMENTATION"])["options"]
    assert set(told) == set(SOURCE.options)
    for name, option in SOURCE.options.items():
        for key in ("type", "elements", "choices", "default"):
            assert (name, key, told[name].get(key)) == (name, key, option.get(key))


def test_the_examples_are_arguments_that_are_taken() -> None:
    for example in yaml.safe_load(runpy.run_path(str(FILE))["EXAMPLES"]):
        args = example["winbackup.storage.dpm_events"]
        settings_of({"hostname": "dpm01", **USER, **args})


def test_servers_take_the_options_of_the_source_and_their_own_before_them() -> None:
    servers = ["DPM01.example.com", {"hostname": "dpm02", "username": "another", "transport": "kerberos"}]
    one, two = settings_of({"servers": servers, "port": "5986", **USER}).servers
    assert (one.name, one.connection["username"], one.connection["port"]) == ("dpm01.example.com", "reader", 5986)
    assert (two.name, two.connection["username"], two.connection["password"]) == ("dpm02", "another", "secret")
    assert (one.changes_the_environment, two.changes_the_environment) == (False, True)


def test_an_empty_text_is_nothing_given_and_the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINBACKUP_WINDOWS_HOST", "dpm03")
    settings = settings_of({"servers": "", "state": "", "hostname": "", **USER})
    assert ([server.name for server in settings.servers], settings.state) == (["dpm03"], None)
    assert settings.signatures == frozenset(Signature)


def test_what_is_looked_back_at() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    for text, back in (("15m", timedelta(minutes=15)), ("2026-11-28T10:00:00Z", timedelta(hours=2))):
        assert settings_of({"hostname": "dpm01", "since": text, **USER}, now).look_back == back
    with pytest.raises(ConfigurationError, match="since must be in the past"):
        settings_of({"hostname": "dpm01", "since": "2026-11-28T12:00:00Z", **USER}, now)


@pytest.mark.parametrize("args", [{"port": "x"}, {"servers": [{"hostname": "a", "passwort": "secret"}]}])
def test_no_error_tells_a_password(args: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_of({"hostname": "dpm01", **USER, **args})
    assert "secret" not in str(caught.value)
