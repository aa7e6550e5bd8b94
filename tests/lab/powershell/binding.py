"""Commands and their parameters, and how arguments find their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .convert import convert, resolve_type, to_text
from .errors import ScriptError, fail
from .values import AUTOMATION, EnumType, UnknownConstruct, Unsure, is_null, is_number

# A name that says of itself that there is no such thing; any other may exist on a real system.
SURELY_MISSING = re.compile(r"(?i)no-?such")
BINDING = AUTOMATION + "ParameterBindingException"
_ONE_SET = "__AllParameterSets"


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
    validation: tuple[tuple[str, tuple[Any, ...]], ...] = ()


COMMON = (Parameter("ErrorAction", aliases=("ea",)), Parameter("WarningAction", aliases=("wa",)))
_CONFIRMATION = (Parameter("WhatIf", switch=True, aliases=("wi",)), Parameter("Confirm", switch=True, aliases=("cf",)))
_REFUSED = re.compile(
    r"(?i)verbose|vb|debug|db|information(action|variable)|infa|iv|(error|warning|out|pipeline)variable|[ewop]v"
    r"|outbuffer|ob"
)


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
    module: str = ""
    advanced: bool = True  # False: a function without [CmdletBinding()], which has no common parameters
    sets: dict[str, tuple[Parameter, ...]] = field(init=False)

    def __post_init__(self) -> None:
        given = self.parameter_sets
        by_name = given if isinstance(given, Mapping) else {_ONE_SET: given}
        self.sets = {name: tuple(parameters) for name, parameters in by_name.items()}

    def parameters(self) -> dict[str, Parameter]:
        """All parameters by name, whatever their set; the common ones too if the command has them."""
        common = COMMON + (_CONFIRMATION if self.supports_should_process else ()) if self.advanced else ()
        found: dict[str, Parameter] = {}
        for parameter in (*(item for one in self.sets.values() for item in one), *common):
            found.setdefault(parameter.name.lower(), parameter)
        return found


class CommandTable:
    """The commands of a server.

    `types` names its object types (None) and enumerations, `modules` what Import-Module may load, and `covers` the
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
        self.modules = {name.lower(): load for name, load in (modules or {}).items()}

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


@dataclass
class Bound:
    set_name: str
    values: dict[str, Any]
    common: dict[str, Any]


def signature(text: str) -> tuple[Parameter, ...]:
    """Parameters in short form: `Name/Alias:Type@position`, with `!` mandatory, `<` from the pipeline, `?` a switch."""
    found = []
    for item in text.split():
        match = re.fullmatch(r"(!?)(\w+)((?:/\w+)*)(?::([\w.]+(?:\[\])?))?(?:@(\d))?(<?)(\??)", item)
        if not match:
            raise ValueError(item)
        mandatory, name, aliases, kind, position, pipeline, switch = match.groups()
        place = int(position) if position else None
        known = tuple(aliases.split("/")[1:])
        found.append(Parameter(name, kind or "Object", bool(mandatory), place, bool(switch), bool(pipeline), known))
    return tuple(found)


def binding_error(
    command: Command, error_id: str, message: str, category: str = "InvalidArgument", kind: str = BINDING
) -> ScriptError:
    identity = f"{error_id},{command.type_name or command.name}"
    return fail(identity if command.name else Unsure(identity), Unsure(message), category, kind)


def _find_parameter(command: Command, name: str) -> Parameter | None:
    """The parameter that a name or an alias stands for; None if there is surely none."""
    every, lower = command.parameters(), name.lower()
    for parameter in every.values():
        if lower in (parameter.name.lower(), *(alias.lower() for alias in parameter.aliases)):
            return parameter
    shortened = any(known.startswith(lower) for known in every)
    if shortened or _REFUSED.fullmatch(name) or not (command.complete or SURELY_MISSING.search(name)):
        raise UnknownConstruct(f"the parameter -{name} of {command.name or 'a script block'}")
    return None


