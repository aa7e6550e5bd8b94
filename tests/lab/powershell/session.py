"""A session: commands, a clock, an environment; it runs scripts and tells what came of them."""

from __future__ import annotations

import datetime
import fnmatch
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import pipeline_commands, session_commands  # noqa: F401  (they register their commands)
from .binding import PLAINLY_MISSING, Argument, CommandTable, bind
from .blocks import as_command, script_block
from .builtins import ALIASES, BUILTINS
from .errors import ErrorRecord, ScriptError
from .interpreter import NOT_MODELLED, Interpreter
from .signals import ExitSignal, LoopSignal, ReturnSignal
from .stages import FunctionStage
from .syntax import parse
from .values import STRICT, DateTime, UnknownConstruct, from_python

# The commands of PowerShell itself.
POWERSHELL = CommandTable(BUILTINS, ALIASES)


class Clock(Protocol):
    """The clock of the lab: `now` is aware of its zone, `sleep` lets time pass."""

    def now(self) -> datetime.datetime: ...

    def sleep(self, seconds: float) -> None: ...


class StandingClock:
    """A clock that moves only when a script sleeps."""

    def __init__(self, moment: datetime.datetime | None = None) -> None:
        self.moment = moment or datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)

    def now(self) -> datetime.datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += datetime.timedelta(seconds=seconds)


@dataclass
class Outcome:
    """What a script gave: `host` is what Write-Host showed, `console` what went to [Console]::Out, `error` is the
    error that ended it, `exit_code` what `exit` said (1 after such an error).
    """

    output: list[Any] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    host: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    error: ScriptError | None = None
    exit_code: int = 0


class Session:
    """One PowerShell process. `strict`: whatever differs between versions of PowerShell is an unknown construct."""

    def __init__(
        self,
        commands: CommandTable | None = None,
        clock: Clock | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        computer_name: str = "LAB",
        strict: bool = False,
    ) -> None:
        self.commands = commands or CommandTable()
        self.builtins = POWERSHELL
        self.clock = clock or StandingClock()
        self.environment = {name.upper(): value for name, value in (environment or {}).items()}
        self.computer_name = computer_name
        self.strict = strict
        self.error_stream: list[ErrorRecord] = []
        self.warnings: list[str] = []
        self.host_lines: list[str] = []
        self.console: list[str] = []
        self.exception_types: list[str] = [name for name in self.commands.types if name.endswith("Exception")]

    def now(self, kind: str) -> DateTime:
        if self.strict:
            raise UnknownConstruct("the time of day")
        return DateTime(from_python(self.clock.now()).ticks, kind)

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def may_exist(self, name: str) -> bool:
        """Whether a real system could have a command of this name that is not modelled here."""
        if any(fnmatch.fnmatch(name.lower(), pattern.lower()) for pattern in self.commands.covers):
            return False
        return not PLAINLY_MISSING.search(name)

    def may_exist_variable(self, name: str) -> bool:
        return name.lower() in NOT_MODELLED or name.lower().startswith(("ps", "is"))

    def run(
        self, script: str, parameters: Mapping[str, Any] | None = None, input_lines: Iterable[str] | None = None
    ) -> Outcome:
        """Run a script; UnknownConstruct for whatever is not certain, and never any other exception of Python."""
        self.error_stream, self.warnings, self.host_lines, self.console = [], [], [], []
        outcome = Outcome(errors=self.error_stream, warnings=self.warnings, host=self.host_lines, console=self.console)
        token = STRICT.set(self.strict)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 8000))
        try:
            self._run(script, parameters or {}, input_lines, outcome)
        except ScriptError as error:
            outcome.error = error
            outcome.exit_code = 1
        except ExitSignal as signal:
            outcome.exit_code = signal.code
        except UnknownConstruct:
            raise
        except (ReturnSignal, LoopSignal):
            raise UnknownConstruct("break, continue or return outside a loop or function") from None
        except Exception as problem:
            raise UnknownConstruct(
                f"something the evaluator trips over: {type(problem).__name__}: {problem}"
            ) from problem
        finally:
            sys.setrecursionlimit(limit)
            STRICT.reset(token)
        return outcome

    def _run(
        self, script: str, parameters: Mapping[str, Any], input_lines: Iterable[str] | None, outcome: Outcome
    ) -> None:
        run = Interpreter(self)
        block = script_block(parse(script))
        arguments = [Argument(name, from_python(value), attached=True) for name, value in parameters.items()]
        bound = bind(as_command(block), arguments, input_lines is not None, self.commands.types)
        stage = FunctionStage(run, block, bound, input_lines is not None, new_scope=False)
        run.drive([stage], list(input_lines) if input_lines is not None else None, outcome.output.append)
