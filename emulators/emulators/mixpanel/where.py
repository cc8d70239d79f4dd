"""Segmentation expressions of the `where` parameter.

Grammar and rules: https://docs.mixpanel.com/reference/segmentation-expressions. Beyond that page's
grammar, list literals and `defined()` come from its examples, and `datetime()` with
`properties["$time"]` from connectors that filter by it (airbytehq/airbyte source-mixpanel).
`properties["time"]` is undefined here, since treasure-data/embulk-input-mixpanel found that it
can't be filtered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lark import Lark, LarkError, Transformer, v_args

from emulators.mixpanel.where_rules import (
    BINARY,
    FUNCTIONS,
    UNDEFINED,
    WhereError,
    negation,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Evaluator = Callable[[Mapping[str, Any]], Any]

_GRAMMAR = r"""
?start: disjunction
?disjunction: disjunction "or" conjunction -> either
    | conjunction
?conjunction: conjunction "and" negation -> both
    | negation
?negation: "not" negation -> negated
    | comparison
?comparison: comparison COMPARE sum -> binary
    | comparison IN sum -> binary
    | sum
?sum: sum SIGN product -> binary
    | product
?product: product FACTOR factor -> binary
    | factor
?factor: "-" factor -> minus
    | atom
?atom: ("properties" | "event") "[" STRING "]" -> property
    | FUNCTION "(" disjunction ")" -> call
    | "(" disjunction ")"
    | "[" [item ("," item)*] "]" -> list
    | literal -> constant
?item: literal
    | "-" NUMBER -> negative
?literal: STRING -> text
    | NUMBER -> number
    | "true" -> true
    | "false" -> false
COMPARE: "==" | "!=" | ">=" | "<=" | ">" | "<"
IN.2: /in\b/
SIGN: "+" | "-"
FACTOR: "*" | "/" | "%"
FUNCTION.2: /(defined|number|string|boolean|datetime|floor|round|ceil)\b/
STRING: /"(?:[^"\\]|\\.)*"/
NUMBER: /[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
%import common.WS
%ignore WS
"""


class Filter:
    """A compiled expression: called with an event's properties, says whether the row stays."""

    def __init__(self, expression: str) -> None:
        """Compile.

        Raises:
            WhereError: When the expression can't be parsed or joins what is no boolean.
        """
        try:
            self._evaluate: Evaluator = _PARSER.parse(expression)  # type: ignore[assignment] # the transformer's result
            self._evaluate({})
        except (LarkError, RecursionError, ValueError) as error:
            raise WhereError(str(error).partition("\n")[0]) from error

    def __call__(self, properties: Mapping[str, Any]) -> bool:
        """Whether the expression is true for an event with these properties."""
        try:
            return self._evaluate(properties) is True
        except WhereError:
            return False


def _property(name: str) -> Evaluator:
    if name == "time":
        return lambda _: UNDEFINED
    if name == "$time":
        return lambda properties: properties["time"] / 1000 if "time" in properties else UNDEFINED
    return lambda properties: properties.get(name, UNDEFINED)


@v_args(inline=True)
class _Compiler(Transformer[Any, Any]):
    """Turns each node into a function of an event's properties."""

    def either(self, left: Evaluator, right: Evaluator) -> Evaluator:
        return lambda row: truth(left(row)) or truth(right(row))

    def both(self, left: Evaluator, right: Evaluator) -> Evaluator:
        return lambda row: truth(left(row)) and truth(right(row))

    def negated(self, operand: Evaluator) -> Evaluator:
        return lambda row: negation(operand(row))

    def binary(self, left: Evaluator, symbol: str, right: Evaluator) -> Evaluator:
        apply = BINARY[symbol]
        return lambda row: apply(left(row), right(row))

    def minus(self, operand: Evaluator) -> Evaluator:
        return lambda row: BINARY["-"](0, operand(row))

    def property(self, name: str) -> Evaluator:
        return _property(json.loads(name))

    def call(self, name: str, operand: Evaluator) -> Evaluator:
        apply = FUNCTIONS[name]
        return lambda row: apply(operand(row))

    def list(self, *values: object) -> Evaluator:
        items = [value for value in values if value is not None]
        return lambda _: items

    def constant(self, value: object) -> Evaluator:
        return lambda _: value

    def text(self, token: str) -> str:
        return str(json.loads(token))

    def number(self, token: str) -> int | float:
        return int(token) if token.isdecimal() else float(token)

    def negative(self, token: str) -> int | float:
        return -self.number(token)

    def true(self) -> bool:
        return True

    def false(self) -> bool:
        return False


_PARSER = Lark(_GRAMMAR, parser="lalr", transformer=_Compiler())
