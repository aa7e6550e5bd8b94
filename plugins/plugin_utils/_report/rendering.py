# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The templates beside this file, with every value made harmless where it is written.

Jinja2 escapes each value; before that `printable` makes every character of it visible, so that no name can pass for
another one. What goes to the page's script as data goes through `embedded` alone.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import printable

# What JSON writes for a character that cannot be seen; a letter behind a backslash may look like one, which costs time.
_ESCAPED = re.compile(r"\\(?:[bfnrt]|u00[01])")
_TEMPLATES = Path(__file__).resolve().parent / "templates"


def rendered(template: str, values: dict[str, object]) -> str:
    """Returns the text of a template with these values."""
    return _environment().get_template(template).render(values)


def policy() -> str:
    """Returns the content security policy: this very style and this very script, and no request to anywhere."""
    return (
        f"default-src 'none'; style-src {_hash(_text('style.css'))}; script-src {_hash(_text('script.js'))}; "
        "base-uri 'none'; form-action 'none'"
    )


def shown(value: object) -> object:
    """Returns a value as it is written into a template: text with every character visible, None as nothing."""
    if value is None:
        return ""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def embedded(value: object) -> Markup:
    """Returns data as JSON for a script element: whatever is in it, it can neither end the element nor open one."""
    text = _json(value)
    # Nearly always there is nothing to make visible in megabytes of names; the wide space of Japanese is none of it.
    if _ESCAPED.search(text) or not text.replace("\u3000", " ").isprintable():
        text = _json(_all_shown(value))
    return text


def _json(value: object) -> Markup:
    return htmlsafe_json_dumps(value, ensure_ascii=False, separators=(",", ":"))


def _all_shown(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _all_shown(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_all_shown(member) for member in value]
    return value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embedded"] = embedded
    # The two files are our own, the same for every page, and the policy names their digests.
    environment.globals.update(style=Markup(_text("style.css")), script=Markup(_text("script.js")))
    return environment


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
