"""Where variables and functions live."""

from __future__ import annotations

from typing import Any


class Scope:
    """Variables and functions of one level; `strict` is the version of strict mode, 0 for off."""

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.variables: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.functions: dict[str, Any] = {}
        self.strict: float | None = None if parent else 0
