"""What is not known for certain is refused by name, never guessed."""

from __future__ import annotations

from contextvars import ContextVar

# Set while a session runs: whatever differs between versions of PowerShell is then an unknown construct.
STRICT: ContextVar[bool] = ContextVar("strict", default=False)


class UnknownConstruct(Exception):
    """The evaluator does not know this for certain: what it is, and the line of the script."""

    def __init__(self, name: str, line: int = 0) -> None:
        super().__init__(name, line)
        self.name = name
        self.line = line

    def __str__(self) -> str:
        return f"{self.name} (line {self.line})" if self.line else self.name


class Unsure(str):
    """A text that differs between the versions or the languages of PowerShell: a strict session does not show it."""


def differs(what: str) -> None:
    """Refuse, in a strict session, what versions of PowerShell do differently."""
    if STRICT.get():
        raise UnknownConstruct(f"{what}, which differs between versions")


def certain(text: str) -> str:
    """A text that is about to be shown."""
    if isinstance(text, Unsure):
        differs("this text")
        return str(text)
    return text
