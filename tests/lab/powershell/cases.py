"""Recorded scripts, run and told in the form of the record."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from .convert import double_text, to_text
from .errors import RUNTIME, ErrorRecord, ScriptError
from .kinds import is_null
from .session import Session
from .unknown import STRICT, UnknownConstruct, certain
from .values import TICKS_PER_SECOND, EnumValue, Hashtable, PsObject, TimeSpan


def encode(value: Any) -> Any:
    """A value as the record shows it."""
    if is_null(value):
        return None
    if isinstance(value, (bool, str)):
        return certain(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return {"$Double": double_text(value)}
    if isinstance(value, list):
        return {"$Array": [encode(item) for item in value]}
    if isinstance(value, Hashtable):
        if not all(isinstance(key, str) for key, _ in value.pairs()):
            raise UnknownConstruct("keys that are no strings, in a result")
        return {"$Hashtable": {key: encode(item) for key, item in sorted(value.pairs())}}
    if isinstance(value, PsObject) and value.custom:
        return {"$Object": {name: encode(item) for name, item in value.shown_pairs()}}
    if isinstance(value, TimeSpan):
        return {"$TimeSpan": value.ticks / TICKS_PER_SECOND}
    if isinstance(value, (uuid.UUID, EnumValue)):
        return {"$Guid" if isinstance(value, uuid.UUID) else "$Enum": to_text(value)}
    raise UnknownConstruct(f"a {type(value).__name__} as a result")


def encode_record(record: ErrorRecord) -> dict[str, str]:
    return {"id": certain(record.error_id), "category": record.category, "message": certain(record.message)}


def encode_end(error: ScriptError) -> dict[str, str]:
    """The exception that the caller of a script gets for the error that ended it."""
    record = error.record
    shown = {"type": record.exception.type_name, **encode_record(record)}
    if error.thrown:
        if record.exception.type_name != RUNTIME or not isinstance(record.target, (str, int)):
            raise UnknownConstruct("what the caller gets of an object that was thrown")
        return shown | {"id": "RuntimeException", "category": "NotSpecified"}
    return shown


def answer(script: str) -> dict[str, Any]:
    """What a script gives, in the form of the record, or the construct that is not known."""
    token = STRICT.set(True)
    try:
        outcome = Session(strict=True).run(script)
        if outcome.error is not None:
            return {"throws": encode_end(outcome.error)}
        result: dict[str, Any] = {"output": [encode(value) for value in outcome.output]}
        if outcome.errors:
            result["errors"] = [encode_record(record) for record in outcome.errors]
        return result
    except UnknownConstruct as unknown:
        return {"unknown": str(unknown)}
    finally:
        STRICT.reset(token)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: ps-cases CASES.jsonl", file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        for line in file:
            if line.strip():
                case = json.loads(line)
                print(json.dumps({"name": case["name"], **answer(case["script"])}, ensure_ascii=False), flush=True)
    return 0
