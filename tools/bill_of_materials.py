#!/usr/bin/env python3
"""Makes the software bill of materials of a release, in CycloneDX's JSON: what it needs, and what it was tested with.

cyclonedx-py reads the lock files, cyclonedx-gomod the Go modules of the lab; here they become one
document. What the collection needs is `required`; what only tests and tools use is `excluded`, in CycloneDX's words.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NEEDED = "requirements-collection.lock"
TESTED_WITH = ("test", "kerberos", "lint", "release")
GO_MODULES = ("tests/lab/vcenter", "tests/lab/govc")


def _read(command: list[str]) -> Iterator[Component]:
    """Yields the components of the bill that a tool prints."""
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    yield from Bom.from_json(json.loads(printed)).components


def _components(gomod: Path) -> Iterator[tuple[Component, ComponentScope]]:
    """Yields everything with what it is for, what is needed first."""
    locks = [(NEEDED, ComponentScope.REQUIRED)]
    locks += [(f"requirements-{name}.lock", ComponentScope.EXCLUDED) for name in TESTED_WITH]
    for lock, scope in locks:
        for component in _read([str(BIN / "cyclonedx-py"), "requirements", "--output-reproducible", lock]):
            # The line of the lock file, which its hashes tell too.
            component.description = None
            yield component, scope
    for module in GO_MODULES:
        command = [str(gomod), "mod", "-json", "-noserial", "-notimestamp", "-output-version", "1.6", module]
        for component in _read(command):
            yield component, ComponentScope.EXCLUDED


def make(version: str, stamp: int, gomod: Path) -> str:
    """Returns the bill of the collection's `version`; raises ValueError where it would not be a valid one."""
    of_release = PackageURL("generic", "winbackup", "storage", version)
    root = Component(
        name="storage",
        group="winbackup",
        version=version,
        type=ComponentType.LIBRARY,
        purl=of_release,
        bom_ref=of_release.to_string(),
        licenses=[LicenseExpression("GPL-3.0-or-later")],
    )
    found: dict[str, Component] = {}
    for component, scope in _components(gomod):
        name = component.purl.to_string() if component.purl else f"{component.name}@{component.version}"
        if name not in found:
            component.scope = scope
            component.bom_ref.value = name
            found[name] = component
    bill = Bom(components=found.values(), serial_number=uuid5(NAMESPACE_URL, of_release.to_string()))
    bill.metadata.component = root
    bill.metadata.timestamp = datetime.fromtimestamp(stamp, UTC)
    bill.register_dependency(root, [one for one in found.values() if one.scope is ComponentScope.REQUIRED])
    text = JsonV1Dot6(bill).output_as_string(indent=2) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong:
        raise ValueError(f"the bill of materials is no valid CycloneDX: {wrong}")
    return text
