# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run by the Python that has ansible-rulebook: what it says of rulebooks, without its engine, which needs Java.

Prints a table as JSON: why a file is refused, or null."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import sys
from pathlib import Path

import yaml
from ansible_rulebook import collection
from ansible_rulebook.rules_parser import parse_rule_sets
from ansible_rulebook.validators import Validate

# It starts ansible-galaxy each time that it looks for a collection.
collection.find_collection = functools.cache(collection.find_collection)


def refusal(path: str) -> str | None:
    """Returns why a rulebook is refused: by the schema, or by the parser of conditions; None where it is not."""
    rule_sets = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    try:
        # They print what they find wrong.
        with contextlib.redirect_stdout(io.StringIO()):
            Validate.rulebook(rule_sets)
            parse_rule_sets(rule_sets, {})
    except Exception as error:  # whatever it is, it is a refusal
        return f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    print(json.dumps({path: refusal(path) for path in sys.argv[1:]}))
