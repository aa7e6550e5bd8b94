"""Methods of strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .values import Char, EnumValue

if TYPE_CHECKING:
    from .interpreter import Interpreter
from .convert import to_number, to_text
from .errors import TerminatingError
from .values import TypedArray, UnknownConstruct, Unsure

Method = Callable[..., Any]


def text_of(value: Any) -> str:
    if not isinstance(value, (str, Char)):
        raise TypeError("a string is wanted")
    return to_text(value)


def _plain(text: str, *others: Any) -> str:
    """A string on which ordinal work gives what .NET gives: without characters beyond the BMP."""
    if any(ord(character) > 0xFFFF for character in text):
        raise UnknownConstruct("this method on characters beyond the BMP")
    return text


def _range(text: str, start: int, length: int | None = None) -> str:
    start = to_number(start, "System.Int32")
    stop = len(text) if length is None else start + to_number(length, "System.Int32")
    if start < 0 or stop < start or stop > len(text):
        raise TerminatingError(
            Unsure("Index and length must refer to a location within the string."),
            exception_type="System.ArgumentOutOfRangeException",
        )
    return _plain(text)[start:stop]


def _split(run: Interpreter, text: str, *given: Any) -> TypedArray:
    arguments = list(given)
    remove = False
    if arguments and isinstance(arguments[-1], EnumValue):
        remove = arguments.pop().number == 1
    limit = arguments.pop() if len(arguments) > 1 and isinstance(arguments[-1], int) else None
    separators = arguments[0] if len(arguments) == 1 else list(arguments)
    if isinstance(separators, str) and len(separators) > 1:
        raise UnknownConstruct("Split() by a string, which differs between versions")
    marks = [text_of(one) for one in (separators if isinstance(separators, list) else [separators])]
    if not marks or any(len(mark) != 1 for mark in marks) or (limit is not None and (limit < 2 or remove)):
        raise UnknownConstruct("Split() with these arguments")
    pieces, piece = [], ""
    for character in text:
        if character in marks and (limit is None or len(pieces) < limit - 1):
            pieces.append(piece)
            piece = ""
        else:
            piece += character
    return TypedArray([one for one in [*pieces, piece] if one or not remove], "System.String")


def _find(text: str, wanted: Any, last: bool = False) -> int:
    if isinstance(wanted, str) and ((len(wanted) != 1 and not wanted.isascii()) or not wanted or not text.isascii()):
        raise UnknownConstruct("a search that depends on the culture")
    return text.rfind(text_of(wanted)) if last else text.find(text_of(wanted))


def _trim(text: str, marks: tuple[Any, ...], how: str) -> str:
    given = [mark for one in marks for mark in (one if isinstance(one, list) else [one])]
    characters = "".join(text_of(one) for one in given) or None
    return {"trim": text.strip, "trimstart": text.lstrip, "trimend": text.rstrip}[how](characters)


def _ascii_case(text: str, upper: bool) -> str:
    changed = text.upper() if upper else text.lower()
    if len(changed) != len(text):
        raise UnknownConstruct("the case of these characters")
    return changed


def _compare_option(arguments: tuple[Any, ...]) -> bool:
    if not arguments:
        return False
    if (
        len(arguments) == 1
        and isinstance(arguments[0], str)
        and arguments[0].lower() in ("ordinal", "ordinalignorecase")
    ):
        return arguments[0].lower() == "ordinalignorecase"
    raise UnknownConstruct("a comparison with this option")


def _affix(text: str, wanted: Any, options: tuple[Any, ...], end: bool) -> bool:
    ignore = _compare_option(options)
    one, two = (text.lower(), text_of(wanted).lower()) if ignore else (text, text_of(wanted))
    if not (text + two).isascii() and not options:
        raise UnknownConstruct("a comparison that depends on the culture")
    return one.endswith(two) if end else one.startswith(two)


def _nonempty(text: str) -> str:
    if not text:
        raise TerminatingError(Unsure("String cannot be of zero length."), exception_type="System.ArgumentException")
    return text


def _same(text: str, other: Any, options: tuple[Any, ...]) -> bool:
    if not isinstance(other, str):
        raise UnknownConstruct("Equals() with something that is no string")
    return text.lower() == other.lower() if _compare_option(options) else text == other


def _remove(run: Interpreter, text: str, start: Any, count: Any = None) -> str:
    if count is not None:
        _range(text, start, count)
    return _range(text, 0, start) + ("" if count is None else text[start + count :])


STRING_METHODS: dict[str, Method] = {
    "substring": lambda run, text, start, length=None: _range(text, start, length),
    "toupper": lambda run, text: _ascii_case(text, True),
    "tolower": lambda run, text: _ascii_case(text, False),
    "toupperinvariant": lambda run, text: _ascii_case(text, True),
    "tolowerinvariant": lambda run, text: _ascii_case(text, False),
    "split": _split,
    "replace": lambda run, text, old, new: text.replace(_nonempty(text_of(old)), text_of(new)),
    "contains": lambda run, text, part: text_of(part) in text,
    "startswith": lambda run, text, part, *options: _affix(text, part, options, False),
    "endswith": lambda run, text, part, *options: _affix(text, part, options, True),
    "indexof": lambda run, text, part: _find(text, part),
    "lastindexof": lambda run, text, part: _find(text, part, True),
    "padleft": lambda run, text, width, mark=" ": _plain(text).rjust(to_number(width, "System.Int32"), text_of(mark)),
    "padright": lambda run, text, width, mark=" ": _plain(text).ljust(to_number(width, "System.Int32"), text_of(mark)),
    "trim": lambda run, text, *marks: _trim(text, marks, "trim"),
    "trimstart": lambda run, text, *marks: _trim(text, marks, "trimstart"),
    "trimend": lambda run, text, *marks: _trim(text, marks, "trimend"),
    "tochararray": lambda run, text: TypedArray([Char(one) for one in _plain(text)], "System.Char"),
    "equals": lambda run, text, other, *options: _same(text, other, options),
    "insert": lambda run, text, start, part: _range(text, 0, start) + text_of(part) + _range(text, start),
    "remove": _remove,
}  # fmt: skip
