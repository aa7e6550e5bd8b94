"""Commands and their parameters, and how arguments find their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .convert import convert, resolve_type
from .errors import ScriptError, fail
from .kinds import is_null, is_number
from .unknown import UnknownConstruct, Unsure
from .values import AUTOMATION, EnumType

# A name that says of itself that there is no such thing; any other may exist on a real system.
SURELY_MISSING = re.compile(r"(?i)no-?such")


@dataclass(frozen=True)
class Parameter:
    """One parameter in one parameter set; `pipeline` takes the objects of the pipeline."""

    name: str
    type: str = "Object"
    mandatory: bool = False
    position: int | None = None
    switch: bool = False
    pipeline: bool = False
    aliases: tuple[str, ...] = ()


_COMMON = (Parameter("ErrorAction", aliases=("ea",)), Parameter("WarningAction", aliases=("wa",)))
_CONFIRMATION = (Parameter("WhatIf", switch=True, aliases=("wi",)), Parameter("Confirm", switch=True, aliases=("cf",)))
_NOT_MODELLED = re.compile(r"(?i)verbose|vb|debug|db|infa|\w+variable|[ewoip]v|outbuffer|ob|informationaction")


@dataclass
class Command:
    """A cmdlet: its parameter sets by name (or one list), and what it does.

    `implementation(invocation)` returns an iterable of objects (or None); with a parameter that takes pipeline input it
    is called once for each object. `streaming` ones return a pair of functions, for each object and for the end.
    """

    name: str
    parameter_sets: Mapping[str, Iterable[Parameter]] | Iterable[Parameter]
    implementation: Callable[[Any], Any]
    supports_should_process: bool = False
    confirm_impact: str = "Medium"
    default_set: str = ""
    type_name: str = ""  # what stands behind the comma of FullyQualifiedErrorId; default: the name
    streaming: bool = False
    complete: bool = True  # False: it has more parameters than these
    cmdlet: bool = True  # False: a function of a script, which words its binding errors differently
    advanced: bool = True  # False: a function without [CmdletBinding()], which has no common parameters
    module: str = ""
    sets: dict[str, tuple[Parameter, ...]] = field(init=False)

    def __post_init__(self) -> None:
        given = self.parameter_sets
        by_name = given if isinstance(given, Mapping) else {"__AllParameterSets": given}
        self.sets = {name: tuple(parameters) for name, parameters in by_name.items()}

    def parameters(self) -> dict[str, Parameter]:
        """All parameters by name, whatever their set; the common ones too if the command has them."""
        common = _COMMON + (_CONFIRMATION if self.supports_should_process else ()) if self.advanced else ()
        every = [*(parameter for one in self.sets.values() for parameter in one), *common]
        return {parameter.name.lower(): parameter for parameter in reversed(every)}

    def find_parameter(self, name: str) -> Parameter | None:
        """The parameter that a name or an alias stands for; None if there is surely none."""
        every = self.parameters()
        names = {alias.lower(): parameter for parameter in every.values() for alias in parameter.aliases} | every
        found = names.get(name.lower())
        abbreviated = any(key.startswith(name.lower()) for key in every)
        incomplete = not self.complete and not SURELY_MISSING.search(name)
        if found is None and (abbreviated or incomplete or _NOT_MODELLED.fullmatch(name)):
            raise UnknownConstruct(f"the parameter -{name} of {self.name or 'a script block'}")
        return found

    def error(self, error_id: str, about: str, kind: str = "", category: str = "InvalidArgument") -> ScriptError:
        """An error of binding; its message is not the one of PowerShell."""
        identity = f"{error_id},{self.type_name or self.name}"
        message = Unsure(f"{self.name}: {error_id}: {about}")
        exception = f"{AUTOMATION}ParameterBinding{kind}Exception"
        return fail(identity if self.name else Unsure(identity), message, category, exception)


class CommandTable:
    """The commands of a server.

    `types` names its object types (None) and enumerations, `modules` what Import-Module may load (None: whatever a
    real system may have), and `covers` the
    patterns of names that it knows in full: such a command that is not in the table does not exist, any other may
    exist on a real system.
    """

    def __init__(
        self,
        commands: Iterable[Command] = (),
        aliases: Mapping[str, str] | None = None,
        types: Mapping[str, EnumType | None] | None = None,
        modules: Mapping[str, Callable[[], None] | None] | None = None,
        covers: Iterable[str] = (),
    ) -> None:
        self.covers = tuple(covers)
        self.commands = {command.name.lower(): command for command in commands}
        self.aliases = {alias.lower(): name.lower() for alias, name in (aliases or {}).items()}
        self.types = dict(types or {})
        self.modules: dict[str, Callable[[], None] | None] | None = None
        if modules is not None:
            self.provide(modules)

    def add(self, commands: Iterable[Command]) -> None:
        """Commands that come with a module."""
        self.commands |= {command.name.lower(): command for command in commands}

    def provide(self, modules: Mapping[str, Callable[[], None] | None]) -> None:
        """Modules that can be imported by these names or paths."""
        self.modules = (self.modules or {}) | {name.lower(): load for name, load in modules.items()}

    def find(self, name: str) -> Command | None:
        lower = name.lower()
        return self.commands.get(self.aliases.get(lower, lower))


@dataclass
class Argument:
    """One argument of a call: named, positional (no name), or a name alone (`given` is False)."""

    name: str | None
    value: Any = None
    given: bool = True
    text: str | None = None  # a number as it was written


def signature(text: str) -> tuple[Parameter, ...]:
    """Parameters in short form: `Name/Alias:Type@position`, with `!` mandatory, `<` from the pipeline, `?` a switch."""
    found = []
    for item in text.split():
        match = re.fullmatch(r"(!?)(\w+)((?:/\w+)*)(?::([\w.]+(?:\[\])?))?(?:@(\d))?(<?)(\??)", item)
        if not match:
            raise ValueError(item)
        mandatory, name, aliases, kind, position, pipeline, switch = match.groups()
        place, known = int(position) if position else None, tuple(aliases.split("/")[1:])
        found.append(Parameter(name, kind or "Object", bool(mandatory), place, bool(switch), bool(pipeline), known))
    return tuple(found)


def bind(command: Command, arguments: list[Argument], has_input: bool, types: dict[str, Any]) -> tuple[str, Any, Any]:
    """The set, the values of its parameters, those of common parameters; raises PowerShell's binding errors."""
    named: dict[str, Argument] = {}
    rest: list[Argument] = []
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        if argument.name is None:
            rest.append(argument)
            continue
        parameter = command.find_parameter(argument.name)
        if parameter is None:
            if not command.advanced:
                raise UnknownConstruct(f"the argument -{argument.name}, which goes to $args")
            raise command.error("NamedParameterNotFound", argument.name)
        if not argument.given:
            if not parameter.switch and not (pending and pending[0].name is None):
                raise command.error("MissingArgument", parameter.name)
            argument = Argument(argument.name, True) if parameter.switch else pending.pop(0)
        if parameter.name.lower() in named:
            raise command.error("ParameterAlreadyBound", parameter.name)
        named[parameter.name.lower()] = argument
    set_name, chosen = _choose_set(command, named, rest, has_input)
    values: dict[str, Any] = {}
    for parameter in command.sets[set_name]:
        if (argument := chosen.pop(parameter.name.lower(), None)) is not None:
            values[parameter.name] = convert_argument(command, parameter, argument, types)
    return set_name, values, {command.parameters()[key].name: argument.value for key, argument in chosen.items()}


