"""What the parser makes of each rule of the grammar; lark calls it while it parses."""

# ruff: noqa: D102 - the methods are named as the rules of the grammar that they are called for
from __future__ import annotations

import typing as t

import lark

from target_aep.data_prep import syntax
from target_aep.data_prep.literals import decode_number, decode_text
from target_aep.data_prep.syntax import RESERVED, Node
from target_aep.data_prep.syntax_errors import STATEMENT_WORDS, Problem, reserved
from target_aep.errors import MappingSetError
from target_aep.mapping.paths import Path, parse_path

_SYMBOLS = {
    "and": "&&",
    "or": "||",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "div": "/",
    "mod": "%",
    "not": "!",
}
_CONSTANTS = {"true": True, "false": False, "null": None}
_MOST_INDEX = 2**31

Arguments = tuple[Node, ...] | None


@lark.v_args(inline=True)
class TreeBuilder(lark.Transformer[lark.Token, Node]):
    """Methods are named as the rules; tokens come with their places."""

    def text(self, token: lark.Token) -> Node:
        return syntax.Text(decode_text(token), position=_place(token))

    def number(self, token: lark.Token) -> Node:
        return syntax.Number(decode_number(token, _place(token)), position=_place(token))

    def constant(self, token: lark.Token) -> Node:
        return syntax.Constant(_CONSTANTS[token], position=_place(token))

    def name(self, token: lark.Token) -> Node:
        _refuse_reserved(token)
        return syntax.Field((str(token),), position=_place(token))

    def reference(self, token: lark.Token) -> Node:
        if "[*]" in token:
            raise Problem("[*] is for mappings of attributes, not expressions", _place(token))
        try:
            path = _reference_path(token[2:-1])
        except MappingSetError as error:
            raise Problem(f"{token} is no reference to a field: {error}", _place(token)) from None
        return syntax.Field(path, quoted=True, position=_place(token))

    def member(self, target: Node, token: lark.Token) -> Node:
        name = decode_text(token) if token.type == "TEXT" else str(token)
        return _item(target, syntax.Text(name, position=_place(token)))

    def item(self, target: Node, key: Node) -> Node:
        return _item(target, key)

    def call(self, token: lark.Token, arguments: Arguments) -> Node:
        if token in STATEMENT_WORDS:
            raise reserved(token, _place(token))
        return syntax.Call(str(token), arguments or (), position=_place(token))

    def method(self, target: Node, token: lark.Token, arguments: Arguments) -> Node:
        return syntax.Method(target, str(token), arguments or (), position=_place(token))

    def arguments(self, *arguments: Node) -> tuple[Node, ...]:
        return arguments

    def lambda_(self, head: lark.Token, body: Node) -> Node:
        names = tuple(head[:-2].strip().strip("()").replace(",", " ").split())
        for name in names:
            if name in RESERVED:
                raise reserved(name, _place(head))
        return syntax.Lambda(names, body, position=_place(head))

    def unary(self, operator: lark.Token, operand: Node) -> Node:
        return syntax.Unary(_symbol(operator), operand, position=_place(operator))

    def binary(self, left: Node, operator: lark.Token, right: Node) -> Node:
        return syntax.Binary(_symbol(operator), left, right, position=_place(operator))

    def logical(self, left: Node, operator: lark.Token, right: Node) -> Node:
        symbol = _symbol(operator)
        chained = isinstance(left, syntax.Logical) and left.operator == symbol
        operands = (*left.children, right) if chained else (left, right)
        return syntax.Logical(symbol, operands, position=_place(operator))

    def conditional(self, test: Node, then: Node, otherwise: Node) -> Node:
        return syntax.Conditional(test, then, otherwise, position=test.position)

    def array(self, bracket: lark.Token, items: Arguments) -> Node:
        return syntax.ArrayLiteral(items or (), position=_place(bracket))

    def set(self, brace: lark.Token, items: Arguments) -> Node:
        return syntax.SetLiteral(items or (), position=_place(brace))

    def map(self, brace: lark.Token, *entries: tuple[Node, Node]) -> Node:
        return syntax.MapLiteral(entries, position=_place(brace))

    def entry(self, key: Node, value: Node) -> tuple[Node, Node]:
        return key, value


def _place(token: lark.Token) -> int:
    return token.start_pos or 0


def _reference_path(text: str) -> Path:
    """The path in `${...}`, blanks around it included: they belong to the names.

    `parse_path` drops outer blanks, so that names are put around them and taken off again.
    """
    if not text.strip():
        return parse_path(text)
    before = "x." if text[0].isspace() else ""
    behind = ".x" if text[-1].isspace() else ""
    try:
        path = parse_path(f"{before}{text}{behind}")
    except MappingSetError:
        return parse_path(text)  # to complain about it as it is, or for blanks around a position
    return path[bool(before) : len(path) - bool(behind)]


def _symbol(operator: lark.Token) -> str:
    return _SYMBOLS.get(operator, str(operator))


def _refuse_reserved(token: lark.Token) -> None:
    if token in RESERVED:
        raise reserved(token, _place(token))


def _item(target: Node, key: Node) -> Node:
    """A step of a path where the path and the step are known, else an access at run time."""
    if isinstance(target, syntax.Field):
        step = _static_step(key)
        if step is not None:
            return syntax.Field((*target.path, step), target.quoted, position=target.position)
    return syntax.Item(target, key, position=key.position)


def _static_step(key: Node) -> t.Any:
    if isinstance(key, syntax.Text):
        return key.value
    if isinstance(key, syntax.Number) and isinstance(key.value, int) and key.value < _MOST_INDEX:
        return key.value
    return None
