# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source on the lab's DPM server, run as ansible-rulebook runs it: a file, a queue of one, and arguments."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dpm.dpm import Dpm
from wsman.accounts import Account
from wsman.host import WinRmHost
from wsman.powershell import PowerShellCommands
from wsman.site import PASSWORD, USER, Site

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError, LoginRefused
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.options import settings_of
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.watching import Watcher

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / ".build/tree/ansible_collections/winbackup/storage/extensions/eda/plugins/event_source/dpm_events.py"
# A second of the source's pauses, in seconds of the test.
SECOND = 0.02
FULL = "D:\\"


class Lab:
    """The server, and the source on it."""

    def __init__(self, site: Site, dpm: Dpm) -> None:
        self.site, self.control = site, dpm.control

    def args(self, **others: Any) -> dict[str, Any]:
        return {**self.site.options("ntlm", "http"), "interval": 10, "alerts_interval": 1, **others}

    def fills_up(self, name: str = FULL, computer: str = "fs01.lab.test") -> None:
        """A backup fills the recovery-point volume: volsnap 87, NTFS 140, and alerts."""
        self.control.run_backup(name, "60GB", computer)
        # NTFS follows two seconds later.
        self.control.advance(5)

    @asynccontextmanager
    async def watched(self, engine: asyncio.Queue[Any] | None = None, **args: Any) -> AsyncIterator[Events]:
        """Runs the source for as long as the block lasts; then it ends as suddenly as by a kill."""
        queue: asyncio.Queue[Any] = asyncio.Queue(1)
        watcher = Watcher(settings_of(self.args(**args)), queue, engine, SECOND)
        task = asyncio.create_task(watcher.run())
        try:
            yield Events(queue, task)
        finally:
            task.cancel()
            await asyncio.wait([task])


class Events:
    """What a source puts into its queue."""

    def __init__(self, queue: asyncio.Queue[Any], task: asyncio.Task[None]) -> None:
        self._queue, self._task = queue, task

    async def take(self, count: int) -> list[dict[str, Any]]:
        """The next events; fails where the source ends before, or none comes."""
        found = []
        for _number in range(count):
            getting = asyncio.ensure_future(self._queue.get())
            await asyncio.wait([getting, self._task], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                self._task.result()
            found.append(getting.result())
        return found

    async def no_more(self, site: Site, looks: int = 2) -> None:
        """Sees that after some more looks of the source nothing has come."""
        before = site.host.troubles.operations().count("Delete")
        while site.host.troubles.operations().count("Delete") < before + looks:
            assert self._queue.empty()
            await asyncio.sleep(0.05)
        assert self._queue.empty()


@pytest.fixture
def lab(dpm_site: tuple[Site, Dpm]) -> Lab:
    # What the story tells lies before what is looked back at.
    dpm_site[1].control.advance(3600)
    return Lab(*dpm_site)


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, object]]:
    """What each is, and the number of its record or alert."""
    return [
        (one["dpm"]["kind"], (one["dpm"]["record"] or {}).get("id") or one["dpm"]["alert"]["code"]) for one in events
    ]


