"""The syntax tree of an expression.

Two trees are equal if they mean the same text; where their nodes stand does not count.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

Step = str | int

RESERVED: t.Final = frozenset(
    (
        *("new", "mod", "or", "break", "var", "lt", "for", "false", "while", "eq", "gt", "div"),
        *("not", "null", "continue", "else", "and", "ne", "true", "le", "if", "ge", "return"),
        *("_errors", "do", "function", "empty", "size"),
    )
)
"""Names that stand for a field only inside `${…}` (help/data-prep/functions.md)."""


@dataclass(frozen=True)
class Node:
    """Part of an expression.

    Attributes:
        position: Where it is reported to stand in the text, from 0.
    """

    position: int = field(default=0, compare=False, repr=False, kw_only=True)

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes right below, in the order of the text."""
        return tuple(node for part in vars(self).values() for node in _nodes_in(part))


def _nodes_in(part: object) -> Iterator[Node]:
    if isinstance(part, Node):
        yield part
    elif isinstance(part, tuple):
        for element in part:
            yield from _nodes_in(element)


@dataclass(frozen=True)
class Text(Node):
    """`"a"` or `'a'`."""

    value: str


@dataclass(frozen=True, eq=False)
class Number(Node):
    """A number that is not negative.

    An int for Java's Integer, Long and BigInteger, a float for its Float and Double, a Decimal for
    its BigDecimal.
    """

    value: int | float | Decimal

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Number):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class Constant(Node):
    """`true`, `false` or `null`."""

    value: bool | None


@dataclass(frozen=True)
class Field(Node):
    """A field of the record, or the variable of a lambda.

    Attributes:
        path: Names and indexes, at least one name first.
        quoted: Whether it stands in `${…}`, so that it can't be a variable.
    """

    path: tuple[Step, ...]
    quoted: bool = False


@dataclass(frozen=True)
class Item(Node):
    """`target[key]`, where it isn't simply a path; `target.name` is `target["name"]`."""

    target: Node
    key: Node


@dataclass(frozen=True)
class Call(Node):
    """`name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Method(Node):
    """`target.name(arguments)`."""

    target: Node
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Lambda(Node):
    """`x -> body` or `(x, y) -> body`."""

    parameters: tuple[str, ...]
    body: Node


@dataclass(frozen=True)
class Unary(Node):
    """`- + ~ !`, and the words `empty` and `size`; `not` is `!`."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    """An operator with two operands, in its spelling by symbols; not `&&` and `||`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logical(Node):
    """`a && b && c` or `a || b || c`; the first operand is never a chain of the same operator."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Conditional(Node):
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True)
class ArrayLiteral(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class SetLiteral(Node):
    """`{a, b}`: an array in which each value stands once."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class MapLiteral(Node):
    """`{key: value}`, and `{:}` without entries."""

    entries: tuple[tuple[Node, Node], ...]


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """All nodes, each with its depth from 1, without recursion."""
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        yield node, depth
        pending.extend((child, depth + 1) for child in reversed(node.children))
