"""Commands that work on what comes down a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import AUTOMATION
from .values import ArrayList, Hashtable

if TYPE_CHECKING:
    from .interpreter import Interpreter
import functools
import itertools

from .blocks import ScriptBlock
from .builtins import Streams, builtin, collecting, nothing
from .convert import to_text, truth
from .errors import TerminatingError
from .members import get_member
from .operators import compare, equal, order
from .properties import has_member, own_property
from .signals import StopUpstream
from .stages import Stage
from .values import STRICT, PsObject, UnknownConstruct, Unsure, enumerate_value, is_null, is_number


def _property(run: Interpreter, item: Any, selector: Any) -> Any:
    """A property by name, or what a script block computes."""
    if isinstance(selector, ScriptBlock):
        found = run.invoke_value(selector, item)
        return found[0] if len(found) == 1 else (found or None)
    if not isinstance(selector, str) or "*" in selector or isinstance(item, Hashtable):
        raise UnknownConstruct("this selection of a property")
    return get_member(run, item, selector) if not is_null(item) and has_member(item, selector) else None


_OPERATORS = [
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "like",
    "notlike",
    "match",
    "notmatch",
    "contains",
    "notcontains",
    "in",
    "notin",
    "ceq",
    "cne",
]


@builtin(
    "Where-Object",
    "Property/FilterScript@0 Value@1 InputObject< " + " ".join(name.upper() + "?" for name in _OPERATORS),
    streaming=True,
)
def where_object(stage: Stage) -> Streams:
    test = stage.get("Property")
    chosen = [name for name in _OPERATORS if name.upper() in stage.parameters]

    def process(item: Any) -> None:
        if isinstance(test, ScriptBlock):
            found = stage.run.invoke_value(test, item)
            keep = truth(found[0] if len(found) == 1 else found)
        elif isinstance(test, str) and len(chosen) <= 1:
            if chosen and chosen[0].endswith("match"):
                raise UnknownConstruct("Where-Object -Match")
            value = _property(stage.run, item, test)
            keep = truth(compare("-" + chosen[0], value, stage.get("Value"))) if chosen else truth(value)
        else:
            raise UnknownConstruct("Where-Object with these arguments")
        if keep:
            stage.out(item)

    if not isinstance(test, (ScriptBlock, str)):
        raise TerminatingError(
            Unsure("Cannot bind parameter 'FilterScript'."), "CannotConvertArgumentNoMessage", "InvalidArgument"
        )
    return process, nothing


@builtin(
    "ForEach-Object",
    "Process/MemberName@0 Second@1 Third@2 Begin:ScriptBlock End:ScriptBlock InputObject<",
    streaming=True,
)
def foreach_object(stage: Stage) -> Streams:
    blocks = [block for name in ("Process", "Second", "Third") if (block := stage.get(name)) is not None]
    begin, end = stage.get("Begin"), stage.get("End")
    if len(blocks) > 1 and isinstance(blocks[0], ScriptBlock) and begin is None:
        begin = blocks.pop(0)
        end = blocks.pop() if len(blocks) > 1 and end is None else end
    if len(blocks) != 1 or not isinstance(blocks[0], (ScriptBlock, str)):
        raise UnknownConstruct("ForEach-Object with these arguments")
    block = blocks[0]

    def process(item: Any) -> None:
        if isinstance(block, str):
            if not has_member(item, block):
                raise UnknownConstruct("ForEach-Object with the name of a method")
            for value in enumerate_value(get_member(stage.run, item, block)):
                stage.out(value)
        else:
            stage.run.invoke(block, stage.out, item=item)

    if begin:
        stage.run.invoke(begin, stage.out)
    return process, (lambda: stage.run.invoke(end, stage.out)) if end else nothing


@builtin(
    "Select-Object",
    "Property:Object[]@0 ExpandProperty:String First:Int32 Last:Int32 Skip:Int32 Index:Int32[] Unique? InputObject<",
    streaming=True,
)
def select_object(stage: Stage) -> Streams:

    get, run = stage.get, stage.run
    known = stage.parameters.keys() - {"Property", "ExpandProperty", "First", "Skip", "InputObject"}
    first, skip, seen = get("First"), get("Skip", 0), [0]
    if known:
        if len(stage.parameters.keys() - {"Property", "ExpandProperty"}) > 1:
            raise UnknownConstruct("Select-Object with these parameters together")
        return collecting(stage, lambda items: _select_some(stage, items))

    def process(item: Any) -> None:
        seen[0] += 1
        if seen[0] > skip and (first is None or seen[0] <= skip + first):
            for value in _selected(run, stage, item):
                stage.out(value)
        if first is not None and seen[0] >= skip + first:
            raise StopUpstream(stage)

    if first == 0:
        raise UnknownConstruct("Select-Object -First 0")
    return process, nothing


def _select_some(stage: Stage, items: list[Any]) -> None:
    if "Index" in stage.parameters:
        items = [items[place] for place in sorted(stage.parameters["Index"]) if 0 <= place < len(items)]
    elif "Last" in stage.parameters:
        items = items[-stage.parameters["Last"] :] if stage.parameters["Last"] else []
    values = [value for item in items for value in _selected(stage.run, stage, item)]
    if "Unique" in stage.parameters:
        if not all(isinstance(value, str) or is_number(value) for value in values):
            raise UnknownConstruct("Select-Object -Unique of objects")
        values = [
            value for number, value in enumerate(values) if not any(equal(old, value, True) for old in values[:number])
        ]
    for value in values:
        stage.out(value)


def _selected(run: Interpreter, stage: Stage, item: Any) -> list[Any]:
    expand, names = stage.get("ExpandProperty"), stage.get("Property")
    if expand is not None:
        if names:
            raise UnknownConstruct("Select-Object -Property with -ExpandProperty")
        if is_null(item) or not has_member(item, expand):
            error = TerminatingError(
                f'Property "{expand}" cannot be found.',
                "ExpandPropertyNotFound",
                "InvalidArgument",
                AUTOMATION + "PSArgumentException",
            )
            stage.write_error(error)
            return []
        return list(enumerate_value(own_property(item, expand)))
    if not names:
        return [item]
    selected = []
    for name in names:
        if isinstance(name, Hashtable):
            keys = {to_text(key).lower(): value for key, value in name.pairs()}
            title = next((keys[key] for key in ("n", "name", "l", "label") if key in keys), None)
            selector = next((keys[key] for key in ("e", "expression") if key in keys), None)
            if title is None or len(keys) != 2:
                raise UnknownConstruct("this calculated property")
            selected.append((to_text(title), _property(run, item, selector)))
        else:
            if isinstance(item, Hashtable) or isinstance(name, ScriptBlock):
                raise UnknownConstruct("Select-Object of this property")
            shown = (
                item.properties[name.lower()][0]
                if isinstance(item, PsObject) and name.lower() in item.properties
                else name
            )
            selected.append((shown, _property(run, item, name)))
    return [PsObject(selected)]


@builtin("Sort-Object", "Property:Object[]@0 Descending? Unique? CaseSensitive? InputObject<", streaming=True)
def sort_object(stage: Stage) -> Streams:
    selectors = stage.get("Property") or [None]

    def keys(item: Any) -> list[Any]:
        return [item if selector is None else _property(stage.run, item, selector) for selector in selectors]

    def finish(items: list[Any]) -> None:
        if "CaseSensitive" in stage.parameters or any(isinstance(selector, Hashtable) for selector in selectors):
            raise UnknownConstruct("Sort-Object with these parameters")
        rows = [(keys(item), item) for item in items]
        if any(len({isinstance(row[0][place], str) for row in rows}) > 1 for place in range(len(selectors))):
            raise UnknownConstruct("Sort-Object of texts and numbers together")
        sign = -1 if "Descending" in stage.parameters else 1

        def compare_rows(one: tuple[list[Any], Any], two: tuple[list[Any], Any]) -> int:
            for left, right in zip(one[0], two[0], strict=True):
                if result := sign * order(left, right):
                    return result
            return 0

        rows.sort(key=functools.cmp_to_key(compare_rows))
        ties = [compare_rows(one, two) == 0 for one, two in itertools.pairwise(rows)]
        unique = "Unique" in stage.parameters
        if (
            any(tie and not _identical(one[1], two[1]) for tie, one, two in zip(ties, rows, rows[1:], strict=False))
            and STRICT.get()
        ):
            raise UnknownConstruct("the order of objects with equal keys: sorting is not stable everywhere")
        for number, (_, item) in enumerate(rows):
            if not (unique and number and ties[number - 1]):
                stage.out(item)

    return collecting(stage, finish)


def _identical(one: Any, two: Any) -> bool:
    return one is two or (isinstance(one, (str, int, float)) and type(one) is type(two) and one == two)


@builtin("Measure-Object", "Property:String[]@0 Sum? Average? Maximum? Minimum? InputObject<", streaming=True)
def measure_object(stage: Stage) -> Streams:
    wanted = [name for name in ("Average", "Sum", "Maximum", "Minimum") if name in stage.parameters]
    names = stage.get("Property")

    def finish(items: list[Any]) -> None:
        if names:
            if len(names) > 1:
                raise UnknownConstruct("Measure-Object of several properties")
            items = [_property(stage.run, item, names[0]) for item in items if has_member(item, names[0])]
        values = [item for item in items if not is_null(item)]
        if (wanted and not all(is_number(value) for value in values)) or (names and not values):
            raise UnknownConstruct("Measure-Object of values that are not numbers")
        numbers = [float(value) for value in values] if wanted else []
        if not numbers and wanted and STRICT.get():
            raise UnknownConstruct("the sum of nothing, which differs between versions")
        results = (
            {
                "Average": sum(numbers) / len(numbers),
                "Sum": float(sum(numbers)),
                "Maximum": max(numbers),
                "Minimum": min(numbers),
            }
            if numbers
            else {}
        )
        known = [
            (name, results.get(name) if name in wanted else None) for name in ("Average", "Sum", "Maximum", "Minimum")
        ]
        kind = "Microsoft.PowerShell.Commands.GenericMeasureInfo"
        stage.out(
            PsObject(
                [("Count", len(values)), *known, ("Property", names[0] if names else None)], (kind, "System.Object")
            )
        )

    return collecting(stage, finish)


@builtin("Group-Object", "Property:Object[]@0 NoElement? InputObject<", streaming=True)
def group_object(stage: Stage) -> Streams:
    selectors = stage.get("Property") or [None]

    def finish(items: list[Any]) -> None:
        groups: list[tuple[Any, list[Any]]] = []
        for item in items:
            key = item if selectors[0] is None else _property(stage.run, item, selectors[0])
            if len(selectors) > 1 or not (isinstance(key, (str, bool)) or is_number(key)):
                raise UnknownConstruct("Group-Object by this")
            for known, members in groups:
                if equal(known, key):
                    members.append(item)
                    break
            else:
                groups.append((key, [item]))
        texts = [to_text(key) for key, _ in groups]
        if texts != sorted(texts, key=str.lower) and STRICT.get():
            raise UnknownConstruct("the order of groups, which differs between versions")
        for key, members in groups:
            known_properties = [
                ("Name", to_text(key)),
                ("Count", len(members)),
                ("Group", ArrayList(members)),
                ("Values", ArrayList([key])),
            ]
            stage.out(PsObject(known_properties, ("Microsoft.PowerShell.Commands.GroupInfo", "System.Object")))

    return collecting(stage, finish)


@builtin("Write-Output", "InputObject@0< NoEnumerate?", streaming=True)
def write_output(stage: Stage) -> Streams:
    def process(item: Any) -> None:
        if "NoEnumerate" in stage.parameters:
            stage.out(item)
        else:
            for value in enumerate_value(item):
                stage.out(value)

    if "InputObject" in stage.parameters:
        process(stage.parameters["InputObject"])
    return process, nothing


@builtin("Out-Null", "InputObject<", streaming=True)
def out_null(stage: Stage) -> Streams:
    return lambda item: None, nothing


@builtin("Tee-Object", "!Variable:String InputObject<", streaming=True)
def tee_object(stage: Stage) -> Streams:
    items: list[Any] = []

    def process(item: Any) -> None:
        items.append(item)
        stage.out(item)

    def finish() -> None:
        stage.run.set_variable(stage.parameters["Variable"].lower(), items[0] if len(items) == 1 else ArrayList(items))

    return process, finish