def bind(command: Command, arguments: list[Argument], has_input: bool, model_types: dict[str, Any]) -> Bound:
    """The values of the parameters; raises PowerShell's binding errors."""
    named: dict[str, Argument] = {}
    rest: list[Argument] = []
    pending = list(arguments)
    while pending:
        argument = pending.pop(0)
        if argument.name is None:
            rest.append(argument)
            continue
        parameter = _find_parameter(command, argument.name)
        if parameter is None and not command.advanced:
            raise UnknownConstruct(f"the argument -{argument.name}, which goes to $args")
        if parameter is None:
            message = f"A parameter cannot be found that matches parameter name '{argument.name}'."
            raise binding_error(command, "NamedParameterNotFound", message)
        if not argument.given:
            if parameter.switch:
                argument = Argument(argument.name, True)
            elif pending and pending[0].name is None:
                argument = pending.pop(0)
            else:
                message = f"Missing an argument for parameter '{parameter.name}'."
                raise binding_error(command, "MissingArgument", message)
        if parameter.name.lower() in named:
            message = f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once."
            raise binding_error(command, "ParameterAlreadyBound", message)
        named[parameter.name.lower()] = argument
    set_name, chosen = _choose_set(command, named, rest, has_input)
    bound = Bound(set_name, {}, {})
    for parameter in command.sets[set_name]:
        if (argument := chosen.pop(parameter.name.lower(), None)) is not None:
            bound.values[parameter.name] = convert_argument(command, parameter, argument, model_types)
    bound.common = {command.parameters()[key].name: argument.value for key, argument in chosen.items()}
    return bound


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
        bound = dict(named)
        free = [p for p in parameters if p.position is not None and p.name.lower() not in bound]
        free.sort(key=lambda p: p.position or 0)
        bound |= {parameter.name.lower(): argument for argument, parameter in zip(rest, free, strict=False)}
        missing = [
            p.name for p in parameters if p.mandatory and p.name.lower() not in bound and not (has_input and p.pipeline)
        ]
        if len(rest) > len(free):
            if not command.complete or not command.advanced:
                raise UnknownConstruct(f"this many arguments of {command.name or 'a script block'}")
            value = rest[len(free)].value
            shown = to_text(value) if isinstance(value, str) or is_number(value) else "..."
            message = f"A positional parameter cannot be found that accepts argument '{shown}'."
            errors[name] = binding_error(command, "PositionalParameterNotFound", message)
        elif missing:
            message = (
                f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}."
            )
            errors[name] = binding_error(command, "MissingMandatoryParameter", message)
        else:
            fitting[name] = bound
    if len(fitting) > 1 and command.default_set not in fitting:
        fitting = {
            name: one
            for name, one in fitting.items()
            if any(p.mandatory and p.name.lower() in one for p in command.sets[name])
        }
    if len(fitting) == 1 or command.default_set in fitting:
        name = command.default_set if command.default_set in fitting else next(iter(fitting))
        return name, fitting[name]
    message = "Parameter set cannot be resolved using the specified named parameters."
    ambiguous = binding_error(command, "AmbiguousParameterSet", message)
    raise (errors.get(command.default_set) or next(iter(errors.values()), ambiguous)) if not fitting else ambiguous


def convert_argument(command: Command, parameter: Parameter, argument: Argument, model_types: dict[str, Any]) -> Any:
    """An argument as the parameter's type, validated."""
    value = argument.value
    target = "System.Boolean" if parameter.switch else resolve_type(parameter.type, model_types)
    if target == "System.String" and argument.text is not None:
        value = argument.text
    try:
        if (target == "System.Boolean" and not isinstance(value, bool) and not is_number(value)) or (
            target == "System.String" and isinstance(value, list)
        ):
            raise fail("", Unsure(f"Cannot convert value to type {target}."))
        converted = convert(value, target, model_types)
    except ScriptError as error:
        if command.cmdlet:
            message = f"Cannot bind parameter '{parameter.name}'. {error.record.message}"
            raise binding_error(command, "CannotConvertArgumentNoMessage", message) from None
        message = f"Cannot process argument transformation on parameter '{parameter.name}'. {error.record.message}"
        kind = AUTOMATION + "ParameterBindingArgumentTransformationException"
        raise binding_error(command, "ParameterArgumentTransformationError", message, "InvalidData", kind) from None
    problem = _invalid(parameter, converted)
    if problem is not None:
        message = f"Cannot validate argument on parameter '{parameter.name}'."
        kind = AUTOMATION + "ParameterBindingValidationException"
        raise binding_error(command, "ParameterArgumentValidationError" + problem, message, "InvalidData", kind)
    return converted


def _invalid(parameter: Parameter, value: Any) -> str | None:
    """None when the value is valid, else what stands behind the name of the error."""
    if parameter.mandatory and not parameter.switch:
        if is_null(value):
            return "NullNotAllowed"
        if value in ("", []):
            return "EmptyStringNotAllowed" if value == "" else "EmptyArrayNotAllowed"
    items = value if isinstance(value, list) else [value]
    for kind, limits in parameter.validation:
        if kind == "validateset":
            allowed = [to_text(limit).lower() for limit in limits]
            valid = all(to_text(item).lower() in allowed for item in items)
        elif kind == "validatenotnullorempty":
            valid = bool(items) and not any(is_null(item) or item == "" for item in items)
        else:
            raise UnknownConstruct(f"the attribute [{kind}] of a parameter")
        if not valid:
            return ""
    return None
