"""A session: commands, a clock, an environment; it runs scripts and tells what came of them."""

from __future__ import annotations

import datetime
import fnmatch
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .binding import SURELY_MISSING, Argument, CommandTable
from .blocks import script_block
from .builtins import POWERSHELL
from .calls import ExitSignal, function_stage
from .errors import ErrorRecord, ScriptError
from .interpreter import Interpreter
from .syntax import parse
from .unknown import STRICT, UnknownConstruct, differs
from .values import DateTime


@dataclass
class StandingClock:
    """A clock that moves only when a script sleeps."""

    moment: datetime.datetime = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)

    def now(self) -> datetime.datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += datetime.timedelta(seconds=seconds)


@dataclass
class Outcome:
    """What a script gave; `error` is the error that ended it (`exit_code` is 1 then, else what `exit` said)."""

    output: list[Any] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: ScriptError | None = None
    exit_code: int = 0


class Session:
    """One PowerShell process. `strict`: whatever differs between versions of PowerShell is an unknown construct.

    `version`: 4.0 knows no `::new()`. `language_mode`: ConstrainedLanguage allows methods of core types only.
    """

    def __init__(
        self,
        commands: CommandTable | None = None,
        clock: Any = None,  # with `now()`, aware of its zone, and `sleep(seconds)`
        *,
        environment: Mapping[str, str] | None = None,
        computer_name: str = "LAB",
        strict: bool = False,
        version: str = "5.1",
        language_mode: str = "FullLanguage",
        longest_run: int = 3_000_000,  # statements
    ) -> None:
        self.commands = commands or CommandTable()
        self.builtins = POWERSHELL
        self.clock = clock or StandingClock()
        self.environment = {"COMPUTERNAME": computer_name}
        self.environment |= {name.upper(): value for name, value in (environment or {}).items()}
        self.strict = strict
        self.version = version
        self.language_mode = language_mode
        self.longest_run = longest_run
        self.error_stream: list[ErrorRecord] = []
        self.warnings: list[str] = []

    def now(self, kind: str) -> DateTime:
        differs("the time of day")
        return DateTime.of(self.clock.now().astimezone(datetime.UTC), kind)

    def may_exist(self, name: str) -> bool:
        """Whether a real system could have a command of this name that is not modelled here."""
        covered = any(fnmatch.fnmatch(name.lower(), pattern.lower()) for pattern in self.commands.covers)
        return not covered and not SURELY_MISSING.search(name)

    def run(
        self, script: str, parameters: Mapping[str, Any] | None = None, input_lines: Iterable[str] | None = None
    ) -> Outcome:
        """Run a script; UnknownConstruct for whatever is not certain, and never any other exception of Python."""
        outcome = Outcome()
        self.error_stream, self.warnings = outcome.errors, outcome.warnings
        token, limit = STRICT.set(self.strict), sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, 8000))
        try:
            run = Interpreter(self)
            if input_lines is not None:
                run.scope.variables["input"] = list(input_lines)
            block = script_block(parse(script))
            arguments = [Argument(name, value) for name, value in (parameters or {}).items()]
            run.drive([function_stage(run, block, arguments, run.scope)], (), outcome.output.append)
        except ScriptError as error:
            outcome.error, outcome.exit_code = error, 1
        except ExitSignal as left:
            outcome.exit_code = left.args[0]
        except UnknownConstruct:
            raise
        except RecursionError:
            raise UnknownConstruct("calls this deep") from None
        except Exception as problem:
            raise UnknownConstruct(f"something that the evaluator trips over: {problem!r}") from problem
        finally:
            sys.setrecursionlimit(limit)
            STRICT.reset(token)
        return outcome
