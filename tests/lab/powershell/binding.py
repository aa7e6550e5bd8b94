"""Commands and their parameters, and how arguments find their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .convert import convert, to_text
from .errors import AUTOMATION, ScriptError, fail
from .typenames import SWITCH, resolve_type
from .values import EnumType, PsType, UnknownConstruct, Unsure, is_null, is_number

# Names that people choose for what is not there; others may exist on a real system.
PLAINLY_MISSING = re.compile(r"(?i)no-?such|zzz|not-?exist|bogus|undefined")
BINDING = AUTOMATION + "ParameterBindingException"


@dataclass(frozen=True)
class Parameter:
    """One parameter in one parameter set; `pipeline` takes input by value, `by_property` by a property's name."""

    name: str
    type: str = "Object"
    mandatory: bool = False
    position: int | None = None
    switch: bool = False
    pipeline: bool = False
    by_property: bool = False
    aliases: tuple[str, ...] = ()
    validation: tuple[tuple[str, tuple[Any, ...]], ...] = ()


_COMMON_NAMES = """Verbose/vb Debug/db ErrorAction/ea WarningAction/wa InformationAction/infa ErrorVariable/ev
WarningVariable/wv InformationVariable/iv OutVariable/ov OutBuffer/ob PipelineVariable/pv"""
COMMON = tuple(
    Parameter(name, aliases=(alias,), switch=name in ("Verbose", "Debug"))
    for name, alias in (pair.split("/") for pair in _COMMON_NAMES.split())
)
CONFIRMATION = (Parameter("WhatIf", switch=True, aliases=("wi",)), Parameter("Confirm", switch=True, aliases=("cf",)))


@dataclass
class Command:
    """A cmdlet: its parameter sets by name (or one list), and what it does.

    `implementation(invocation)` returns an iterable of objects (or None); with a parameter that takes pipeline input
    it is called once for
    each object. `streaming` ones return a pair of functions instead, for each object and for the end.
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
    cmdlet: bool = True  # False: a script function, which words its binding errors differently
    advanced: bool = True
    module: str = ""
    sets: dict[str, tuple[Parameter, ...]] = field(init=False)

    def __post_init__(self) -> None:
        given = (
            self.parameter_sets
            if isinstance(self.parameter_sets, Mapping)
            else {"__AllParameterSets": self.parameter_sets}
        )
        self.sets = {name: tuple(parameters) for name, parameters in given.items()}
        if self.parameter_sets and not isinstance(self.parameter_sets, Mapping):
            first = next(iter(self.sets["__AllParameterSets"]), None)
            if first is not None and not isinstance(first, Parameter):
                self.sets = {f"Set{number}": tuple(one) for number, one in enumerate(self.parameter_sets)}  # type: ignore[arg-type]

    def parameters(self) -> dict[str, Parameter]:
        """All parameters by name, whatever their set; the common ones too if the command has them."""
        found: dict[str, Parameter] = {}
        common = COMMON + (CONFIRMATION if self.supports_should_process else ()) if self.advanced else ()
        for parameter in (*(item for one in self.sets.values() for item in one), *common):
            found.setdefault(parameter.name.lower(), parameter)
        return found

    def takes_input(self) -> bool:
        return any(parameter.pipeline or parameter.by_property for parameter in self.parameters().values())


class CommandTable:
    """The commands of a server.

    `types` names its object types (None) and enumerations, `modules` what Import-Module may load, and `covers` the
    patterns of names
    that the table knows in full: such a command that is not in the table does not exist, any other may exist on a
    real system.
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
    text: str | None = None  # as it was written, for a literal
    attached: bool = False  # -Name:value


@dataclass
class Bound:
    set_name: str
    values: dict[str, Any]
    common: dict[str, Any]
    rest: list[Any]


def signature(text: str) -> tuple[Parameter, ...]:
    """Parameters in short form: `Name:Type@position`, with `!` mandatory, `<` from the pipeline, `?` a switch."""
    found = []
    for item in text.split():
        match = re.fullmatch(r"(!?)(\w+)((?:/\w+)*)(?::([\w.]+(?:\[\])?))?(?:@(\d))?(<?)(\??)", item)
        if not match:
            raise ValueError(item)
        position = int(match[5]) if match[5] else None
        aliases = tuple(match[3].split("/")[1:])
        found.append(
            Parameter(
                match[2], match[4] or "Object", bool(match[1]), position, bool(match[7]), bool(match[6]), False, aliases
            )
        )
    return tuple(found)


