# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module show: lines on the screen as they are, where the screen is read by people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.color import stringc
from ansible.utils.display import get_text_width

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import as_sentence

# Callback plugins whose output is read by programs: a line in between would break it.
_DATA = {"json", "jsonl", "junit", "minimal", "null", "oneline", "tree"}
_COLOURS = {"error": "COLOR_ERROR", "warning": "COLOR_WARN"}
_PASTED = "ansible-playbook "
_NARROWEST = 40


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action plugin."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the lines; raises AnsibleActionFail for options that are none."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        spec = {"lines": {"type": "list", "elements": "str", "required": True}}
        _validation, options = self.validate_argument_spec(spec)
        lines = [str(line) for line in options["lines"]]
        result.update(changed=False, lines=lines)
        if lines and not self._task.no_log and not _output_is_data():
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            # In one piece, so that the lines of hosts that work side by side do not mix.
            self._display.display("\n".join(_coloured(as_sentence(line), width) for line in lines))
        return result


def _coloured(line: str, width: int | None) -> str:
    text = "\n".join(broken(line, width))
    colour = _COLOURS.get(line.lstrip(" ").partition(" ")[0])
    return str(stringc(text, getattr(constants, colour))) if colour else text


def _output_is_data() -> bool:
    callback = constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK")
    return str(callback).rpartition(".")[2] in _DATA


def broken(line: str, width: int | None) -> Iterator[str]:
    """Yields a line in pieces that are no wider than `width`, where its words allow that; whole without a width."""
    if width is None or width < _NARROWEST or _PASTED in line or get_text_width(line) < width:
        yield line
        return
    indent = line[: len(line) - len(line.lstrip(" "))]
    piece = indent
    for word in line.split():
        following = f"{piece} {word}" if piece.strip() else f"{piece}{word}"
        if piece.strip() and get_text_width(following) >= width:
            yield piece
            following = f"{indent}  {word}"
        piece = following
    yield piece
