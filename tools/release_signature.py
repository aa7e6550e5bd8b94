#!/usr/bin/env python3
"""Rehearses what a user does with the signature of a release: install, then `ansible-galaxy collection verify`.

The key is made for it and thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lay_tree
import release_archive

KEY = "rehearsal of a release"


@contextmanager
def throw_away_key() -> Iterator[Path]:
    """A key of gpg's own, named KEY, while it lasts; yields the keyring with its public half."""
    # Below /tmp, since the names of gpg's sockets have a limit.
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    before = os.environ.get("GNUPGHOME")
    os.environ["GNUPGHOME"] = str(home)
    try:
        gpg = ["gpg", "--batch", "--quiet"]
        subprocess.run([*gpg, "--passphrase", "", "--quick-generate-key", KEY, "ed25519", "sign", "1d"], check=True)
        yield home / "pubring.kbx"
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)
        os.environ.pop("GNUPGHOME")
        if before is not None:
            os.environ["GNUPGHOME"] = before
        shutil.rmtree(home, ignore_errors=True)


def verify(installed: Path, signature: Path, keyring: Path) -> tuple[int, str]:
    """Verifies the collection installed below the folder `installed`; returns the exit code and what was said."""
    command = ["ansible-galaxy", "collection", "verify", "--offline", "winbackup.storage"]
    command += ["--signature", signature.as_uri(), "--keyring", str(keyring), "-p", str(installed)]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed)}
    done = subprocess.run(
        command, env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout


def rehearse(archive: Path) -> str | None:
    """Signs, installs and verifies the archive, then changes files of it; returns what went wrong, None for nothing."""
    with tempfile.TemporaryDirectory() as scratch, throw_away_key() as keyring:
        copied = Path(shutil.copy(archive, scratch))
        signature = release_archive.sign(copied, KEY)
        installed = Path(scratch) / "installed"
        install = ["ansible-galaxy", "collection", "install", "--offline", str(copied), "-p", str(installed)]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        code, said = verify(installed, signature, keyring)
        if code != 0:
            return f"ansible-galaxy does not accept the signature of what was just signed:\n{said}"
        readme = installed / lay_tree.INNER / "README.md"
        readme.write_text(readme.read_text(encoding="utf-8") + "changed\n", encoding="utf-8")
        code, said = verify(installed, signature, keyring)
        if code == 0 or "README.md" not in said:
            return f"ansible-galaxy does not notice a file that was changed after the signature:\n{said}"
        manifest = installed / lay_tree.INNER / "MANIFEST.json"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("storage", "Storage", 1), encoding="utf-8")
        code, said = verify(installed, signature, keyring)
        if code == 0:
            return f"ansible-galaxy does not notice a manifest that was changed after the signature:\n{said}"
    return None
