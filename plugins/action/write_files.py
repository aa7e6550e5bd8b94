# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module write_files: texts into one directory of the controller, without a module's start for each of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_FOLDER_MODE, _FILE_MODE = 0o750, 0o640


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action plugin."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the files that were written; raises AnsibleActionFail where one cannot be."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        spec = {"path": {"type": "path", "required": True}, "files": {"type": "dict", "required": True}}
        _validation, options = self.validate_argument_spec(spec)
        try:
            written = write_files(Path(options["path"]), options["files"], only_look=bool(self._task.check_mode))
        except ValueError as error:
            raise AnsibleActionFail(f"files: {error}") from error
        except OSError as error:
            where = error.filename or options["path"]
            # Ansible would say the cause once more behind it, in Python's words.
            raise AnsibleActionFail(f"{where} cannot be written: {error.strerror or error}.") from None
        result.update(changed=bool(written), files=written)
        return result


def write_files(folder: Path, texts: Mapping[str, object], *, only_look: bool) -> list[str]:
    """Writes the texts that the folder does not hold already; returns the paths of their files.

    Raises ValueError for what is no name of a file, OSError.
    """
    for name in texts:
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is no name of a file; give names without a directory.")
    contents = {folder / name: str(text).encode("utf-8", "surrogateescape") for name, text in texts.items()}
    wanted = [file for file, content in contents.items() if not _holds(file, content)]
    if wanted and not only_look:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        for file in wanted:
            _write(file, contents[file])
    return [str(file) for file in wanted]


def _holds(file: Path, content: bytes) -> bool:
    """Tells whether a file holds this and nothing else; one that may not be read does not."""
    try:
        return file.stat().st_size == len(content) and file.read_bytes() == content
    except OSError:
        return False


def _write(file: Path, content: bytes) -> None:
    if file.is_dir():
        raise IsADirectoryError(0, "it is a directory", str(file))
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            os.fchmod(handle, _FILE_MODE)
            opened.write(content)
        os.replace(beside, file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
