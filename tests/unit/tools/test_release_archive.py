# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive of a release is the same wherever it is built; its signature is what ansible-galaxy verifies."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import release_archive  # noqa: E402
import release_signature  # noqa: E402

TEXTS = {
    "README.md": b"# A collection\n",
    "plugins/modules/a.py": b"pass\n",
    "docs/日本.md": b"x",
}
STAMP = 1_700_000_000


def built(place: Path, names: list[str], time: int) -> Path:
    """Writes an archive as ansible-galaxy does: FILES.json in the order of `names`, files of one `time`."""
    files = [{"name": ".", "ftype": "dir", "chksum_type": None, "chksum_sha256": None, "format": 1}]
    for name in names:
        chksum = hashlib.sha256(TEXTS[name]).hexdigest()
        files.append({"name": name, "ftype": "file", "chksum_type": "sha256", "chksum_sha256": chksum, "format": 1})
    listed = json.dumps({"files": files, "format": 1}, indent=True).encode()
    of_list = {"name": "FILES.json", "ftype": "file", "chksum_type": "sha256", "chksum_sha256": "", "format": 1}
    of_list["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    manifest = json.dumps({"collection_info": {}, "file_manifest_file": of_list, "format": 1}, indent=True).encode()
    with tarfile.open(place, "w:gz") as archive:
        for name, content in [("MANIFEST.json", manifest), ("FILES.json", listed), *((n, TEXTS[n]) for n in names)]:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname, member.mode = len(content), time, "someone", 0o644
            archive.addfile(member, io.BytesIO(content))
    return place


def test_another_time_and_another_order_of_files_make_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1.tar.gz", tmp_path / "2.tar.gz"
    release_archive.repack(built(tmp_path / "a.tar.gz", list(TEXTS), 1), first, STAMP)
    release_archive.repack(built(tmp_path / "b.tar.gz", list(reversed(TEXTS)), 2), second, STAMP)
    assert first.read_bytes() == second.read_bytes()


def test_an_archive_that_was_written_anew_holds_what_it_lists(tmp_path: Path) -> None:
    archive = tmp_path / "1.tar.gz"
    release_archive.repack(built(tmp_path / "a.tar.gz", list(TEXTS), 1), archive, STAMP)
    with tarfile.open(archive) as opened:
        held = {name: opened.extractfile(name).read() for name in opened.getnames()}  # type: ignore[union-attr]
        assert {(member.mtime, member.uid, member.uname) for member in opened} == {(STAMP, 0, "")}
    assert list(held)[:2] == ["FILES.json", "MANIFEST.json"]
    assert {name: held[name] for name in TEXTS} == TEXTS
    listed = {entry["name"]: entry["chksum_sha256"] for entry in json.loads(held["FILES.json"])["files"]}
    assert listed == {".": None, **{name: hashlib.sha256(text).hexdigest() for name, text in TEXTS.items()}}
    manifest = json.loads(held["MANIFEST.json"])
    assert manifest["file_manifest_file"]["chksum_sha256"] == hashlib.sha256(held["FILES.json"]).hexdigest()
    assert release_archive.manifest(archive) == held["MANIFEST.json"]


def test_a_link_is_no_part_of_a_release(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ValueError, match="link is neither a file nor a folder"):
        release_archive.repack(tmp_path / "a.tar.gz", tmp_path / "1.tar.gz", STAMP)


@pytest.mark.slow
def test_ansible_galaxy_accepts_the_signature_and_notices_what_was_changed_after_it(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (small / "README.md").write_text("# A collection\n", encoding="utf-8")
    (small / "galaxy.yml").write_text(
        "namespace: winbackup\nname: storage\nversion: 1.0.0\nreadme: README.md\nauthors: [us]\n", encoding="utf-8"
    )
    archive = release_archive.build(small, tmp_path / "out", STAMP)
    assert release_signature.rehearse(archive) is None
