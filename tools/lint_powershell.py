#!/usr/bin/env python3
"""Holds the collection's PowerShell scripts to the written subset (docs/docsite/rst/lab_powershell_subset.rst).

`lint_powershell.py [FILE ...]` reads the constant SCRIPT of each Python file, by default of all script files of the
collection, and
prints `file:line: rule: what is wrong`. Exit code 1 if there is anything to print.
"""

# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "tests" / "lab"
sys.path.insert(0, str(LAB))

from powershell import Command, CommandTable, UnknownConstruct  # noqa: E402
from powershell.builtins import POWERSHELL  # noqa: E402
from powershell.convert import ENUMS, resolve_type  # noqa: E402
from powershell.expressions import EVALUATORS  # noqa: E402
from powershell.interpreter import NOT_MODELLED, STATEMENTS  # noqa: E402
from powershell.methods import STATIC  # noqa: E402
from powershell.syntax import Node, mended, parse  # noqa: E402

UTILITIES = ROOT / "plugins" / "module_utils"
FOLDERS = (UTILITIES / "_dpm" / "scripts", UTILITIES / "_windows" / "scripts")
BOOTSTRAP = UTILITIES / "_powershell"

# Constructs that came after Windows PowerShell 5.1.
LATER_KINDS = {
    "ternary_expression": "the ternary operator",
    "null_coalesce_expression": "the operator ??",
    "pipeline_chain_tail": "the operators && and ||",
}
LATER_PARAMETERS = {"ashashtable", "parallel", "asarray", "enumsasstrings", "escapehandling", "throttlelimit"}
# Properties of DPM and of Windows that hold a DateTime: 5.1 writes them to JSON in a form of its own.
DATES = {
    "starttime",
    "endtime",
    "createdtime",
    "timecreated",
    "timegenerated",
    "occurredsince",
    "latestrecoverypoint",
    "oldestrecoverypoint",
    "lastbackuptime",
    "lastsuccessfulbackuptime",
    "nextbackuptime",
    "representedpointintime",
    "backuptime",
    "installdate",
    "now",
    "utcnow",
}
# Kinds of nodes that stand inside other constructs, and are read as a part of them.
PART_NAMES = (
    "argument_expression_list argument_list array_type_name assignment_operator attribute attribute_argument "
    "attribute_arguments attribute_list attribute_name bareword_argument_list catch_clause catch_clauses "
    "command_argument_sep command_elements command_invocation_operator command_name command_name_expr "
    "command_parameter comparison_operator else_clause elseif_clause elseif_clauses finally_clause function_name "
    "function_parameter_declaration generic_token hash_entry hash_literal_body left_assignment_expression member_name "
    "param_block parameter_list path_command_name program script_block script_block_body script_parameter "
    "simple_name statement_block statement_list type_identifier type_name type_spec"
)
PARTS = frozenset(PART_NAMES.split())
# Comparison operators of the subset, and those of the other kinds.
OPERATOR_NAMES = (
    "-eq -ne -lt -le -gt -ge -match -notmatch -contains -notcontains -in -notin -is -isnot -join -replace -and -or -not"
)
OPERATORS = frozenset(OPERATOR_NAMES.split())
VARIABLE = re.compile(r"[$@]\{?(?:(script|global|local|env|using|private):)?([\w?^$]+)\}?$", re.I)


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong; `line` counts within the script."""

    line: int
    rule: str
    message: str


def known_commands(paths: Iterable[Path] = ()) -> dict[str, Command]:
    """The commands that exist, by name: PowerShell's own, and those of the lab's signature tables."""
    found = dict(POWERSHELL.commands)
    for path in [*paths, *sorted(LAB.glob("*/signatures.py"))]:
        name = f"{path.parent.name}.{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            continue
        module = importlib.import_module(name) if path.is_relative_to(LAB) else importlib.util.module_from_spec(spec)
        if not path.is_relative_to(LAB):
            spec.loader.exec_module(module)
        for value in list(vars(module).values()):
            found.update({command.name.lower(): command for command in _commands_in(value)})
    return found


def _commands_in(value: Any) -> Iterator[Command]:
    if isinstance(value, Command):
        yield value
    elif isinstance(value, CommandTable):
        yield from value.commands.values()
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, Command):
                yield item


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def known_construct(node: Node) -> bool:
    """Whether the evaluator knows this kind of construct."""
    if node.kind == "comparison_operator" or (not node.children and re.fullmatch(r"-[a-z]{2,}", node.text, re.I)):
        return node.kind == "command_parameter" or node.text.lower() in OPERATORS
    keyword = not node.children and (not node.kind[0].isalpha() or node.kind == node.text.strip().lower())
    return keyword or node.kind in STATEMENTS or node.kind in EVALUATORS or node.kind in PARTS


def known_static(type_name: str, name: str, method: bool) -> bool:
    """Whether a static member of a type is known to the evaluator."""
    if not method and type_name in ENUMS:
        return ENUMS[type_name].find(name) is not None
    return (type_name, name.lower() + "()" * method) in STATIC


class Linter:
    """The rules on one script. The bootstrap, which runs the scripts, may do what they may not."""

    def __init__(self, commands: dict[str, Command], bootstrap: bool = False) -> None:
        self.commands = commands
        self.bootstrap = bootstrap
        self.complaints: list[Complaint] = []
        self.functions: dict[str, set[str]] = {}

    def complain(self, node: Node, rule: str, message: str) -> None:
        self.complaints.append(Complaint(node.line, rule, message))

    def check(self, script: str) -> list[Complaint]:
        """All complaints about a script, in the order of its lines."""
        try:
            root = parse(script)
        except UnknownConstruct as unknown:
            return [Complaint(unknown.line or 1, "syntax", f"{unknown.name}: one statement a line")]
        lines = zip(script.split("\n"), mended(script).decode("utf-8", "surrogatepass").split("\n"), strict=True)
        for number, (old, new) in enumerate(lines, 1):
            if old != new:
                message = "the grammar does not read this: one statement a line, spaces around operators"
                self.complaints.append(Complaint(number, "syntax", message))
        if not self.bootstrap:
            self._check_start(root)
        nodes = list(walk(root))
        for node in nodes:
            if node.kind == "function_statement":
                parameters = {
                    one.text[1:].lower()
                    for part in walk(node)
                    if part.kind == "script_parameter"
                    if (one := part.child("variable"))
                }
                self.functions[node.children[1].text.lower()] = parameters
        for node in nodes:
            self._check_node(node)
        return sorted(set(self.complaints), key=lambda complaint: (complaint.line, complaint.rule, complaint.message))

    def _check_start(self, root: Node) -> None:
        first = next((child for child in root.children), root)
        attributes = first.child("attribute_list") if first.kind == "param_block" else None
        names = (
            [part.text.strip().lower() for part in walk(attributes) if part.kind == "attribute_name"]
            if attributes
            else []
        )
        if "cmdletbinding" not in names:
            self.complain(first, "start", "a script starts with [CmdletBinding()] and param(...)")

    def _check_node(self, node: Node) -> None:
        if node.kind in LATER_KINDS:
            self.complain(node, "later-version", f"{LATER_KINDS[node.kind]} is not in Windows PowerShell 5.1")
        elif node.kind == "named_block" and node.text.lower().startswith("clean"):
            self.complain(node, "later-version", "a clean block is not in Windows PowerShell 5.1")
        elif node.kind == "flow_control_statement" and node.children[0].text.lower() == "exit" and not self.bootstrap:
            self.complain(node, "exit", "exit ends the frame around the script: use throw")
        elif node.kind == "command":
            self._check_command(node)
        elif node.kind in ("member_access", "invocation_expression"):
            self._check_member(node)
        elif node.kind == "hash_entry":
            self._check_entry(node)
        elif node.kind == "type_literal":
            self._check_type(node)
        elif node.kind == "variable" and not self._known_variable(node.text):
            self.complain(node, "subset", f"the variable {node.text} is outside the written subset")
        elif node.kind == "attribute_name" and node.text.strip().lower() != "cmdletbinding":
            self.complain(node, "subset", f"the attribute {node.text.strip()} is outside the written subset")
        elif node.kind in ("redirection", "redirections"):
            self.complain(node, "subset", "redirections are outside the written subset")
        elif not known_construct(node):
            self.complain(node, "subset", f"{node.kind.replace('_', ' ')} is outside the written subset")

    def _known_variable(self, text: str) -> bool:
        match = VARIABLE.match(text)
        if match is None or (match[1] or "env").lower() != "env":
            return False
        name = match[2].lower()
        if name in ("input", "executioncontext"):
            return self.bootstrap
        return name not in NOT_MODELLED

    def _check_type(self, node: Node) -> None:
        name = node.text.strip()[1:-1]
        try:
            resolve_type(name)
        except UnknownConstruct:
            self.complain(node, "subset", f"the type [{name}] is outside the written subset")

    def _check_member(self, node: Node) -> None:
        if node.children[0].kind != "type_literal" or len(node.children) < 3:
            return
        owner, member = node.children[0].text.strip()[1:-1], node.children[2].text.strip()
        if owner.lower().endswith("scriptblock") and not self.bootstrap:
            self.complain(node, "string-code", "a script is never built from a string")
        elif owner.lower().endswith("environment") and member.lower() == "exit":
            self.complain(node, "exit", "[Environment]::Exit ends the frame around the script: use throw")
        else:
            try:
                known = known_static(resolve_type(owner), member, node.kind == "invocation_expression")
            except UnknownConstruct:
                return  # the type itself is complained of
            if not known:
                self.complain(node, "subset", f"[{owner}]::{member} is outside the written subset")

    def _check_entry(self, node: Node) -> None:
        value = node.children[2]
        if value.kind == "member_access" and value.children[-1].text.strip().lower() in DATES:
            self.complain(value, "date", f"{value.text.strip()} is a DateTime: .ToUniversalTime().ToString('o')")

    def _check_command(self, node: Node) -> None:
        operator, name_node = node.child("command_invocation_operator"), node.child("command_name", "command_name_expr")
        elements = node.child("command_elements")
        arguments = elements.children if elements else []
        if name_node is None:
            return
        if operator is not None:
            inner = name_node.children[0] if name_node.children else name_node
            plain = inner.kind == "script_block_expression" or (
                inner.kind == "path_command_name" and len(inner.children) == 1
            )
            if operator.text == "." or not (plain or self.bootstrap):
                self.complain(node, "string-code", "only a script block is called by &")
            return
        name = name_node.text.strip()
        lower = name.lower()
        if lower in (
            "invoke-expression",
            "iex",
            "add-type",
            "invoke-command",
            "start-process",
            "start-job",
            "powershell",
            "powershell.exe",
        ):
            self.complain(node, "string-code", f"{name} runs what a string says, or another process")
        elif lower in self.functions:
            self._check_parameters(name, arguments, self.functions[lower])
        elif lower in POWERSHELL.aliases or "-" not in name:
            self.complain(node, "alias", f"{name} is an alias, or no cmdlet: write the full name")
        elif lower not in self.commands:
            self.complain(node, "command", f"{name} is in no signature table")
        else:
            self._check_cmdlet(node, self.commands[lower], arguments)

    def _check_cmdlet(self, node: Node, command: Command, arguments: list[Node]) -> None:
        names = {parameter.name.lower() for parameter in command.parameters().values()}
        self._check_parameters(command.name, arguments, names)
        if not command.supports_should_process:
            return
        texts = "".join(argument.text.strip().lower() for argument in arguments)
        if "-confirm:$false" not in texts:
            self.complain(node, "confirm", f"{command.name} asks before it acts: give -Confirm:$false")

    def _check_parameters(self, name: str, arguments: list[Node], known: set[str]) -> None:
        for argument in arguments:
            if argument.kind != "command_parameter":
                continue
            given = argument.text.strip().lstrip("-").rstrip(":").lower()
            if given in LATER_PARAMETERS:
                self.complain(argument, "later-version", f"-{given} is not in Windows PowerShell 5.1")
            elif given not in known:
                self.complain(
                    argument,
                    "parameter",
                    f"{name} has no parameter {argument.text.strip()} (names are written in full)",
                )


def scripts_in(path: Path) -> Iterator[tuple[str, int, bool]]:
    """The text of each SCRIPT constant of a Python file, the line it begins on, and whether it is a raw string."""
    source = path.read_text(encoding="utf-8")
    for statement in ast.parse(source).body:
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        if not any(isinstance(target, ast.Name) and target.id == "SCRIPT" for target in targets):
            continue
        value = statement.value  # type: ignore[attr-defined]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            written = ast.get_source_segment(source, value) or ""
            yield value.value, value.lineno, written[:1].lower() == "r"


def lint_file(path: Path, commands: dict[str, Command]) -> list[str]:
    """What is wrong in the scripts of one Python file, a line each."""
    bootstrap = path.parent == BOOTSTRAP or path.stem == "bootstrap"
    found = list(scripts_in(path))
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    if not found:
        return (
            []
            if bootstrap or path.name == "__init__.py"
            else [f"{shown}:1: start: no constant SCRIPT with a plain string"]
        )
    lines = []
    for script, line, raw in found:
        if not raw:
            lines.append(f"{shown}:{line}: raw: SCRIPT is one raw string")
        lines += [
            f"{shown}:{line + complaint.line - 1}: {complaint.rule}: {complaint.message}"
            for complaint in Linter(commands, bootstrap).check(script)
        ]
    return lines


def default_files() -> list[Path]:
    """All files of the collection that may hold a script."""
    folders = [*FOLDERS, BOOTSTRAP]
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.py"))]


def main(arguments: list[str]) -> int:
    commands = known_commands()
    files = [Path(argument).resolve() for argument in arguments] or default_files()
    lines = [line for path in files for line in lint_file(path, commands)]
    for line in lines:
        print(line)
    if not lines:
        print(f"{len(files)} files: nothing to complain of")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
