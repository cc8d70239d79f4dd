"""What kind of value an expression gives, as far as its text tells."""

from __future__ import annotations

import typing as t

from target_aep.data_prep import syntax
from target_aep.data_prep.comparison import COMPARISONS

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.data_prep.function import Function, Kind
    from target_aep.data_prep.syntax import Node

_NUMERIC = frozenset({"integer", "number"})
_BOOLEAN_OPERATORS = frozenset(COMPARISONS)
_OF_TYPES: dict[type[Node], Kind] = {
    syntax.Text: "text",
    syntax.Logical: "boolean",
    syntax.ArrayLiteral: "array",
    syntax.SetLiteral: "array",
    syntax.MapLiteral: "object",
}


class Kinds:
    """Tells kinds, given the functions and methods there are."""

    def __init__(self, functions: Mapping[str, Function], methods: Mapping[str, Function]) -> None:
        self._functions = functions
        self._methods = methods

    def of(self, node: Node) -> Kind:
        """The kind of value that a node gives; `any` where it can't be told. Null is of each."""
        if isinstance(node, syntax.Call):
            return self._functions[node.name].returns
        if isinstance(node, syntax.Method):
            return self._methods[node.name].returns
        if isinstance(node, syntax.Unary):
            return self._of_unary(node)
        if isinstance(node, syntax.Binary):
            return self._of_binary(node)
        if isinstance(node, syntax.Conditional):
            return self._common(node.then, node.otherwise)
        return _always(node)

    def _of_unary(self, node: syntax.Unary) -> Kind:
        if node.operator in {"!", "empty"}:
            return "boolean"
        if node.operator in {"size", "~"}:
            return "integer"
        kind = self.of(node.operand)
        return kind if kind in _NUMERIC else "any"

    def _of_binary(self, node: syntax.Binary) -> Kind:
        if node.operator in _BOOLEAN_OPERATORS:
            return "boolean"
        if node.operator in {"?:", "??"}:
            return self._common(node.left, node.right)
        if node.operator in {"&", "|", "^"}:
            return "integer"
        kinds = {self.of(node.left), self.of(node.right)}
        if kinds == {"integer"}:
            return "integer"
        if kinds == {"text"} and node.operator == "+":
            return "text"
        return "number" if node.operator != "+" or kinds <= _NUMERIC else "any"

    def _common(self, *nodes: Node) -> Kind:
        """The kind that all have; null goes with each."""
        kinds = {self.of(node) for node in nodes if node != syntax.Constant(None)}
        return kinds.pop() if len(kinds) == 1 else "any"


def literal_kind(node: Node) -> Kind:
    """The kind of a literal, a sign before it included; `any` for what is none."""
    if isinstance(node, syntax.Unary) and node.operator in {"-", "+"}:
        return literal_kind(node.operand)
    return "any" if isinstance(node, syntax.Logical) else _always(node)


def _always(node: Node) -> Kind:
    if isinstance(node, syntax.Number):
        return "integer" if isinstance(node.value, int) else "number"
    if isinstance(node, syntax.Constant) and node.value is not None:
        return "boolean"
    return _OF_TYPES.get(type(node), "any")
