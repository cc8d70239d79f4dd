"""Syntax trees back into text: the shortest brackets that keep the meaning, one blank style."""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal

from target_aep.data_prep import syntax
from target_aep.data_prep.syntax import RESERVED, Node

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# How tightly a node holds together; an operand that holds less tightly is put in ( ).
_CONDITIONAL, _UNARY, _POSTFIX = 0, 9, 10
_LEVELS = {"?:": 0, "??": 0, "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6} | {
    **dict.fromkeys(["<", "<=", ">", ">=", "=~", "!~", "=^", "!^", "=$", "!$"], 7),
    **dict.fromkeys(["+", "-"], 7.5),
    **dict.fromkeys(["*", "/", "%"], 8),
}
_CHAINING = frozenset({"|", "^", "&", "+", "-", "*", "/", "%"})

_NAME = re.compile(r"(?:[^\W\d]|\$)[\w$]*\Z")
_ESCAPED_IN_TEXT = re.compile(r'[\\"\x00-\x1f\x7f\u2028\u2029]')
_ESCAPED_IN_NAME = re.compile(r"[.\[\]{}\\]|^\s|\s\Z")
_STARTS_WITH_SYMBOL = re.compile(r"[-+!~$=^&|]")


def print_expression(node: Node) -> str:
    """Print a syntax tree.

    Returns:
        Text that parses into an equal tree.
    """
    return _PRINTERS[type(node)](node)


def _within(level: float, node: Node) -> str:
    """A node as an operand that has to hold together at least as tightly as `level`."""
    text = print_expression(node)
    return text if _level(node) >= level else f"({text})"


def _level(node: Node) -> float:
    if isinstance(node, (syntax.Binary, syntax.Logical)):
        return _LEVELS[node.operator]
    if isinstance(node, (syntax.Conditional, syntax.Lambda)):
        return _CONDITIONAL
    if isinstance(node, syntax.Unary):
        return _UNARY
    return _POSTFIX


def _list(nodes: Iterable[Node]) -> str:
    return ", ".join(map(print_expression, nodes))


def print_text(value: str) -> str:
    """A text as a literal in double quotes."""
    escaped = _ESCAPED_IN_TEXT.sub(
        lambda match: f"\\{match[0]}" if match[0] in '\\"' else f"\\u{ord(match[0]):04x}", value
    )
    return f'"{escaped}"'


def _number(node: syntax.Number) -> str:
    if isinstance(node.value, Decimal):
        return f"{node.value}b"
    text = repr(node.value)
    return f"{text}d" if isinstance(node.value, float) and "." not in text else text


def _constant(node: syntax.Constant) -> str:
    return {True: "true", False: "false", None: "null"}[node.value]


def _field(node: syntax.Field) -> str:
    root, *steps = node.path
    bare = isinstance(root, str) and _NAME.match(root) and root not in RESERVED
    if node.quoted or not bare:
        root = f"${{{_ESCAPED_IN_NAME.sub(lambda match: chr(92) + match[0], str(root))}}}"
    return f"{root}{''.join(map(_step, steps))}"


def _step(step: syntax.Step) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _NAME.match(step) else f"[{print_text(step)}]"


def _item(node: syntax.Item) -> str:
    return f"{_target(node.target)}[{print_expression(node.key)}]"


def _target(node: Node) -> str:
    """What a step follows; `1.d` would be a number."""
    text = _within(_POSTFIX, node)
    return f"({text})" if isinstance(node, syntax.Number) else text


def _call(node: syntax.Call) -> str:
    return f"{node.name}({_list(node.arguments)})"


def _method(node: syntax.Method) -> str:
    return f"{_target(node.target)}.{node.name}({_list(node.arguments)})"


def _lambda(node: syntax.Lambda) -> str:
    names = ", ".join(node.parameters)
    head = names if len(node.parameters) == 1 else f"({names})"
    return f"{head} -> {print_expression(node.body)}"


def _unary(node: syntax.Unary) -> str:
    operand = _within(_UNARY, node.operand)
    is_word = node.operator.isalpha()
    blank = " " if is_word or _STARTS_WITH_SYMBOL.match(operand) else ""
    return f"{node.operator}{blank}{operand}"


def _binary(node: syntax.Binary) -> str:
    level = _LEVELS[node.operator]
    lazy = level == _CONDITIONAL
    left = level if node.operator in _CHAINING else level + 0.25
    right = level if lazy else level + 0.25
    return f"{_within(left, node.left)} {node.operator} {_within(right, node.right)}"


def _logical(node: syntax.Logical) -> str:
    tighter = _LEVELS[node.operator] + 0.25
    return f" {node.operator} ".join(_within(tighter, operand) for operand in node.operands)


def _conditional(node: syntax.Conditional) -> str:
    test = _within(_CONDITIONAL + 0.25, node.test)
    return f"{test} ? {print_expression(node.then)} : {print_expression(node.otherwise)}"


def _map(node: syntax.MapLiteral) -> str:
    entries = (f"{print_expression(key)}: {print_expression(value)}" for key, value in node.entries)
    return f"{{{', '.join(entries) or ':'}}}"


_PRINTERS: dict[type[Node], Callable[[t.Any], str]] = {
    syntax.Text: lambda node: print_text(node.value),
    syntax.Number: _number,
    syntax.Constant: _constant,
    syntax.Field: _field,
    syntax.Item: _item,
    syntax.Call: _call,
    syntax.Method: _method,
    syntax.Lambda: _lambda,
    syntax.Unary: _unary,
    syntax.Binary: _binary,
    syntax.Logical: _logical,
    syntax.Conditional: _conditional,
    syntax.ArrayLiteral: lambda node: f"[{_list(node.items)}]",
    syntax.SetLiteral: lambda node: f"{{{_list(node.items)}}}",
    syntax.MapLiteral: _map,
}
