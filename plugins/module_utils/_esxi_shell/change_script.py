# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The scripts that change something on a host: one step each, and its conditions before it, in one run over SSH. Pure.

A script is read whole before it begins, does one step and ends, whatever becomes of who sent it. It begins with the
claim, a folder beside the .vmx that one script at a time can make; in it stands who holds it: time, host and process.
One whose process is gone is taken over by renaming what stands in it, which only one can do.

What a step is bound to is compared by the host itself, text by text: the .vmx, and the records beside it. A text that
is to be kept is written aside, read back, and moved into its place.

Sections of the answer: `step` is what the command printed, with its exit code; `stale` and `refused` say why nothing
was done; `query` is what vmkfstools says of the file afterwards, `kept` whether the old mapping file is still there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.quote import quote
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import framed
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.stores import KeptTexts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import extent_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import record_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility

_CREATE = {Compatibility.VIRTUAL: "-r", Compatibility.PHYSICAL: "-z"}
_VMID = re.compile(r"\d{1,9}", re.ASCII)

# A claim of another host, whose processes cannot be asked for, counts as dead after 300 s.
CLAIM = """trap '' HUP PIPE
host=$(hostname 2>/dev/null || uname -n); host=${host%%[!A-Za-z0-9-]*}
enter() {
  tries=0
  while [ "$tries" -lt 60 ]; do
    now=$(date +%s); me=$now.$$.$host.$token
    if mkdir "$claim" 2>/dev/null; then
      mkdir "$claim/$me" 2>/dev/null && return 0
    elif ! [ -d "$claim" ]; then
      said=$(mkdir "$claim" 2>&1) && rmdir "$claim"
      [ -z "$said" ] || return 1
    else
      held=
      for one in "$claim"/*; do [ -d "$one" ] && held=${one##*/}; done
      if [ -z "$held" ]; then
        rmdir "$claim" 2>/dev/null
      else
        since=${held%%.*}; rest=${held#*.}; process=${rest%%.*}; rest=${rest#*.}; where=${rest%%.*}
        case $since.$process in *[!0-9.]*) since=0; process=0 ;; esac
        dead=
        if [ "$where" = "$host" ]; then kill -0 "$process" 2>/dev/null || dead=1
        elif [ "$((now - since))" -gt 300 ] || [ "$((since - now))" -gt 300 ]; then dead=1; fi
        if [ -n "$dead" ] && mv "$claim/$held" "$claim/$me" 2>/dev/null; then
          rm -f "$claim/$me/new"
          return 0
        fi
      fi
    fi
    tries=$((tries + 1))
    sleep 1
  done
  if [ -n "$held" ]; then said="another run holds $claim ($held: its time, process and host)"
  else said="$claim has in it what no run made"; fi
  said="$said. If no run is under way, remove that folder"
  return 1
}
leave() {
  [ ! -e "$claim/$me/new" ] || rm -f "$claim/$me/new"
  rmdir "$claim/$me" "$claim" 2>/dev/null
}
same() { [ -f "$1" ] && [ "$(lines '' <"$1" 2>/dev/null)" = "$2" ]; }
put() {
  echo "$2" 2>/dev/null >"$claim/$me/new" && same "$claim/$me/new" "$2" && mv "$claim/$me/new" "$1" && return 0
  told refused '' echo "$1 could not be written"
  return 1
}
off() {
  state=$(vim-cmd vmsvc/power.getstate "$vmid" 2>&1 </dev/null)
  case $state in *'Powered off'*) ;; *) told stale '' echo "$state"; return 1 ;; esac
  state=$(vim-cmd vmsvc/snapshot.get "$vmid" 2>&1 </dev/null)
  case $state in *'|-'*|*'-Snapshot Name'*) ;; *'Get Snapshot:'*) return 0 ;; esac
  told stale '' echo "$state"
  return 1
}
"""

