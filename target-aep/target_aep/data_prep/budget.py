"""What one evaluation of an expression may make, so that a short one can't take all memory or time.

Without a lambda what an expression makes grows with its text, and only long ones are watched. With
lambdas a few words can ask for any number of calls, and for lists that hold themselves many times.
"""

from __future__ import annotations

import time
import typing as t

from target_aep.data_prep import syntax
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.limits import (
    LAMBDA_CALLS,
    MADE_CHARACTERS,
    MADE_ELEMENTS,
    SECONDS,
    UNWATCHED_NODES,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.data_prep.function import Function, Value

_SOURCES = (syntax.Field, syntax.Call, syntax.Method)
_MADE = frozenset({"text", "array", "object"})


def needs_budget(root: syntax.Node) -> bool:
    """Whether an expression can make more than a small multiple of what the record holds."""
    sources = 0
    for node, _ in syntax.walk(root):
        if isinstance(node, syntax.Lambda):
            return True
        sources += isinstance(node, _SOURCES)
    return sources > UNWATCHED_NODES


def makes(
    node: syntax.Node, functions: Mapping[str, Function], methods: Mapping[str, Function]
) -> bool:
    """Whether a node's value is a new one that may be large, not a part of another."""
    if isinstance(node, syntax.Call):
        return node.name == "json_to_object" or functions[node.name].returns in _MADE
    if isinstance(node, syntax.Method):
        return methods[node.name].returns in _MADE
    if isinstance(node, syntax.Binary):
        return node.operator == "+"
    return isinstance(node, (syntax.ArrayLiteral, syntax.SetLiteral, syntax.MapLiteral))


class Budget:
    """Counts what one evaluation makes; generated code calls it."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start an evaluation."""
        self._calls = LAMBDA_CALLS
        self._elements = MADE_ELEMENTS
        self._characters = MADE_CHARACTERS
        self._end = time.monotonic() + SECONDS

    def called(self, value: Value) -> Value:
        """Count a call of a lambda, which gave the value.

        Raises:
            EvaluationError: There were too many, or they took too long.
        """
        self._calls -= 1
        if self._calls < 0:
            raise EvaluationError(f"lambdas are called more than {LAMBDA_CALLS:,} times")
        if time.monotonic() > self._end:
            raise EvaluationError(f"the expression takes more than {SECONDS} s")
        return value

    def made(self, value: Value) -> Value:
        """Count a value that was made, with all that is in it as often as it is in it.

        Raises:
            EvaluationError: It is too large, or all of them are.
        """
        if value.__class__ is str:
            self._characters -= len(value)
        elif isinstance(value, (list, dict)):
            self._count(value)
        if self._characters < 0:
            raise EvaluationError(f"texts of more than {MADE_CHARACTERS >> 20} MiB are made")
        return value

    def _count(self, value: Value) -> None:
        waiting: list[t.Any] = [value]
        while waiting:
            inner = waiting.pop()
            self._elements -= len(inner)
            if self._elements < 0:
                raise EvaluationError(f"lists of more than {MADE_ELEMENTS:,} elements are made")
            for item in inner.values() if isinstance(inner, dict) else inner:
                if item.__class__ is str:
                    self._characters -= len(item)
                elif isinstance(item, (list, dict)):
                    waiting.append(item)
            if self._characters < 0:
                return