def binding_error(
    command: Command, error_id: str, message: str, category: str = "InvalidArgument", kind: str = BINDING
) -> ScriptError:
    identity = f"{error_id},{command.type_name or command.name}"
    return fail(identity if command.name else Unsure(identity), Unsure(message), category, kind)


def find_parameter(command: Command, name: str) -> Parameter | None:
    """The parameter that a name, an alias, or an unambiguous beginning of one stands for."""
    every, lower = command.parameters(), name.lower()
    for parameter in every.values():
        if lower == parameter.name.lower() or lower in (alias.lower() for alias in parameter.aliases):
            return parameter
    if not command.complete and not PLAINLY_MISSING.search(name):
        raise UnknownConstruct(f"the parameter -{name} of {command.name}")
    matches = [parameter for parameter in every.values()
               if any(known.lower().startswith(lower) for known in (parameter.name, *parameter.aliases))]  # fmt: skip
    own = {parameter.name.lower() for one in command.sets.values() for parameter in one}
    if len(matches) > 1:
        matches = [parameter for parameter in matches if parameter.name.lower() in own] or matches
    if len(matches) > 1:
        raise binding_error(command, "AmbiguousParameter", f"Parameter name '{name}' is ambiguous.")
    return matches[0] if matches else None


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
        parameter = find_parameter(command, argument.name)
        if parameter is None:
            if command.advanced:
                message = f"A parameter cannot be found that matches parameter name '{argument.name}'."
                raise binding_error(command, "NamedParameterNotFound", message)
            rest.append(Argument(None, "-" + argument.name))
            rest += [Argument(None, argument.value)] if argument.attached else []
            continue
        if not argument.given:
            if parameter.switch:
                argument = Argument(argument.name, True)
            elif pending and pending[0].name is None:
                argument = pending.pop(0)
            else:
                raise binding_error(
                    command, "MissingArgument", f"Missing an argument for parameter '{parameter.name}'."
                )
        if parameter.name.lower() in named:
            raise binding_error(
                command, "ParameterAlreadyBound", f"Parameter '{parameter.name}' is specified more than once."
            )
        named[parameter.name.lower()] = argument
    set_name, chosen = _choose_set(command, named, rest, has_input)
    parameters = {parameter.name.lower(): parameter for parameter in command.sets[set_name]}
    values, common = {}, {}
    for key, argument in chosen.items():
        parameter = parameters.get(key)
        if parameter is None:
            common[command.parameters()[key].name] = argument.value
        else:
            values[parameter.name] = convert_argument(command, parameter, argument, model_types)
    return Bound(
        set_name,
        values,
        common,
        [argument.value for argument in rest if all(argument is not one for one in chosen.values())],
    )


