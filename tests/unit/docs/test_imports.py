"""Imports run one way: modules, then edges, then the domain. Foreign libraries are met at the edges only."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
OURS = "ansible_collections.winbackup.storage.plugins."
UTILS = PLUGINS / "module_utils"

# A part of the collection, and the parts that it may import besides itself.
MAY_IMPORT = {
    "_core": set(),
    "_rdm": {"_core"},
    "_rdm/checks": {"_core", "_rdm"},
    "_rdm/planning": {"_core", "_rdm", "_rdm/checks"},
    "_rdm/results": {"_core", "_rdm", "_rdm/checks", "_rdm/planning"},
    "_rdm/rehearsal": {"_core", "_rdm", "_rdm/checks"},
    "_rdm/execution": {"_core", "_rdm", "_rdm/checks", "_rdm/planning", "_rdm/rehearsal", "_rdm/results"},
    "_dpm": {"_core"},
    "_dpm/execution": {"_core", "_dpm", "_dpm/scripts", "_powershell"},
    "_dpm/scripts": set(),
    "_events": {"_core", "_dpm", "_windows", "_windows/failures"},
    "_events/execution": {
        *("_core", "_dpm", "_events", "_powershell", "_windows", "_windows/execution", "_windows/failures"),
    },
    "_powershell": {"_core"},
    "_windows": {"_core"},
    "_windows/failures": {"_core", "_windows"},
    "_windows/shadow_copies": {"_core", "_windows", "_windows/failures"},
    "_vsphere": {"_core", "_rdm", "_rdm/execution", "_rdm/rehearsal"},
    "_windows/execution": {
        *("_core", "_dpm", "_dpm/execution", "_powershell", "_windows", "_windows/failures", "_windows/scripts"),
        "_windows/shadow_copies",
    },
    "_windows/scripts": set(),
    "_esxi_shell": {"_core", "_esxi_shell/parse", "_rdm", "_rdm/checks", "_rdm/execution", "_rdm/rehearsal"},
    "_esxi_shell/parse": {"_core", "_rdm"},
    "filter": {"_core", "plugin_utils/_report", "plugin_utils/_story"},
    "lookup": {"_core", "_dpm", "filter", "plugin_utils", "plugin_utils/_report"},
    "plugin_utils": {"_core", "_powershell", "_vsphere", "plugin_utils/_report"},
    "plugin_utils/_report": set(),
    "plugin_utils/_story": {"plugin_utils/_report"},
    "action": {
        *("_core", "_dpm/execution", "_esxi_shell", "_powershell", "_rdm", "_vsphere", "_windows/execution"),
        "plugin_utils",
    },
    "modules": {"_core", "_dpm/execution", "_vsphere", "_windows/execution"},
    "doc_fragments": set(),
}

FOREIGN = {
    "_vsphere": {"pyVmomi"},
    "_powershell": {"winrm", "requests", "urllib3", "kerberos", "spnego"},
    "plugin_utils/_report": {"jinja2", "markupsafe"},
}
ANSIBLE = {"modules", "action", "plugin_utils", "filter", "lookup"}
ANSIBLE_FILES = {
    "_core/module.py",
    "_vsphere/argument_spec.py",
    "_powershell/argument_spec.py",
    "_events/execution/options.py",
}

# What does no I/O and never waits, as its imports tell: these of the standard library, and nothing of ours that does.
PURE = {
    "_rdm",
    "_rdm/checks",
    "_rdm/planning",
    "_rdm/rehearsal",
    "_rdm/results",
    "_esxi_shell/parse",
    "_windows",
    "_windows/failures",
    "_windows/shadow_copies",
}
PURE_LIBRARY = {
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "json",
    "math",
    "re",
    "shlex",
    "typing",
    "xml",
}
NOT_PURE = (OURS + "module_utils._core.module", OURS + "module_utils._core.waiting")

FILES = sorted(PLUGINS.rglob("*.py"))


def part_of(names: tuple[str, ...]) -> str:
    """Returns the part that a file or a module belongs to, by its names below plugins/."""
    if names[0] != "module_utils":
        folder = "/".join(names[:2])
        return folder if folder in MAY_IMPORT else names[0]
    folder = "/".join(names[1:3])
    return folder if folder in MAY_IMPORT else names[1]


def imported(path: Path) -> Iterator[str]:
    """Yields the full name of everything that a file imports, wherever in it; of `from a import b` a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name, which ansible-test does not follow"
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("import_module", "importlib.import_module"):
            yield from (given.value for given in node.args if isinstance(given, ast.Constant))