# 5.5 may refuse the word for the controller, 8.0 may demand it. Without it a SCSI controller is meant, and no other.
_DEVICE = """device() {
  said=$(vim-cmd "$@" "$family" 2>&1 </dev/null); code=$?
  if [ "$code" != 0 ] && [ "$family" = scsi ]; then
    case $said in
      *'(vim.'*|*'(vmodl.'*) ;;
      *[Uu]sage*) said=$(vim-cmd "$@" 2>&1 </dev/null); code=$? ;;
    esac
  fi
  echo "$said"
  return "$code"
}
"""

_START = """start() {
  vim-cmd vmsvc/power.on "$vmid" 2>&1 </dev/null &
  waited=0
  while kill -0 "$!" 2>/dev/null && [ "$waited" -lt 40 ]; do
    sleep 1
    waited=$((waited + 1))
    [ "$((waited % 3))" = 0 ] || continue
    state=$(vim-cmd vmsvc/power.getstate "$vmid" 2>&1 </dev/null)
    case $state in *'Powered on'*) break ;; esac
    question=$(vim-cmd vmsvc/message "$vmid" 2>&1 </dev/null)
    case $question in *'message '*:*) echo "It asks: $question"; kill "$!"; return 1 ;; esac
  done
  kill "$!" 2>/dev/null && return 0
  wait "$!"
}
"""


@dataclass(frozen=True)
class Change:
    """What one script does: `texts` are the records to write (None: to remove), by address, before `commands`.

    `off` asks that the VM is off and has no snapshot, `settled` that its .vmx is what it was.
    """

    texts: Mapping[str, str | None] = field(default_factory=dict)
    commands: Sequence[str] = ()
    functions: str = ""
    off: bool = False
    settled: bool = True


def change_script(vmid: str, kept: KeptTexts, token: str, change: Change) -> bytes:
    """Returns the script for one change of a VM whose texts are as they were read."""
    if not _VMID.fullmatch(vmid):
        raise ValueError(f"{vmid!r} is no number of a VM")
    stem = kept.vmx.removesuffix(".vmx")
    lines = [f"vmid={vmid}", f"vmx={quote(kept.vmx)}", f"claim={quote(f'{stem}.winbackup.claim')}", f"token={token}"]
    lines += ["step() {", *_conditions(kept, change), *_records(kept.vmx, change.texts), *change.commands, "}"]
    lines += ["if enter; then step; leave; else told refused '' echo \"$said\"; fi", ""]
    return framed(CLAIM + change.functions + "\n".join(lines))


def _conditions(kept: KeptTexts, change: Change) -> list[str]:
    lines = []
    stale = "|| { told stale '' echo 'a record beside its .vmx is another one, or too large to be one'; return; }"
    if change.settled:
        other = "|| { told stale '' echo 'its .vmx is another one'; return; }"
        lines.append(f'same "$vmx" {quote(ended(kept.text))} {other}')
    prefix = quote(record_file(kept.vmx, "").removesuffix(".json"))
    beside = [path for path in kept.records if path.startswith(record_file(kept.vmx, "").removesuffix(".json"))]
    lines += ["found=0", f'for file in {prefix}*.json; do [ ! -e "$file" ] || found=$((found + 1)); done']
    lines.append(f'[ "$found" = {len(beside)} ] {stale}')
    lines += [f"same {quote(path)} {quote(ended(text))} {stale}" for path, text in sorted(kept.records.items())]
    if change.off:
        lines.append("off || return")
    return lines


def _records(vmx: str, texts: Mapping[str, str | None]) -> list[str]:
    lines = []
    for address, text in sorted(texts.items()):
        file = quote(record_file(vmx, address))
        lines.append(f"rm -f {file}" if text is None else f"put {file} {quote(text)} || return")
    return lines


def ended(text: str) -> str:
    """Returns a text as the shell has it of a command: without the ends of lines after its last."""
    return text.rstrip("\n")


