"""What can be wrong with an expression: its text, found once, or the values of a record."""

from __future__ import annotations

from target_aep.errors import MappingSetError

_SHOWN = 40


class ExpressionError(MappingSetError):
    """An expression that can't be used, with the place in its text and what to do.

    Attributes:
        text: The expression.
        position: Where in it, from 0; None where no place is at fault.
        problem: What is wrong, without the place.
    """

    def __init__(self, problem: str, text: str, position: int | None = None) -> None:
        self.text = text
        self.position = position
        self.problem = problem
        super().__init__(f"{problem}{_place(text, position)}")


class EvaluationError(Exception):
    """An expression has no value for a record: Data Prep leaves the field empty and warns."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _place(text: str, position: int | None) -> str:
    """`, at character 7 of "…"`, with the part of a long text that matters."""
    if position is None:
        return f', in "{text if len(text) <= 2 * _SHOWN else text[: 2 * _SHOWN] + "…"}"'
    start, end = max(0, position - _SHOWN), position + _SHOWN
    shown = f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
    return f', at character {position + 1} of "{shown}"'
