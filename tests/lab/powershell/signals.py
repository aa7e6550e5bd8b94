"""How control leaves a statement other than by its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stages import Stage


class ReturnSignal(Exception):
    pass


class LoopSignal(Exception):
    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class BreakSignal(LoopSignal):
    pass


class ContinueSignal(LoopSignal):
    pass


class ExitSignal(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class StopUpstream(Exception):
    """A stage has all it wants (Select-Object -First): nothing before it is run any more."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