def _choose_set(
    command: Command, named: dict[str, Argument], rest: list[Argument], has_input: bool
) -> tuple[str, dict[str, Argument]]:
    """The parameter set that the arguments fit, and each argument at its parameter."""
    own = {parameter.name.lower() for one in command.sets.values() for parameter in one}
    fitting: dict[str, dict[str, Argument]] = {}
    errors: dict[str, ScriptError] = {}
    for name, parameters in command.sets.items():
        if not named.keys() & own <= {parameter.name.lower() for parameter in parameters}:
            continue
        free = [p for p in parameters if p.position is not None and p.name.lower() not in named]
        free.sort(key=lambda p: p.position or 0)
        bound = named | {p.name.lower(): argument for argument, p in zip(rest, free, strict=False)}
        needed = [p.name for p in parameters if p.mandatory and not (has_input and p.pipeline)]
        missing = [name for name in needed if name.lower() not in bound]
        if len(rest) > len(free):
            if not command.complete or not command.advanced:
                raise UnknownConstruct(f"this many arguments of {command.name or 'a script block'}")
            errors[name] = command.error("PositionalParameterNotFound", "too many arguments")
        elif missing:
            errors[name] = command.error("MissingMandatoryParameter", ", ".join(missing))
        else:
            fitting[name] = bound
    if len(fitting) > 1 and command.default_set not in fitting:
        mandatory = {name: {p.name.lower() for p in command.sets[name] if p.mandatory} for name in fitting}
        fitting = {name: bound for name, bound in fitting.items() if mandatory[name] & bound.keys()}
    if command.default_set in fitting:
        return command.default_set, fitting[command.default_set]
    if len(fitting) == 1:
        return next(iter(fitting.items()))
    if errors and not fitting:
        raise errors.get(command.default_set) or next(iter(errors.values()))
    raise command.error("AmbiguousParameterSet", "these parameters fit no set, or more than one")


def convert_argument(command: Command, parameter: Parameter, argument: Argument, model_types: dict[str, Any]) -> Any:
    """An argument as the parameter's type."""
    target = "System.Boolean" if parameter.switch else resolve_type(parameter.type, model_types)
    value = argument.text if target == "System.String" and argument.text is not None else argument.value
    try:
        plain = isinstance(value, bool) or is_number(value)
        if (target == "System.Boolean" and not plain) or (target == "System.String" and isinstance(value, list)):
            raise fail("", Unsure(f"Cannot convert value to type {target}."))
        converted = convert(value, target, model_types)
    except ScriptError as error:
        about = f"{parameter.name}: {error.record.message}"
        if command.cmdlet:
            raise command.error("CannotConvertArgumentNoMessage", about) from None
        kind = "ArgumentTransformation"
        raise command.error("ParameterArgumentTransformationError", about, kind, "InvalidData") from None
    if parameter.mandatory and (is_null(converted) or converted in ("", [])):
        kind = "Null" if is_null(converted) else "EmptyArray" if converted == [] else "EmptyString"
        error_id = f"ParameterArgumentValidationError{kind}NotAllowed"
        raise command.error(error_id, parameter.name, "Validation", "InvalidData")
    return converted
