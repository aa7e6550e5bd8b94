"""The evaluator against what a real PowerShell answered (cases.jsonl): as recorded, or unknown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from powershell.cases import answer

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
PROGRAM = Path(__file__).parents[2] / "lab" / "ps-cases"
# How many of each group the written subset reaches at least.
AGREE_AT_LEAST = {
    "arrays": 39,
    "hashtables": 17,
    "strings": 14,
    "numbers": 23,
    "pipeline": 16,
    "flow": 20,
    "errors": 23,
    "json": 14,
    "types": 9,
    "commands": 7,
}


def expected(case: dict[str, Any]) -> dict[str, Any]:
    return {key: case[key] for key in ("output", "errors", "throws") if key in case}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_answers_as_recorded_or_says_what_it_does_not_know(case: dict[str, Any]) -> None:
    given = answer(case["script"])
    assert given == expected(case) or (list(given) == ["unknown"] and given["unknown"])


def test_what_scripts_are_written_in_is_known() -> None:
    agreeing = Counter(case["group"] for case in CASES if answer(case["script"]) == expected(case))
    assert {group: count for group, count in AGREE_AT_LEAST.items() if agreeing[group] < count} == {}


def test_the_executable_prints_one_line_a_case(tmp_path: Path) -> None:
    scripts = {"sum": "1+2", "unknown": "[xml]'<a/>'", "thrown": 'throw "boom"', "error": "$null[0]; 'on'"}
    cases = tmp_path / "cases.jsonl"
    cases.write_text("".join(json.dumps({"name": name, "script": script}) + "\n" for name, script in scripts.items()))
    ran = subprocess.run([sys.executable, str(PROGRAM), str(cases)], capture_output=True, text=True, check=True)
    lines = {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert list(lines) == list(scripts)
    assert lines["sum"] == {"name": "sum", "output": [3]}
    assert lines["unknown"] == {"name": "unknown", "unknown": "the type [xml] (line 1)"}
    assert lines["thrown"]["throws"]["message"] == "boom"
    assert lines["error"]["output"] == ["on"]
    assert [error["id"] for error in lines["error"]["errors"]] == ["NullArray"]


def test_the_executable_without_its_libraries_says_what_to_do(tmp_path: Path) -> None:
    """A clone that was not set up: a copy of the program beside which no .venv is, and a Python without libraries."""
    lab = tmp_path / "tests" / "lab"
    lab.mkdir(parents=True)
    (lab / "ps-cases").write_bytes(PROGRAM.read_bytes())
    (lab / "powershell").symlink_to(PROGRAM.parent / "powershell")
    ran = subprocess.run(
        [sys.executable, "-S", str(lab / "ps-cases"), "cases.jsonl"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 2
    assert "make .build/test.stamp" in ran.stderr
    assert "Traceback" not in ran.stderr
