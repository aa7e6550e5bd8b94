# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The scripts that make and remove the machine of a rehearsal, each for one run over SSH. Pure.

A machine is made of a text: its .vmx is written into a folder that was not there, and the host is told of it
(`solo/registervm`, which prints the number that the machine got). Removing is the reverse: `vmsvc/unregister`, which
leaves all files, then the files that a rehearsal and a host make, by their names, then the folder, which must be empty
by then. `vmsvc/destroy` would delete the files of disks, and is not used. That both commands do so on a free host rests
on scripts that people wrote for theirs.

The record beside the folder is the first thing that is written, and the last that goes: what a script leaves that ends
anywhere is known by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.change_script import (
    CLAIM,
    Change,
    ended,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vmx import escaped
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.quote import quote
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import LIST, SEARCH, framed
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import record_file

# What a host may write beside a .vmx of a machine that was never started.
_HOSTS_OWN = (".vmsd", ".vmxf", ".nvram", ".vmx~", "-aux.xml")

# `clear` removes what is left of a machine that the host does not know any more. Where anything else lies there it says
# so, and leaves .vmx and record with it.
_CLEAR = """clear() {
  all=$(vim-cmd vmsvc/getallvms 2>&1 </dev/null)
  case $all in *Vmid*) ;; *) told refused '' echo "the list of VMs was not told: $all"; return 1 ;; esac
  case $all in *"] $name/$name.vmx"*) told stale '' echo "it is registered"; return 1 ;; esac
  for own in $ends; do
    [ ! -f "$folder/$name$own" ] || rm -f "$folder/$name$own"
  done
  for file in "$folder"/* "$folder"/.[!.]*; do
    [ -e "$file" ] || [ -L "$file" ] || continue
    [ "$file" = "$vmx" ] || [ "$file" = "$claim" ] || { told refused '' echo "$file is left"; return 1; }
  done
  [ ! -d "$claim" ] || leave
  [ ! -e "$vmx" ] || rm -f "$vmx"
  [ ! -d "$folder" ] || rmdir "$folder" || { told refused '' echo "$folder could not be removed"; return 1; }
  told step '' rm -f "$record"
}
"""

_MAKE = """same() { [ -f "$1" ] && [ "$(lines '' <"$1" 2>/dev/null)" = "$2" ]; }
trap '' HUP PIPE
make() {
  for there in "$record" "$folder"; do
    [ ! -e "$there" ] || { told exists '' echo "$there"; return; }
  done
  { echo "$text" >"$record"; } 2>/dev/null
  same "$record" "$text" || { rm -f "$record"; told refused '' echo "$record could not be written"; return; }
  mkdir "$folder" 2>/dev/null && { echo "$settings" >"$vmx"; } 2>/dev/null
  same "$vmx" "$settings" || { told refused '' echo "$vmx could not be written"; return; }
  told step '' vim-cmd solo/registervm "$vmx"
}
"""


@dataclass(frozen=True)
class OwnPlace:
    """Where the files of a rehearsal's machine lie: its .vmx in a folder of its name, the record beside that."""

    vmx: str

    @property
    def folder(self) -> str:
        """The path of the folder."""
        return self.vmx.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name of the machine, and of its folder."""
        return self.folder.rpartition("/")[2]

    @property
    def record(self) -> str:
        """The path of the record."""
        return record_file(self.vmx)

    def _words(self) -> str:
        claim = f"{self.vmx.removesuffix('.vmx')}.winbackup.claim"
        named = {"vmx": self.vmx, "folder": self.folder, "name": self.name, "record": self.record, "claim": claim}
        return "".join(f"{word}={quote(value)}\n" for word, value in named.items()) + f"ends='{' '.join(_HOSTS_OWN)}'\n"

    def made(self, record: str, settings: str) -> bytes:
        """Returns the script that writes record and .vmx, and has the host take the machine into its list."""
        texts = f"text={quote(ended(record))}\nsettings={quote(ended(settings))}\n"
        return framed(f"{_MAKE}{self._words()}{texts}make\n")

    def removed(self) -> Change:
        """Returns the change that takes the machine out of the host's list, and removes its files."""
        commands = (
            'said=$(vim-cmd vmsvc/unregister "$vmid" 2>&1 </dev/null); code=$?',
            'said() { echo "$said"; return "$code"; }',
            "[ \"$code\" = 0 ] || { told step '' said; return; }",
            "clear",
        )
        return Change(commands=commands, functions=self._words() + _CLEAR, off=True)

    def leftover(self, record: str, token: str, change: Change | None) -> bytes:
        """Returns the script that does a change where the host knows the machine no more; None removes what is left."""
        commands = change.commands if change is not None else ("clear",)
        lines = [
            "step() {",
            f"same \"$record\" {quote(ended(record))} || {{ told stale '' echo changed; return; }}",
            *commands,
            "}",
            'if ! [ -d "$folder" ]; then step',
            "elif enter; then step; leave",
            "else told refused '' echo \"$said\"; fi",
            "",
        ]
        return framed(f"{CLAIM}{self._words()}token={token}\n{_CLEAR}" + "\n".join(lines))

    def looked_at(self) -> bytes:
        """Returns the script that reads the record and what lies in the folder."""
        return framed(f'{SEARCH}{LIST}told clock \'\' date +%s\n{self._words()}search "$record"\nlist "$folder"\n')


def settings_of(name: str, controllers: Iterable[str]) -> str:
    """Returns the .vmx of a machine without disk and guest system, of a version of hardware that 5.5 knows already."""
    settings = {
        ".encoding": "UTF-8",
        "config.version": "8",
        "virtualHW.version": "10",
        "displayName": name,
        "annotation": "Made by winbackup.storage.rdm_rehearsal, which removes it again. It has no guest system.",
        "guestOS": "other",
        "numvcpus": "1",
        "memSize": "32",
    }
    for controller in controllers:
        settings[f"{controller}.present"] = "TRUE"
    settings["scsi0.virtualDev"] = "lsilogic"
    return "".join(f'{key} = "{escaped(value)}"\n' for key, value in settings.items())
