"""Generated code of calls: the function itself where arguments are known to be what it takes.

`Function.call` converts arguments and looks for null. Where literals are of the right type already,
and a test of a value's class passes, what stands behind it is called at once, or the code stands
there itself. Everything else goes to `Function.call`, so that the two always agree.
"""

from __future__ import annotations

import ast
import math
import typing as t
from decimal import Decimal

from target_aep.data_prep import syntax
from target_aep.data_prep.java_text import MOST_CHARACTERS, bounded
from target_aep.data_prep.namespace import (
    Namespace,
    call,
    choice,
    constant,
    is_exactly,
    is_not_null,
    is_null,
    keep,
    load,
)
from target_aep.data_prep.zoned_date_time import ZonedDateTime

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_aep.data_prep.function import Function, Kind, Parameter
    from target_aep.data_prep.syntax import Node

Generate = t.Callable[["Node"], ast.expr]

_DEEPEST: t.Final = 12
"""Levels of an expression below which code may be longer: Python has a limit of its own."""

_MOST_TESTS: t.Final = 4
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_CLASSES: dict[Kind, type] = {
    "text": str,
    "boolean": bool,
    "date": ZonedDateTime,
    "array": list,
    "object": dict,
}


def quick_call(
    namespace: Namespace,
    generate: Generate,
    condition: Generate,
    function: Function,
    arguments: Sequence[Node],
) -> ast.expr | None:
    """Code of a call that may do without `Function.call`.

    Args:
        namespace: Where the code will run.
        generate: Gives the code of an argument.
        condition: Gives the code of an argument as a condition, True or False.
        function: What is called; it takes neither an evaluation nor the record.
        arguments: What it is given.

    Returns:
        The code, None where there is no quicker way.
    """
    if any(depth > _DEEPEST for each in arguments for _, depth in syntax.walk(each)):
        return None
    calls = _Calls(namespace, generate, condition)
    if function.form is not None:
        return calls.forms[function.form](function, arguments)
    return calls.direct(function, arguments)