def _choose_set(
    command: Command, named: dict[str, Argument], rest: list[Argument], has_input: bool
) -> tuple[str, dict[str, Argument]]:
    """The parameter set that the arguments fit, and each argument at its parameter."""
    common = command.parameters().keys() - {
        parameter.name.lower() for one in command.sets.values() for parameter in one
    }
    fitting: dict[str, dict[str, Argument]] = {}
    errors: dict[str, ScriptError] = {}
    possible = {
        name: one for name, one in command.sets.items() if named.keys() - common <= {p.name.lower() for p in one}
    }
    if not possible:
        raise binding_error(
            command, "AmbiguousParameterSet", "Parameter set cannot be resolved using the specified named parameters."
        )
    for name, parameters in possible.items():
        bound = dict(named)
        free = sorted(
            (p for p in parameters if p.position is not None and p.name.lower() not in bound),
            key=lambda p: p.position or 0,
        )
        for argument, parameter in zip(rest, free, strict=False):
            bound[parameter.name.lower()] = argument
        missing = [
            p.name
            for p in parameters
            if p.mandatory and p.name.lower() not in bound and not (has_input and (p.pipeline or p.by_property))
        ]
        if len(rest) > len(free) and not command.complete:
            raise UnknownConstruct(f"this many arguments of {command.name}")
        if len(rest) > len(free) and command.advanced:
            message = f"A positional parameter cannot be found that accepts argument '{_shown(rest[len(free)].value)}'."
            errors[name] = binding_error(command, "PositionalParameterNotFound", message)
        elif missing:
            message = (
                f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}."
            )
            errors[name] = binding_error(command, "MissingMandatoryParameter", message)
        else:
            fitting[name] = bound
    if not fitting:
        raise errors.get(command.default_set) or next(iter(errors.values()))
    if command.default_set in fitting:
        return command.default_set, fitting[command.default_set]
    if len(fitting) > 1:
        narrowed = {
            name: one
            for name, one in fitting.items()
            if any(p.mandatory and p.name.lower() in one for p in command.sets[name])
        }
        if len(narrowed) != 1:
            raise binding_error(
                command,
                "AmbiguousParameterSet",
                "Parameter set cannot be resolved using the specified named parameters.",
            )
        fitting = narrowed
    return next(iter(fitting.items()))


def _shown(value: Any) -> str:
    return to_text(value) if isinstance(value, str) or is_number(value) else "..."


def convert_argument(command: Command, parameter: Parameter, argument: Argument, model_types: dict[str, Any]) -> Any:
    """An argument as the parameter's type, validated."""
    value = argument.value
    target = SWITCH if parameter.switch else resolve_type(parameter.type, model_types)
    if target == "System.String" and argument.text is not None:
        value = argument.text
    try:
        if target == "System.Boolean" and not isinstance(value, bool) and not is_number(value):
            raise fail("", "Cannot convert value to type System.Boolean.")
        if target == "System.String" and isinstance(value, list):
            raise fail("", "Cannot convert value to type System.String.")
        converted = convert(value, target, model_types=model_types)
    except ScriptError as error:
        if command.cmdlet:
            message = f"Cannot bind parameter '{parameter.name}'. {error.record.message}"
            raise binding_error(command, "CannotConvertArgumentNoMessage", message) from None
        message = f"Cannot process argument transformation on parameter '{parameter.name}'. {error.record.message}"
        kind = AUTOMATION + "ParameterBindingArgumentTransformationException"
        raise binding_error(command, "ParameterArgumentTransformationError", message, "InvalidData", kind) from None
    problem = _invalid(parameter, converted)
    if problem is not None:
        error_id = "ParameterArgumentValidationError" + problem
        message = f"Cannot validate argument on parameter '{parameter.name}'."
        raise binding_error(
            command, error_id, message, "InvalidData", AUTOMATION + "ParameterBindingValidationException"
        )
    return converted


def _invalid(parameter: Parameter, value: Any) -> str | None:
    """None when the value is valid, else what stands behind the name of the error."""
    if parameter.mandatory and not parameter.switch:
        if is_null(value):
            return "NullNotAllowed"
        if isinstance(value, str) and not value:
            return "EmptyStringNotAllowed"
        if isinstance(value, list) and not value:
            return "EmptyArrayNotAllowed"
    for kind, limits in parameter.validation:
        items = value if isinstance(value, list) else [value]
        if kind == "ValidateSet":
            valid = all(to_text(item).lower() in (to_text(limit).lower() for limit in limits) for item in items)
        elif kind == "ValidateRange" and len(limits) == 2 and all(is_number(item) for item in (*items, *limits)):
            valid = all(limits[0] <= item <= limits[1] for item in items)
        elif kind == "ValidateNotNullOrEmpty":
            valid = (
                not is_null(value)
                and value != ""
                and all(not is_null(item) and item != "" for item in items)
                and bool(items)
            )
        elif kind == "ValidateNotNull":
            valid = all(not is_null(item) for item in [value, *items])
        else:
            raise UnknownConstruct(f"the attribute [{kind}] of a parameter")
        if not valid:
            return ""
    return None


def type_of(parameter: Parameter) -> PsType:
    return PsType(SWITCH if parameter.switch else resolve_type(parameter.type, {parameter.type: None}))
