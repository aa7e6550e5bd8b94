#!/usr/bin/env python3
"""Rehearses a release of what the checkout holds, up to the last step before it is published: `make release-check`.

The version of galaxy.yml without its "-dev" is given to a copy, the changelog is made, the archive is built twice and
looked at by galaxy-importer, signed with a throw-away key, installed and verified, and gets its bill of materials. The
licences of all files, the workflows and the metrics are looked at too. The result is left in .build/release.

`release_check.py --key KEY` signs with a key of gpg's, for a release that is published.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bill_of_materials
import lay_tree
import release_archive
import release_signature

ROOT = lay_tree.ROOT
RELEASE = ROOT / ".build" / "release"
GO_TOOLS = ROOT / ".build" / "go-tools"
# galaxy-importer's own settings: what `make lint` does with the versions that we support is not done again.
IMPORTER = {
    "RUN_ANSIBLE_TEST": "false",
    "RUN_FLAKE8": "false",
    "CHECK_REQUIRED_TAGS": "true",
    "RUN_ANSIBLE_LINT": "false",
}


class Wrong(Exception):
    """Something stands against a release: the text says what."""


def step(title: str) -> None:
    """Says what is done now."""
    print(f"== {title}", flush=True)


def run(command: list[str], folder: Path = ROOT, **environment: str) -> str:
    """Runs a program and returns what it prints; raises Wrong with its output where it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise Wrong(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def commit_time() -> int:
    """Returns the time of all files in the release, in seconds since 1970: SOURCE_DATE_EPOCH, else the commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or run(["git", "log", "-1", "--format=%ct"]))


def release_version() -> str:
    """Returns the version of galaxy.yml without what marks it as not released."""
    found = re.search(
        r"^version: (\d+\.\d+\.\d+)(?:-\S+)?$", (ROOT / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise Wrong("galaxy.yml has no version")
    return found[1]


def copy_with_changelog(version: str, place: Path) -> Path:
    """Lays a copy of the checkout as it would be released; returns the collection's folder in it."""
    collection = lay_tree.copy(place) / lay_tree.INNER
    shutil.rmtree(collection / ".git")
    text = (collection / "galaxy.yml").read_text(encoding="utf-8")
    text = re.sub(r"^version: .*$", f"version: {version}", text, flags=re.MULTILINE)
    (collection / "galaxy.yml").write_text(text, encoding="utf-8")
    if f"\n  {version}:" not in (collection / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"):
        said = run(["antsibull-changelog", "release", "--date", "2000-01-01"], collection)
        if "release_summary" in said:
            raise Wrong(said)
    changelog = (collection / "CHANGELOG.rst").read_text(encoding="utf-8")
    if f"\nv{version}\n" not in changelog or "\nRelease Summary\n" not in changelog:
        raise Wrong(f"CHANGELOG.rst has no {version} with a release summary: write changelogs/fragments/{version}.yml")
    return collection


def build_twice(collection: Path, stamp: int) -> Path:
    """Builds the archive, and again when every file has another time; returns it; raises Wrong where they differ."""
    archive = release_archive.build(collection, RELEASE, stamp)
    with tempfile.TemporaryDirectory() as scratch:
        again = shutil.copytree(collection, Path(scratch) / "again", copy_function=shutil.copyfile)
        if release_archive.build(again, Path(scratch), stamp).read_bytes() != archive.read_bytes():
            raise Wrong(f"{archive.name} comes out differently when it is built again")
    return archive


def import_as_galaxy_does(archive: Path) -> None:
    """Has galaxy-importer look at the archive; raises Wrong where it would not be taken, or has a complaint."""
    settings = {f"GALAXY_IMPORTER_{name}": value for name, value in IMPORTER.items()}
    with tempfile.TemporaryDirectory() as scratch:
        said = run([sys.executable, "-m", "galaxy_importer.main", str(archive)], Path(scratch), **settings)
    complaints = [line for line in said.splitlines() if line.startswith(("ERROR", "WARNING"))]
    # The playbooks of a collection that is not installed yet name each other.
    complaints = [
        line for line in complaints if not re.search(r"Failed to find winbackup\.storage\.\w+ playbook", line)
    ]
    if complaints:
        raise Wrong("\n".join(complaints))


def check_workflows() -> None:
    """Has actionlint look at the workflows; the scripts in them are looked at where there is a shellcheck."""
    print(run([str(GO_TOOLS / "actionlint"), "-color"]), end="")


def check_metrics() -> None:
    """Has promtool look at the metrics and the rules for alerts, and run the rules' tests, where it is there."""
    folder = ROOT / "docs" / "monitoring"
    if shutil.which("promtool") is None:
        print("   left out: there is no promtool (Debian has it in its package prometheus)")
        return
    run(["promtool", "check", "rules", "winbackup.rules.yml"], folder)
    run(["promtool", "test", "rules", "winbackup.test.yml"], folder)
    run(["sh", "-c", "promtool check metrics < example.prom"], folder)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", help="a key of gpg's, for the signature of the release")
    key = parser.parse_args().key
    shutil.rmtree(RELEASE, ignore_errors=True)
    try:
        step("licences (reuse)")
        run(["reuse", "lint", "--quiet"])
        step("workflows (actionlint)")
        check_workflows()
        step("metrics and rules for alerts (promtool)")
        check_metrics()
        version, stamp = release_version(), commit_time()
        step(f"the changelog of {version}")
        collection = copy_with_changelog(version, ROOT / ".build" / "release-copy")
        step("the archive, twice")
        archive = build_twice(collection, stamp)
        step("galaxy-importer")
        import_as_galaxy_does(archive)
        step("the signature of the manifest, with a throw-away key")
        wrong = release_signature.rehearse(archive)
        if wrong:
            raise Wrong(wrong)
        step("the bill of materials")
        bill = archive.with_name(archive.name.removesuffix(".tar.gz") + ".cdx.json")
        bill.write_text(bill_of_materials.make(version, stamp, GO_TOOLS / "cyclonedx-gomod"), encoding="utf-8")
        (RELEASE / "MANIFEST.json").write_bytes(release_archive.manifest(archive))
        if key:
            release_archive.sign(archive, key)
        files = sorted(RELEASE.iterdir())
        sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
        (RELEASE / "SHA256SUMS").write_text(sums, encoding="utf-8")
    except (Wrong, ValueError) as fault:
        print(f"{fault}\n== no release can be made of this")
        return 1
    except subprocess.CalledProcessError as fault:
        print(f"{' '.join(map(str, fault.cmd))} ended with {fault.returncode}\n== no release can be made of this")
        return 1
    parts = len(json.loads(bill.read_text(encoding="utf-8"))["components"])
    print(f"== {archive.relative_to(ROOT)} can be released; its bill of materials names {parts} parts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
