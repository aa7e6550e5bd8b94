# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The scripts that read a host, each for one run over SSH: BusyBox alone, nothing written, the answer framed.

Each line of the answer begins with what it is: `=` a section, `>` what the section is about, `|` what was printed. The
last two lines of a section are empty and the exit code. So no text of the host can look like a part of the frame. The
answer stands between `=begin` and `=end`, the latter with a checksum, where the host has an applet for one.

A word on the applets: `stat`, `timeout`, `base64`, `command` and others are not on every host. `echo`, `read`, `case`,
and `[` are the shell's own, and start no program.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.quote import quote
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JOURNAL_KEY
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import RECORD_ENDING

# The shell reads a script to its end before it begins with it, and gives none of it to the commands.
COMMAND = "sh -s"
BEGIN, END = "=begin", "=end"

_LINES = """lines() {
  while IFS= read -r line || [ -n "$line" ]; do
    echo "$1$line"
    case $line in *[Rr]aw[Dd]evice[Mm]ap*) mapping=1 ;; esac
  done
}
"""

# What was printed with the exit code at its end; a command gets no input.
_TOLD = """told() {
  echo "=$1"
  if [ -n "$2" ]; then echo "$2" | lines '>'; else echo '>'; fi
  shift 2
  { "$@" 2>&1 </dev/null; code=$?; echo; echo "$code"; } | lines '|'
}
"""

# One file, and what vmkfstools says of it where it describes a mapping. It is small: an extent is as large as its LUN,
# and to read one would be to read the LUN.
_FILE = (
    _LINES
    + _TOLD
    + """echo =file
echo "$1" | lines '>'
mapping=
{ lines '|' <"$1"; } 2>/dev/null
code=$?
echo '|'
echo "|$code"
[ -z "$mapping" ] || told query "$1" vmkfstools -q "$1"
"""
)

# What changes while a conversion goes on: whether the host takes part, and its devices.
_NOW = """told clock '' date +%s
told host '' vim-cmd hostsvc/hostsummary
json=$(esxcli --debug --formatter=json storage core device list 2>/dev/null </dev/null) || json=
case $json in
  *'"Device"'*) told devices_json '' echo "$json" ;;
  *) told devices '' esxcli storage core device list ;;
esac
told disks '' ls -l /vmfs/devices/disks
"""

_HOST = """told system '' uname
told name '' hostname
told version '' vmware -v
told machines '' vim-cmd vmsvc/getallvms
told capacities '' esxcli storage core device capacity list
told paths '' esxcli storage core path list
told filesystems '' esxcli storage filesystem list
told extents '' esxcli storage vmfs extent list
told dumps '' esxcli system coredump partition list
told vsan '' esxcli vsan storage list
"""

SEARCH = f"""read_file={quote(_FILE)}
search() {{
  find "$1" -type f \\( -name '*.vmx' -size -1024k -o -size -64k \\( -name '*.{JOURNAL_KEY}*.json' \\
    -o -name '*{RECORD_ENDING}' -o -name '*.vmdk' ! -name '*-flat.vmdk' \\
    ! -name '*-delta.vmdk' ! -name '*-sesparse.vmdk' ! -name '*-ctk.vmdk' \\) \\) \\
    -exec sh -c "$read_file" sh {{}} \\; 2>/dev/null
}}
"""

_EVERYWHERE = """for volume in /vmfs/volumes/*; do
  if [ -d "$volume" ] && ! [ -L "$volume" ]; then
    search "$volume"
    told searched "$volume" echo "$?"
  fi
done
"""

LIST = """list() {
  [ -d "$1" ] || { told missing "$1" true; return; }
  for file in "$1"/* "$1"/.[!.]*; do
    [ -e "$file" ] || [ -L "$file" ] || continue
    told entry "$file" true
  done
  [ -r "$1" ] && [ -x "$1" ] && told listed "$1" true
}
"""

_FRAME = """main() {{
  answer=$(gather)
  if sum=$(echo "$answer" | md5sum 2>/dev/null); then kind=md5
  elif sum=$(echo "$answer" | sha1sum 2>/dev/null); then kind=sha1
  else kind=none; fi
  echo '{begin}'
  echo "$answer"
  echo "{end} $kind ${{sum%% *}}"
}}
main </dev/null
exit 0
"""


def framed(body: str) -> bytes:
    """Returns the script that runs a body whose output is sections, once all of it has come."""
    frame = _FRAME.format(begin=BEGIN, end=END)
    return f"{_LINES}{_TOLD}gather() {{\n{body}}}\n{frame}".encode("utf-8", "surrogateescape")


def host_script() -> bytes:
    """Returns the script that reads the host, its devices, its datastores, and the settings and disks of all VMs."""
    return framed(_HOST + _NOW + SEARCH + _EVERYWHERE)


def machines_script(vmids: Iterable[str]) -> bytes:
    """Returns the script that asks the host's management for these VMs."""
    return framed("".join(_asked(quote(vmid)) for vmid in vmids))


def look_script(vmid: str, folders: Iterable[str]) -> bytes:
    """Returns the script that reads a VM whose files lie in these folders, and what may have changed of its host."""
    searches = "".join(f"search {quote(folder)}\n" for folder in sorted(folders))
    return framed(_NOW + SEARCH + searches + _asked(quote(vmid)))


def folders_script(folders: Iterable[str]) -> bytes:
    """Returns the script that lists folders, and reads the descriptors in them."""
    asked = "".join(f"list {quote(folder)}\nsearch {quote(folder)}\n" for folder in sorted(folders))
    return framed(SEARCH + LIST + asked)


def clock_script() -> bytes:
    """Returns the script that reads the host's clock."""
    return framed("told clock '' date +%s\n")


def _asked(vmid: str) -> str:
    return (
        f"told summary {vmid} vim-cmd vmsvc/get.summary {vmid}\n"
        f"told config {vmid} vim-cmd vmsvc/get.config {vmid}\n"
        f"told hardware {vmid} vim-cmd vmsvc/device.getdevices {vmid}\n"
        f"told snapshots {vmid} vim-cmd vmsvc/snapshot.get {vmid}\n"
    )