def short(path: Path) -> str:
    return str(path.relative_to(UTILS if UTILS in path.parents else PLUGINS))


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_file_imports_only_what_its_part_may(path: Path) -> None:
    part = part_of(path.relative_to(PLUGINS).with_suffix("").parts)
    allowed = {part, *MAY_IMPORT[part]}
    wrong = set()
    for name in imported(path):
        first = name.partition(".")[0]
        if name.startswith(OURS):
            if part_of(tuple(name.removeprefix(OURS).split("."))) not in allowed:
                wrong.add(name)
        elif first == "ansible":
            if part not in ANSIBLE and short(path) not in ANSIBLE_FILES:
                wrong.add(name)
        elif first not in sys.stdlib_module_names and first not in FOREIGN.get(part, set()):
            wrong.add(name)
    assert wrong == set()


def test_every_part_of_the_table_is_there() -> None:
    assert {part_of(path.relative_to(PLUGINS).with_suffix("").parts) for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize(
    "path", [path for path in FILES if part_of(path.relative_to(PLUGINS).parts) in PURE], ids=short
)
def test_what_is_pure_can_neither_talk_nor_wait(path: Path) -> None:
    names = [name for name in imported(path) if not name.startswith(OURS)]
    assert {name.partition(".")[0] for name in names} <= PURE_LIBRARY
    assert [name for name in imported(path) if name.startswith(NOT_PURE)] == []
    assert re.findall(r"datetime\.(?:now|utcnow|today)\(", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", [path for path in FILES if short(path) != "_core/waiting.py"], ids=short)
def test_nothing_waits_but_by_the_one_module_for_it(path: Path) -> None:
    assert not re.search(r"\btime\.sleep\b|\bfrom time import\b", path.read_text(encoding="utf-8"))


# Names that the vSphere API gives its faults: an edge turns them into the kinds of a refusal.
FAULTS = ("InvalidDevice", "NoPermission", "ConcurrentAccess", "RestrictedVersion", "FileAlreadyExists", "SystemError")
OF_MAPPINGS = [path for path in FILES if "_rdm" in path.parts]


@pytest.mark.parametrize("path", OF_MAPPINGS, ids=short)
def test_what_decides_of_mappings_knows_no_fault_of_an_edge_and_looks_at_no_clock(path: Path) -> None:
    assert "time" not in set(imported(path))
    text = path.read_text(encoding="utf-8")
    assert [fault for fault in FAULTS if fault in text] == []


def reached(path: Path, found: set[str] | None = None) -> set[str]:
    """Returns the files of ours that importing this one imports; what a function imports when it is called is not."""
    found = set() if found is None else found
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(OURS):
            continue
        for name in (node.module, *(f"{node.module}.{one.name}" for one in node.names)):
            file = PLUGINS.joinpath(*str(name).removeprefix(OURS).split(".")).with_suffix(".py")
            if file.is_file() and short(file) not in found:
                found.add(short(file))
                reached(file, found)
    return found


CONVERTS = {"_rdm/execution/converting.py", "_rdm/execution/executor.py", "_rdm/execution/swap.py", "_vsphere/apply.py"}


def test_what_only_reads_does_not_import_what_converts() -> None:
    # Ansible compiles all of it anew at every task.
    for module in ("rdm_info", "lun_info"):
        assert reached(PLUGINS / "modules" / f"{module}.py") & CONVERTS == set()
    assert reached(PLUGINS / "modules" / "rdm_compatibility.py") >= CONVERTS


@pytest.mark.parametrize("path", sorted((PLUGINS / "action").glob("*.py")), ids=short)
def test_an_action_plugin_imports_no_work_before_it_takes_the_tasks_connection(path: Path) -> None:
    light = {"argument_specs.py"}
    work = {name for name in reached(path) if "/execution/" in name or name.startswith("_esxi_shell/")}
    assert {name for name in work if name.rpartition("/")[2] not in light} == set()
