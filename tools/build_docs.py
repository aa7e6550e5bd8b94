#!/usr/bin/env python3
"""Builds the documentation site from the guides and the documentation of modules, roles and playbooks: `make docs`.
It needs no network, and every warning is an error. The site is left in .build/docs/html."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib

import lay_tree

ROOT = lay_tree.ROOT
WORK = ROOT / ".build" / "docs"
SETTINGS = ROOT / "tools" / "docs"
# What antsibull-docs refers to in Ansible's own documentation, and the page of each.
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_collections.ansible.builtin.debug_module": "collections/ansible/builtin/debug_module.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def inventory(labels: dict[str, str]) -> bytes:
    """Returns a Sphinx inventory, version 2, of labels and the page of each."""
    head = (
        "# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n# The remainder is compressed (zlib).\n"
    )
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in labels.items())
    return head.encode() + zlib.compress(lines.encode())


def main() -> int:
    """Returns the exit code."""
    source, doctrees, html = WORK / "rst", WORK / "doctrees", WORK / "html"
    for folder in (source, doctrees, html):
        shutil.rmtree(folder, ignore_errors=True)
    collections = lay_tree.copy(WORK / "copy")
    # antsibull-docs wants a folder that nobody else may write to.
    source.mkdir(parents=True, mode=0o700)
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    write = ["antsibull-docs", "--config-file", str(SETTINGS / "antsibull-docs.cfg"), "collection", "--fail-on-error"]
    write += ["--use-current", "--squash-hierarchy", "--cleanup", "everything", "--dest-dir", str(source)]
    build = ["sphinx-build", "-M", "html", str(source), str(WORK), "-c", str(SETTINGS), "-d", str(doctrees)]
    try:
        subprocess.run([*write, "winbackup.storage"], env=environment, check=True)
        (source / "ansible.inv").write_bytes(inventory(LABELS))
        subprocess.run([*build, "-q", "-W", "--keep-going", "-j", "auto"], check=True)
    except subprocess.CalledProcessError as fault:
        print(f"{fault.cmd[0]} ended with {fault.returncode}\n== the site could not be built")
        return 1
    print(f"== {(html / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