def recorded(texts: Mapping[str, str | None]) -> Change:
    """Returns the change that writes records and does nothing else."""
    return Change(texts, ("told step '' true",))


def detached(texts: Mapping[str, str | None], place: str, family: str, file: str) -> Change:
    """Returns the change that takes a disk off; `place` is its bus and unit. Its file is looked for afterwards."""
    commands = (
        f"family={quote(family)}",
        f"told step '' device vmsvc/device.diskremove \"$vmid\" {place} n",
        f"told kept '' [ -f {quote(file)} ]",
    )
    return Change(texts, commands, _DEVICE, off=True)


def attached(texts: Mapping[str, str | None], place: str, family: str, file: str) -> Change:
    """Returns the change that attaches a mapping file."""
    commands = (
        f"family={quote(family)}",
        f"file={quote(file)}",
        'query=$(vmkfstools -q "$file" 2>&1 </dev/null)',
        "case $query in *[Rr]'aw '[Dd]'evice '[Mm]apping*) ;; *) told refused '' echo \"$query\"; return ;; esac",
        f'told step \'\' device vmsvc/device.diskaddexisting "$vmid" "$file" {place}',
    )
    return Change(texts, commands, _DEVICE, off=True)


def created(device: str, file: str, mode: Compatibility) -> Change:
    """Returns the change that makes a mapping file of a device, where there is none of that name."""
    extent = extent_of(file, mode)
    commands = (
        f"device={quote(device)}",
        f"file={quote(file)}",
        f'for there in "$file" {quote(extent)}; do',
        '  [ ! -e "$there" ] || { told exists \'\' echo "$there"; return; }',
        "done",
        '[ -e "$device" ] || { told refused \'\' echo "$device is not there"; return; }',
        f'told step \'\' vmkfstools {_CREATE[mode]} "$device" "$file"',
        'told query "$file" vmkfstools -q "$file"',
    )
    return Change(commands=commands, off=True)


def edited(texts: Mapping[str, str | None], text: str) -> Change:
    """Returns the change that puts another text into the place of the .vmx, and has the host read it."""
    # A copy keeps owner and mode of the file; its text is the new one before it is moved.
    commands = (
        'cp -p "$vmx" "$claim/$me/new" || { told refused \'\' echo "$vmx could not be copied"; return; }',
        f'put "$vmx" {quote(ended(text))} || return',
        "told step '' vim-cmd vmsvc/reload \"$vmid\"",
    )
    return Change(texts, commands, off=True)


def powered(verb: str) -> Change:
    """Returns the change that asks for another state of power: `power.shutdown` or `power.off`."""
    return Change(commands=(f"told step '' vim-cmd vmsvc/{verb} \"$vmid\"",), settled=False)


def started() -> Change:
    """Returns the change that starts the VM; a question that it asks is told, and not answered."""
    return Change(commands=("told step '' start",), functions=_START, settled=False)


def deleted(file: str, vmls: Sequence[str], *, off: bool = False) -> Change:
    """Returns the change that deletes a mapping file, once vmkfstools has called it one of a LUN with one of these
    ids (KB 1026256: the LUN's data are not touched); `off` where the VM must be off for that."""
    words = " ".join(quote(vml) for vml in vmls)
    commands = (
        f"file={quote(file)}",
        'query=$(vmkfstools -q "$file" 2>&1 </dev/null) || { told refused \'\' echo "$query"; return; }',
        "case $query in *[Rr]'aw '[Dd]'evice '[Mm]apping*) ;; *) told refused '' echo \"$query\"; return ;; esac",
        "mine=",
        f'for vml in {words}; do case $query in *"aps to: $vml") mine=1 ;; esac; done',
        '[ -n "$mine" ] || { told refused \'\' echo "$query"; return; }',
        "told step '' vmkfstools -U \"$file\"",
    )
    return Change(commands=commands, off=off)
