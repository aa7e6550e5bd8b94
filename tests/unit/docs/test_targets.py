"""Every module and every role has its target of `ansible-test integration`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def names(folder: Path) -> set[str]:
    """Returns what is in a folder, without endings and without what begins with an underscore."""
    return {path.stem for path in folder.iterdir() if not path.name.startswith("_")}


def test_there_is_one_target_a_module_and_one_a_role() -> None:
    modules = {f"module_{name}" for name in names(ROOT / "plugins" / "modules")}
    roles = {f"role_{name}" for name in names(ROOT / "roles")}
    assert names(ROOT / "tests" / "integration" / "targets") == modules | roles