def uuids(events: list[dict[str, Any]]) -> list[str]:
    return [one["meta"]["uuid"] for one in events]


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Plays a story; one that hangs fails."""

    async def limited() -> None:
        await asyncio.wait_for(story(), 120)

    asyncio.run(limited())


def test_new_records_and_alerts_come_named(lab: Lab) -> None:
    async def story() -> None:
        async with lab.watched(since="30m") as events:
            # Alerts that are active are told however old they are: they say what still is so.
            old = await events.take(3)
            assert {kind for kind, _code in kinds(old)} == {"alert"}
            lab.fills_up(FULL, "fs02.lab.test")
            new = await events.take(3)
            assert kinds(new) == [("record", 87), ("record", 140), ("alert", 3106)]
            # A rule that waits for the last of a look answers all of them at once.
            assert [event["dpm"]["more"] for event in new] == [2, 1, 0]
            for event in new:
                named = event["dpm"]
                assert (named["server"], named["datasource"]["computer"]) == ("localhost", "fs02.lab.test")
                assert json.loads(json.dumps(event)) == event
            first = new[0]["dpm"]
            assert (first["signature"], first["confidence"]) == ("replica_offline", "certain")
            assert first["volume"]["guid"] in first["summary"]
            assert first["record"]["log"] == "System"
            assert new[2]["dpm"]["signature"] == "replica_inconsistent"
            await events.no_more(lab.site)

    run(story)


def test_a_restart_loses_nothing_and_repeats_nothing(lab: Lab, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    args = {"state": str(state), "feedback": True, "alerts": False, "feedback_timeout": 5000}

    async def story() -> None:
        engine: asyncio.Queue[Any] = asyncio.Queue(1)
        async with lab.watched(engine, **args) as events:
            await events.no_more(lab.site, 1)
            lab.fills_up(FULL, "fs02.lab.test")
            # Killed with one event taken and the next one on its way.
            (taken,) = await events.take(1)
            await engine.put(taken)
            (on_its_way,) = await events.take(1)
        lab.control.advance(3 * 3600)
        lab.fills_up("E:\\", "fs01.lab.test")
        lab.control.advance(3600)
        async with lab.watched(engine, **args) as events:
            late = []
            for _number in range(3):
                late += await events.take(1)
                await engine.put(late[-1])
            await events.no_more(lab.site)
        assert kinds([taken, *late]) == [("record", 87), ("record", 140)] * 2
        # Others come after it now.
        assert (late[0]["dpm"]["more"], on_its_way["dpm"]["more"]) == (2, 0)
        assert late[0]["dpm"] | {"more": 0} == on_its_way["dpm"]
        assert len(set(uuids([taken, *late]))) == 4
        async with lab.watched(engine, **args) as events:
            await events.no_more(lab.site, 1)

    run(story)
    kept = state.read_text(encoding="utf-8")
    assert list(json.loads(kept)["servers"]) == ["localhost"]
    assert lab.site.options("ntlm", "http")["password"] not in kept
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_without_feedback_a_kill_loses_nothing_of_what_an_engine_had_only_just_been_told(
    lab: Lab, tmp_path: Path
) -> None:
    """An engine gathers what happens on a server before it acts: what it had gathered is gone with it."""
    args = {"state": str(tmp_path / "state.json"), "since": "15m"}

    async def story() -> None:
        async with lab.watched(**args) as events:
            old = await events.take(3)
            assert {kind for kind, _code in kinds(old)} == {"alert"}
            lab.fills_up(FULL, "fs02.lab.test")
            told = await events.take(3)
            await events.no_more(lab.site, 1)
        # It comes back later than what is looked back at where nothing is known.
        lab.control.advance(3 * 3600)
        async with lab.watched(**args) as events:
            again = await events.take(6)
            await events.no_more(lab.site, 1)
        assert [kind for kind, _code in kinds(again)] == ["record"] * 2 + ["alert"] * 4
        assert set(uuids(again)) == set(uuids(old + told))

    run(story)


def test_ten_servers_that_run_full_at_once_are_each_told_and_one_that_is_slow_holds_up_none(tmp_path: Path) -> None:
    accounts = [Account(USER, PASSWORD)]
    with ExitStack() as stack:
        servers = [Dpm() for _number in range(10)]
        hosts = [
            stack.enter_context(WinRmHost(accounts, PowerShellCommands(dpm.new_session), address=f"127.0.0.{number}"))
            for number, dpm in enumerate(servers, 1)
        ]
        for dpm in servers:
            dpm.control.advance(3600)
            dpm.control.run_backup(FULL, "60GB", "fs02.lab.test")
            dpm.control.advance(5)
        held = hosts[0].troubles.hold()
        connections = [{"hostname": host.address, "port": host.port} for host in hosts]
        args = {
            "scheme": "http",
            "username": USER,
            "password": PASSWORD,
            "servers": connections,
            "alerts": False,
            "state": str(tmp_path / "state.json"),
        }

        async def story() -> None:
            queue: asyncio.Queue[Any] = asyncio.Queue(1)
            task = asyncio.create_task(Watcher(settings_of(args), queue, second=SECOND).run())
            watched = Events(queue, task)
            events = await watched.take(18)
            assert hosts[0].address not in {event["dpm"]["server"] for event in events}
            held.release()
            events += await watched.take(2)
            task.cancel()
            await asyncio.wait([task])
            told: dict[str, list[object]] = {}
            for event, (_kind, code) in zip(events, kinds(events), strict=True):
                told.setdefault(event["dpm"]["server"], []).append(code)
            assert told == {host.address: [87, 140] for host in hosts}
            assert len(set(uuids(events))) == 20

        run(story)


def test_without_a_bookmark_what_is_told_again_has_the_same_uuid(lab: Lab) -> None:
    lab.fills_up(FULL, "fs02.lab.test")

    async def story() -> None:
        told = []
        for _run in range(2):
            async with lab.watched(alerts=False) as events:
                told.append(uuids(await events.take(2)))
                await events.no_more(lab.site, 1)
        assert told[0] == told[1]

    run(story)


def test_an_event_that_the_engine_did_not_take_is_sent_again(lab: Lab, tmp_path: Path) -> None:
    lab.fills_up(FULL, "fs02.lab.test")
    args = {"state": str(tmp_path / "state.json"), "feedback": True, "alerts": False}

    async def story() -> None:
        engine: asyncio.Queue[Any] = asyncio.Queue(1)
        async with lab.watched(engine, feedback_timeout=50, **args) as events:
            # Nobody says anything, so that it comes again; then the late word comes, and one about it.
            first, again = await events.take(2)
            assert first == again
            await engine.put({"meta": {"uuid": "another"}})
            await engine.put(again)
            (second,) = await events.take(1)
            assert kinds([first, second]) == [("record", 87), ("record", 140)]
        async with lab.watched(engine, **args) as events:
            (repeated,) = await events.take(1)
            assert repeated == second
            await engine.put(repeated)
            await events.no_more(lab.site)

    run(story)


def test_a_server_that_is_away_for_a_while_is_waited_for(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def story() -> None:
        async with lab.watched(alerts=False) as events:
            await events.no_more(lab.site, 1)
            lab.site.host.troubles.add("restart", seconds=3)
            lab.fills_up(FULL, "fs02.lab.test")
            assert kinds(await events.take(2)) == [("record", 87), ("record", 140)]
            await events.no_more(lab.site, 1)

    run(story)
    said = [one.getMessage() for one in caplog.records if one.name == "winbackup.storage.dpm_events"]
    # One line a change, however often it was asked.
    assert [line.split(":")[0] for line in said] == [
        "localhost is read.",
        "localhost is not read for now",
        "localhost is read.",
    ]


def test_one_server_that_is_away_holds_up_no_other(lab: Lab) -> None:
    lab.fills_up(FULL, "fs02.lab.test")
    away = {"hostname": "127.0.0.1", "port": 1}

    async def story() -> None:
        async with lab.watched(servers=["localhost", away], alerts=False, meta_hosts=True) as events:
            found = await events.take(2)
            assert [one["meta"]["hosts"] for one in found] == ["localhost", "localhost"]

    run(story)


def test_a_log_that_dpm_cannot_explain_is_told_all_the_same(lab: Lab) -> None:
    lab.fills_up(FULL, "fs02.lab.test")
    lab.control.hooks.refuse("Get-DPMDatasource", 31144, times=1)

    async def story() -> None:
        async with lab.watched(alerts=False) as events:
            (event,) = await events.take(1)
            assert (event["dpm"]["signature"], event["dpm"]["datasource"]) == ("replica_offline", None)

    run(story)


def main_of_the_source() -> Callable[..., Any]:
    """The source as ansible-rulebook takes it: the text of a file, and what is called main in it."""
    names: dict[str, Any] = {"__file__": str(SOURCE)}
    exec(compile(SOURCE.read_text(encoding="utf-8"), SOURCE, "exec"), names)
    main: Callable[..., Any] = names["main"]
    return main


def test_a_refused_logon_ends_the_source_and_is_not_repeated(lab: Lab) -> None:
    main = main_of_the_source()

    async def story() -> None:
        with pytest.raises(LoginRefused, match="does not let svc-dpm log on"):
            await main(asyncio.Queue(1), lab.args(password="wrong"))

    run(story)
    assert lab.site.host.troubles.operations() == []
    asked = len(lab.site.host.troubles.log)
    assert 0 < asked <= 3


def test_a_password_that_the_kdc_refuses_ends_the_source_too(lab: Lab) -> None:
    args = lab.site.options("kerberos", "http", password="wrong")

    async def story() -> None:
        async with asyncio.timeout(60):
            await Watcher(settings_of(args), asyncio.Queue(1), second=SECOND).run()

    with pytest.raises(LoginRefused, match="kinit got no ticket"):
        asyncio.run(story())
    assert lab.site.host.troubles.log == []


def test_the_source_as_a_file_hands_events_over(lab: Lab) -> None:
    lab.fills_up(FULL, "fs02.lab.test")
    main = main_of_the_source()

    async def story() -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue(1)
        task = asyncio.create_task(main(queue, lab.args(alerts="no", state="", signatures=["replica_offline"])))
        event = await Events(queue, task).take(1)
        assert kinds(event) == [("record", 87)]
        task.cancel()
        await asyncio.wait([task])

    run(story)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"intervall": 5}, "intervall"),
        ({"interval": 0}, "interval must be at least 1"),
        ({"since": "tomorrow"}, "since is no time"),
        ({"servers": ["dpm01", "DPM01"]}, "names dpm01 twice"),
        ({"servers": [7]}, "neither a host name nor a table"),
        ({"servers": [{"hostname": "dpm01", "user": "x"}]}, "servers, dpm01: .*user"),
        ({"signatures": ["replica_ofline"]}, "replica_ofline"),
        ({"feedback": True}, "feedback: this ansible-rulebook gives none"),
        ({"state": __file__}, "is no file of bookmarks"),
        ({"state": "/proc/none/state.json"}, "cannot be written"),
        ({"password": ""}, "needs password"),
    ],
)
def test_a_wrong_option_ends_the_source_with_its_name(lab: Lab, wrong: dict[str, Any], said: str) -> None:
    main = main_of_the_source()
    before = Path(__file__).read_bytes()
    with pytest.raises(ConfigurationError, match=said):
        asyncio.run(main(asyncio.Queue(1), lab.args(**wrong)))
    assert lab.site.host.troubles.log == []
    assert Path(__file__).read_bytes() == before


def test_a_server_whose_clock_stood_at_the_end_of_the_calendar_ends_no_watch(lab: Lab, tmp_path: Path) -> None:
    lab.fills_up(FULL, "fs02.lab.test")
    state = tmp_path / "state.json"
    then = {"read_to": "9926-11-28T05:00:00+00:00", "read_at": "2026-11-28T05:00:00+00:00"}
    bookmark = {**then, "handled": {}, "alerts": [], "told": {}}
    plain = {"winbackup.storage.dpm_events": 1, "servers": {"localhost": bookmark}}
    state.write_text(json.dumps(plain), encoding="utf-8")

    async def story() -> None:
        async with lab.watched(alerts=False, state=str(state)) as events:
            # All that the log holds is told; the last is what happened just now.
            while kinds(told := await events.take(1)) != [("record", 140)] or told[0]["dpm"]["more"] > 0:
                continue
            await events.no_more(lab.site, 1)

    run(story)
