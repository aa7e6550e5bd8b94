#!/usr/bin/env python3
"""Builds the archive of the collection so that everyone who builds the same commit gets the same bytes, and signs it.

`ansible-galaxy collection build` writes the times of the files into the archive, and lists them in the order in which
the file system does. Here the archive is written anew: sorted, of no user, at one time.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path


def _sorted_lists(contents: dict[str, bytes]) -> None:
    """Sorts FILES.json by name and puts its new checksum into MANIFEST.json."""
    files = json.loads(contents["FILES.json"])
    files["files"].sort(key=lambda entry: str(entry["name"]))
    contents["FILES.json"] = json.dumps(files, indent=True).encode()
    manifest = json.loads(contents["MANIFEST.json"])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents["FILES.json"]).hexdigest()
    contents["MANIFEST.json"] = json.dumps(manifest, indent=True).encode()


def repack(built: Path, archive: Path, stamp: int) -> None:
    """Writes `archive` with what `built` holds, in a fixed order, with the time `stamp` (seconds since 1970)."""
    contents: dict[str, bytes] = {}
    modes: dict[str, int] = {}
    with tarfile.open(built) as source:
        for member in source.getmembers():
            modes[member.name] = member.mode
            found = source.extractfile(member) if member.isreg() else None
            if found is not None:
                contents[member.name] = found.read()
            elif not member.isdir():
                raise ValueError(f"{member.name} is neither a file nor a folder")
    _sorted_lists(contents)
    # What Ansible reads first comes first: it looks for the manifest before it unpacks the rest.
    names = sorted(modes, key=lambda name: (name not in ("MANIFEST.json", "FILES.json"), name))
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=stamp, compresslevel=9) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for name in names:
            member = tarfile.TarInfo(name)
            member.mode, member.mtime = modes[name], stamp
            member.type = tarfile.REGTYPE if name in contents else tarfile.DIRTYPE
            member.size = len(contents.get(name, b""))
            target.addfile(member, io.BytesIO(contents[name]) if name in contents else None)


def build(collection: Path, folder: Path, stamp: int) -> Path:
    """Builds the collection that stands in `collection`; returns the archive, which is written into `folder`."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ["ansible-galaxy", "collection", "build", str(collection), "--output-path", scratch]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (built,) = Path(scratch).glob("*.tar.gz")
        folder.mkdir(parents=True, exist_ok=True)
        archive = folder / built.name
        repack(built, archive, stamp)
    return archive


def manifest(archive: Path) -> bytes:
    """Returns the MANIFEST.json of an archive: what a signature of a collection signs."""
    with tarfile.open(archive) as source:
        found = source.extractfile("MANIFEST.json")
        assert found is not None
        return found.read()


def sign(archive: Path, key: str) -> Path:
    """Signs the manifest of an archive with a key of gpg's; returns the signature, which lies beside the archive."""
    signature = archive.with_name(archive.name.removesuffix(".tar.gz") + ".MANIFEST.json.asc")
    command = ["gpg", "--batch", "--yes", "--local-user", key, "--detach-sign", "--armor", "--output", str(signature)]
    subprocess.run(command, input=manifest(archive), check=True)
    return signature