class _Calls:
    """Makes the code of calls."""

    def __init__(self, namespace: Namespace, generate: Generate, condition: Generate) -> None:
        self._namespace = namespace
        self._generate = generate
        self._condition = condition
        self.forms: dict[str, Callable[[Function, Sequence[Node]], ast.expr | None]] = {
            "coalesce": self._coalesce,
            "concat": self._concat,
            "decode": self._decode,
            "equals": self._equals,
            "iif": self._iif,
            "to_object": self._to_object,
        }

    def direct(self, function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        """The implementation, where the classes of arguments are the right ones."""
        if function.direct is None or len(arguments) > len(function.parameters):
            return None
        pairs = list(zip(function.parameters, arguments, strict=False))
        tested = [(each, node) for each, node in pairs if not _is_fitting(each, node)]
        if len(tested) > _MOST_TESTS or any(each.kind not in _CLASSES for each, _ in tested):
            return None
        if tested and not all(is_safe(node) for each, node in pairs if _is_fitting(each, node)):
            return None  # an argument would be computed after one that stands behind it
        names = {id(node): self._namespace.variable() for _, node in tested}
        given = [
            load(names[id(node)]) if id(node) in names else self._generate(node)
            for node in arguments
        ]
        code = call(self._bind(function.direct, function.name), *given)
        if not tested:
            return code
        tests = [
            self._is_of_kind(keep(names[id(node)], self._generate(node)), each.kind)
            for each, node in tested
        ]
        otherwise = call(self._bind(function.call, function.name), *given)
        if len(tested) == 1 and tested[0][0].null_gives_null:
            missing = is_null(load(names[id(tested[0][1])]))
            otherwise = choice(missing, constant(None), otherwise)
        return choice(_all(tests), code, otherwise)

    def _iif(self, _function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        test, *values = arguments
        if not all(map(is_safe, values)):
            return None
        return choice(self._condition(test), *map(self._generate, values))

    def _coalesce(self, _function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        if len(arguments) == 1 or not all(map(is_safe, arguments[1:])):
            return None
        *others, last = map(self._generate, arguments)
        code = last
        for each in reversed(others):
            name = self._namespace.variable()
            code = choice(is_not_null(keep(name, each)), load(name), code)
        return code

    def _decode(self, function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        """A table, for keys of which equal ones are equal to Python too."""
        key, *rest = arguments
        literals = [_literal(node) for node in rest]
        if None in literals or len(rest) < 2:  # noqa: PLR2004 - an option and its value
            return None
        values = [each[0] for each in t.cast("list[tuple[t.Any]]", literals)]
        options = values[: len(values) // 2 * 2 : 2]
        if not all(isinstance(each, (str, bool)) for each in options):
            return None
        table = dict(zip(reversed(options), reversed(values[1::2]), strict=True))
        default = values[-1] if len(values) % 2 else None
        name = self._namespace.variable()
        own = ast.Attribute(keep(name, self._generate(key)), "__class__", ast.Load())
        classes = self._bind(frozenset({str, bool, type(None)}), "classes")
        found = call(
            ast.Attribute(self._bind(table, "table"), "get", ast.Load()),
            load(name),
            self._bind(default, "default"),
        )
        otherwise = call(
            self._bind(function.call, function.name), load(name), *map(self._generate, rest)
        )
        return choice(ast.Compare(own, [ast.In()], [classes]), found, otherwise)

    def _equals(self, function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        value, other = arguments
        if not isinstance(other, syntax.Text):
            return None
        name = self._namespace.variable()
        same = ast.Compare(load(name), [ast.Eq()], [constant(other.value)])
        general = call(self._bind(function.call, function.name), load(name), constant(other.value))
        return choice(is_exactly(keep(name, self._generate(value)), "str"), same, general)

    def _concat(self, function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        tested = [node for node in arguments if not isinstance(node, syntax.Text)]
        if not 0 < len(tested) <= _MOST_TESTS:
            return None
        names = {id(node): self._namespace.variable() for node in tested}
        given = [
            load(names[id(node)]) if id(node) in names else self._generate(node)
            for node in arguments
        ]
        pieces: list[ast.expr] = [
            each
            if isinstance(each, ast.Constant)
            else ast.FormattedValue(value=each, conversion=-1, format_spec=None)
            for each in given
        ]
        text = self._namespace.variable()
        joined = keep(text, ast.JoinedStr(pieces))
        short = ast.Compare(call(load("len"), joined), [ast.LtE()], [constant(MOST_CHARACTERS)])
        code = choice(short, load(text), call(self._bind(bounded, "bounded"), load(text)))
        tests = [is_exactly(keep(names[id(node)], self._generate(node)), "str") for node in tested]
        return choice(_all(tests), code, call(self._bind(function.call, function.name), *given))

    def _to_object(self, _function: Function, arguments: Sequence[Node]) -> ast.expr | None:
        keys, values = arguments[::2], arguments[1::2]
        if len(keys) != len(values) or not all(isinstance(key, syntax.Text) for key in keys):
            return None
        codes: list[ast.expr | None] = [self._generate(key) for key in keys]
        return ast.Dict(codes, [self._generate(value) for value in values])

    def _is_of_kind(self, value: ast.expr, kind: Kind) -> ast.expr:
        own = ast.Attribute(value, "__class__", ast.Load())
        wanted = _CLASSES[kind]
        known = load(wanted.__name__) if wanted is not ZonedDateTime else None
        return ast.Compare(own, [ast.Is()], [known or self._bind(wanted, "date")])

    def _bind(self, value: t.Any, hint: str) -> ast.expr:
        return self._namespace.bind(value, hint)


def is_safe(node: Node) -> bool:
    """Whether its code can't fail and has no effect, so that it may be left out or come later."""
    if isinstance(node, (syntax.Text, syntax.Number, syntax.Constant, syntax.Field, syntax.Lambda)):
        return True
    if isinstance(node, syntax.Call) and node.name == "to_object":
        return len(node.arguments) % 2 == 0 and all(
            isinstance(each, syntax.Text) if index % 2 == 0 else is_safe(each)
            for index, each in enumerate(node.arguments)
        )
    return False


def _is_fitting(parameter: Parameter, node: Node) -> bool:
    """Whether an argument is taken as it is, whatever the record holds."""
    if parameter.kind == "any":
        return True
    literal = _literal(node)
    if literal is None:
        return False
    value = literal[0]
    if parameter.kind == "integer":
        return type(value) is int and _SMALLEST <= value <= _LARGEST
    if parameter.kind == "number":
        return type(value) in (int, float, Decimal) and math.isfinite(value)
    return type(value) is _CLASSES[parameter.kind]


def _literal(node: Node) -> tuple[t.Any] | None:
    """The value of a literal, a sign before an integer included; None for what is none."""
    if isinstance(node, (syntax.Text, syntax.Number, syntax.Constant)):
        return (node.value,)
    if isinstance(node, syntax.Unary) and node.operator == "-":
        operand = node.operand
        if isinstance(operand, syntax.Number) and type(operand.value) is int:
            return (-operand.value,)
    return None


def _all(tests: Sequence[ast.expr]) -> ast.expr:
    """Whether all hold; each is computed in any case, since it keeps its value."""
    code, *others = tests
    for each in others:
        code = ast.BinOp(code, ast.BitAnd(), each)
    return code
