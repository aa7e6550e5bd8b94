# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens between the cmdlets of a script: calls are logged, held, refused, or something comes before them."""

from __future__ import annotations

import fnmatch
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .faces import Face
from .records import DataSource
from .texts import FOREIGN_ERRORS


class Refused(Exception):
    """A cmdlet is to fail with DPM's number, or with the foreign error (texts.FOREIGN_ERRORS) of this name."""

    def __init__(self, code: int | None, foreign: str | None) -> None:
        super().__init__(f"{code}: {foreign}")
        self.code = code
        self.foreign = foreign


@dataclass(eq=False)
class Hook:
    """Something that happens before the `nth` call (from now, 1 is the next) of a cmdlet that matches, and before the
    calls after it, `times` in all (0: all of them). `cmdlet` is a name or a pattern (`*-DPM*`).

    `hold`: the call waits until `release`. `actions` are methods of the control by name, with their arguments;
    `action` is code of a test of the same process. `code` or `foreign` lets the call fail.
    """

    number: int
    cmdlet: str
    nth: int
    datasource: str | None = None
    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    action: Callable[[], None] | None = None
    code: int | None = None
    foreign: str | None = None
    holds: bool = False
    times: int = 1
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Lets the call go on."""
        self.go_on.set()


class Hooks:
    """The log of the calls and what is planned for them. `do` carries out an action of a hook by its name."""

    def __init__(self, do: Callable[..., Any]) -> None:
        self._do = do
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._calls: list[dict[str, Any]] = []
        self._waiting: list[Hook] = []
        self._all: dict[int, Hook] = {}

    def before(
        self,
        cmdlet: str,
        nth: int = 1,
        action: Callable[[], None] | None = None,
        *,
        datasource: str | None = None,
        actions: list[list[Any]] | None = None,
        code: int | None = None,
        foreign: str | None = None,
        hold: bool = False,
        times: int = 1,
    ) -> Hook:
        """Something before the nth call, from now, of a cmdlet (of any data source or of one)."""
        if foreign is not None and foreign not in FOREIGN_ERRORS:
            raise ValueError(f"foreign is one of {', '.join(FOREIGN_ERRORS)}")
        steps = [(str(name), dict(arguments)) for name, arguments in actions or []]
        with self._lock:
            number = next(self._numbers)
            hook = Hook(number, cmdlet.lower(), int(nth), datasource, steps, action, code, foreign, hold, int(times))
            self._waiting.append(hook)
            self._all[hook.number] = hook
        return hook

    def refuse(
        self,
        cmdlet: str,
        code: int | None = None,
        times: int = 1,
        datasource: str | None = None,
        foreign: str | None = None,
    ) -> None:
        """The next calls of a cmdlet (0 times: all) fail with a number of DPM's, or with a foreign error."""
        if (code is None) == (foreign is None):
            raise ValueError("either a code or a foreign error")
        self.before(cmdlet, code=code, foreign=foreign, times=times, datasource=datasource)

    def hold(self, cmdlet: str, nth: int = 1, datasource: str | None = None) -> Hook:
        """The nth call, from now, waits until it is released."""
        return self.before(cmdlet, nth, hold=True, datasource=datasource)

    def wait(self, number: int, seconds: float = 10) -> bool:
        """Waits until what a hook is for has come; whether it has. LookupError for a hook that does not exist."""
        return self._all[int(number)].reached.wait(float(seconds))

    def release(self, number: int) -> None:
        """Lets a call that is held go on; LookupError for a hook that does not exist."""
        self._all[int(number)].release()

    def clear(self) -> None:
        """Forgets all hooks; calls that are held go on."""
        with self._lock:
            self._waiting = []
            hooks, self._all = list(self._all.values()), {}
        for hook in hooks:
            hook.release()

    def called(self, cmdlet: str, parameters: Mapping[str, Any]) -> None:
        """For the cmdlets: writes the log and does what is planned; raises Refused."""
        shown = {name: _shown(value) for name, value in parameters.items()}
        with self._lock:
            self._calls.append({"cmdlet": cmdlet, "parameters": shown})
            here = []
            for hook in list(self._waiting):
                if fnmatch.fnmatchcase(cmdlet.lower(), hook.cmdlet) and _concerns(hook.datasource, shown):
                    hook.nth -= 1
                    if hook.nth <= 0:
                        here.append(hook)
                        hook.times -= 1
                        if hook.times == 0:
                            self._waiting.remove(hook)
        for hook in here:
            hook.reached.set()
            if hook.holds:
                hook.go_on.wait(60)
            if hook.action is not None:
                hook.action()
            for name, arguments in hook.actions:
                self._do(name, **arguments)
        for hook in here:
            if hook.code is not None or hook.foreign is not None:
                raise Refused(hook.code, hook.foreign)

    def calls(self) -> list[dict[str, Any]]:
        """The calls of cmdlets, in order, each with its parameters as text."""
        with self._lock:
            return list(self._calls)

    def clear_calls(self) -> None:
        """Empties the log of calls."""
        with self._lock:
            self._calls = []


def _concerns(datasource: str | None, shown: Mapping[str, str]) -> bool:
    names = shown.get("Datasource", "").split("\0")
    return datasource is None or any(name == datasource or name.endswith(f": {datasource}") for name in names)


def _shown(value: Any) -> str:
    """A parameter of a call as text: a data source by its computer and name, several with NUL between them."""
    if isinstance(value, list):
        return "\0".join(_shown(one) for one in value)
    source = getattr(value, "source", None)
    if isinstance(source, DataSource):
        return source.full_name
    if isinstance(value, Face):
        return value.kind
    name = getattr(value, "name", None)
    return str(getattr(value, "present", value) if name is None else name)
