"""The evaluator against what a real PowerShell answered (cases.jsonl): as recorded, or unknown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from powershell.cases import answer

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
# What our scripts never use: other parse errors than a duplicate key, and XML.
NOT_KNOWN = {"errors-050", "errors-051", "errors-052", "types-042"}


def expected(case: dict[str, Any]) -> dict[str, Any]:
    return {key: case[key] for key in ("output", "errors", "throws") if key in case}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_answers_as_recorded_or_says_what_it_does_not_know(case: dict[str, Any]) -> None:
    given = answer(case["script"])
    if case["name"] in NOT_KNOWN:
        assert list(given) == ["unknown"]
    else:
        assert given == expected(case)


def test_the_executable_prints_one_line_a_case(tmp_path: Path) -> None:
    scripts = {"sum": "1+2", "unknown": "[xml]'<a/>'", "thrown": 'throw "boom"', "error": "$null[0]; 'on'"}
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(json.dumps({"name": name, "script": script}) + "\n" for name, script in scripts.items()))
    program = Path(__file__).parents[2] / "lab" / "ps-cases"
    ran = subprocess.run([sys.executable, str(program), str(cases)], capture_output=True, text=True, check=True)
    lines = {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert list(lines) == list(scripts)
    assert lines["sum"] == {"name": "sum", "output": [3]}
    assert lines["unknown"] == {"name": "unknown", "unknown": "the type [xml] (line 1)"}
    assert lines["thrown"]["throws"]["message"] == "boom"
    assert lines["error"]["output"] == ["on"]
    assert [error["id"] for error in lines["error"]["errors"]] == ["NullArray"]
