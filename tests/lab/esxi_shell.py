# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ESXi shell of a host of the lab vCenter: a real sshd, a real BusyBox, and the host's own programs, which ask the
lab's model.

A session sees a root of its own: `/vmfs/volumes` with the datastores that the host mounts, shared with the other hosts
as on a SAN; `/vmfs/devices/disks` with devices of the right size that hold nothing; and of BusyBox what ESXi has of it.
Every program, each applet too, is a program of the lab that first asks what is to happen (`esxi/main.go`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from go_programs import build_program
from openssh import SshServer
from vcenter_lab import VcenterLab

SOURCE = Path(__file__).resolve().parent / "esxi"
PROGRAMS = (
    "vmkfstools",
    "esxcli",
    "esxcfg-scsidevs",
    "vim-cmd",
    "vmware",
    "hostname",
    "uname",
    "df",
    "date",
    "partedUtil",
)
# What sources use. Not there, because older hosts or all lack it: stat, timeout, base64, cmp, nc, flock, tac, and the
# built-in `command` of ash. Nor is ps, whose form on ESXi is its own, and which no source shows.
APPLETS = (
    "awk basename cat chmod chown cp cut date dd diff dirname du echo egrep env expr false fgrep find grep gunzip gzip",
    "head hexdump id kill less ln ls md5sum mkdir mkfifo mktemp more mv nohup od printf pwd readlink rm rmdir sed seq",
    "sha1sum sleep sort sync tail tar tee test touch tr true uniq usleep vi wc which xargs [",
)
BANNER = "The lab's ESXi: a model made from documentation.\n"
_SHELLS = ("sh", "ash")


class EsxiShell(SshServer):
    """The shell of one host, for the user of the tests, who has a key and is root there."""

    def __init__(self, lab: VcenterLab, host: str, stores: Path, *, without: Iterable[str] = ()) -> None:
        """`stores` is where the datastores of all hosts of this lab are kept; `without` are applets that lack too."""
        self.host = host
        self._lab = lab
        self._root = Path(tempfile.mkdtemp(prefix="esxi-"))
        self.stores = stores
        session = self._root / "session"
        banner = self._root / "banner"
        banner.write_text(BANNER, encoding="utf-8")
        super().__init__(self._root, f"exec /bin/sh {session}", f"Banner {banner}\n")
        self._lay(without)
        session.write_text(self._session(), encoding="utf-8")
        lab.control("POST", "/shells", {"host": host, "root": str(self._root / "root"), "stores": str(stores)})
        self._start()

    def __enter__(self) -> EsxiShell:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the port and all connections, and removes the host's root."""
        super().close()
        self._lab.control("DELETE", f"/shells/{self.host}")
        shutil.rmtree(self._root, ignore_errors=True)

    def fill_ramdisk(self) -> None:
        """Leaves no room in /tmp for any file, in sessions that start from now on."""
        (self._root / "full").touch()

    def run(
        self, command: str, stdin: bytes = b"", *, fresh: bool = False, timeout: float = 60
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a command line over OpenSSH's client, which keeps its connection for the next; not if it is fresh."""
        program, *words = self.client(command)
        if not fresh:
            kept = {"ControlMaster": "auto", "ControlPersist": "60", "ControlPath": f"{self._root}/kept"}
            program, *words = [program, *(word for item in kept.items() for word in ("-o", "=".join(item))), *words]
        return subprocess.run([program, *words], input=stdin, capture_output=True, timeout=timeout, check=False)

    def text(self, command: str) -> str:
        """Returns what a command prints; fails where it fails."""
        done = self.run(command)
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout.decode()

    def _lay(self, without: Iterable[str]) -> None:
        """Makes the root of the host: BusyBox with the libraries that it needs, the programs, the folders."""
        root = self._root / "root"
        for folder in ("bin", "lab", "tmp", "dev", "etc", "vmfs/volumes", "vmfs/devices/disks", "vmfs/devices/cdrom"):
            (root / folder).mkdir(parents=True)
        (root / "dev/null").touch()
        busybox = shutil.which("busybox")
        if busybox is None:
            raise RuntimeError("the ESXi shell needs busybox")
        (root / "lab/busybox").write_bytes(_less(Path(busybox).read_bytes()))
        (root / "lab/busybox").chmod(0o755)
        for library in _libraries(busybox):
            target = root / library.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
        shutil.copy(build_program(SOURCE, "esxi-programs"), root / "lab/lab-session")
        for name in _SHELLS:
            (root / "bin" / name).symlink_to("/lab/busybox")
        for name in {*PROGRAMS, *" ".join(APPLETS).split()} - set(without):
            (root / "bin" / name).symlink_to("/lab/lab-session")

    def _session(self) -> str:
        """Returns what a session does: it mounts what the host mounts, where only it sees that, and goes there."""
        root, own = self._root / "root", "" if os.geteuid() == 0 else "-r"
        # The processes of one connection are a group, which sshd itself leads.
        return f"""
read -r _ _ _ _ group _ < /proc/$PPID/stat
export LAB_CONNECTION=$group LAB_ROOT={root} LAB_STORES={self.stores}
exec unshare -m {own} /bin/sh -c '
mount --bind /dev/null "$LAB_ROOT/dev/null" || exit 125
for folder in "$LAB_ROOT"/vmfs/volumes/*; do
    store=$LAB_STORES/${{folder##*/}}
    [ -L "$folder" ] || [ ! -d "$store" ] || mount --bind "$store" "$folder" || exit 125
done
[ ! -e "$LAB_ROOT/../full" ] || mount -t tmpfs -o size=4k,nr_inodes=1 tmpfs "$LAB_ROOT/tmp" || exit 125
[ -z "${{SSH_ORIGINAL_COMMAND+given}}" ] || set -- "SSH_ORIGINAL_COMMAND=$SSH_ORIGINAL_COMMAND"
exec env -i "$@" LAB_CONNECTION="$LAB_CONNECTION" PATH=/bin:/sbin HOME=/ /usr/sbin/chroot "$LAB_ROOT" /lab/lab-session
'
"""


def _less(busybox: bytes) -> bytes:
    """Takes the built-in `command` away: ash finds its built-ins by name, and this one is called otherwise.

    The name still sorts where it stood, as ash searches a sorted table.
    """
    there = busybox.count(b"2command\0")
    if there != 1:
        raise RuntimeError(f"this busybox has {there} places that may be the built-in `command`")
    return busybox.replace(b"2command\0", b"2commanc\0")


def _libraries(program: str) -> list[Path]:
    """Returns the shared libraries of a program; none of one that is linked statically."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=30, check=False).stdout
    return [Path(word) for word in said.split() if word.startswith("/")]
