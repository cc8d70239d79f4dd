"""Generates syntax trees, in the form in which the parser gives them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from target_aep.data_prep import syntax
from target_aep.data_prep.syntax import RESERVED

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "=~", "!~", "=^", "!^", "=$", "!$")
BINARY = (*COMPARISONS, "+", "-", "*", "/", "%", "&", "|", "^", "?:", "??")

names = st.from_regex(r"[a-zé名_$][a-zA-Z0-9é_$]{0,4}", fullmatch=True).filter(
    lambda name: name not in RESERVED
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_quotable = st.text("ab. []{}\t-名", min_size=1, max_size=5).filter(
    lambda name: name == name.rstrip() and "[*]" not in name
)
numbers = st.one_of(
    st.integers(0, 10**30),
    st.floats(0, 1e300, allow_subnormal=False).map(abs),
    st.decimals(0, 10**20, allow_nan=False).map(abs),
)
_steps = st.lists(st.one_of(names, texts, st.integers(0, 99)), max_size=3)


def fields(roots: Any = names) -> Any:
    bare = st.builds(lambda root, steps: syntax.Field((root, *steps)), roots, _steps)
    quoted = st.builds(
        lambda root, steps: syntax.Field((root, *steps), quoted=True), _quotable, _steps
    )
    return bare | quoted


def _leaves(roots: Any) -> Any:
    return st.one_of(
        st.builds(syntax.Text, texts),
        st.builds(syntax.Number, numbers),
        st.builds(syntax.Constant, st.sampled_from([True, False, None])),
        fields(roots),
    )


def _tuples(nodes: Any, least: int = 0) -> Any:
    return st.lists(nodes, min_size=least, max_size=3).map(tuple)


def _logical(operator: str, operands: tuple[Any, ...]) -> syntax.Node:
    first = operands[0]
    if isinstance(first, syntax.Logical) and first.operator == operator:
        operands = (*first.operands, *operands[1:])
    return syntax.Logical(operator, operands)


def _item(target: Any, key: Any) -> syntax.Node:
    is_step = isinstance(key, syntax.Text) or (
        isinstance(key, syntax.Number) and isinstance(key.value, int) and key.value < 2**31
    )
    if isinstance(target, syntax.Field) and is_step:
        return syntax.Field((*target.path, key.value), target.quoted)
    return syntax.Item(target, key)


def _extend(calls: Any, methods: Any) -> Any:
    def extend(nodes: Any) -> Any:
        return st.one_of(
            calls(nodes),
            st.builds(syntax.Method, nodes, methods, _tuples(nodes)),
            st.builds(_item, nodes, nodes),
            st.builds(syntax.Unary, st.sampled_from(["-", "+", "~", "!", "empty", "size"]), nodes),
            st.builds(syntax.Binary, st.sampled_from(BINARY), nodes, nodes),
            st.builds(_logical, st.sampled_from(["&&", "||"]), _tuples(nodes, least=2)),
            st.builds(syntax.Conditional, nodes, nodes, nodes),
            st.builds(syntax.ArrayLiteral, _tuples(nodes)),
            st.builds(syntax.SetLiteral, _tuples(nodes)),
            st.builds(syntax.MapLiteral, st.lists(st.tuples(nodes, nodes), max_size=2).map(tuple)),
        )

    return extend


def _any_call(nodes: Any) -> Any:
    lambdas = st.builds(syntax.Lambda, st.lists(names, max_size=2).map(tuple), nodes)
    return st.builds(syntax.Call, names, _tuples(nodes | lambdas))


def _trees(leaves: Any, extend: Any, levels: int = 3) -> Any:
    """As `st.recursive`, which is slow here: it prints the strategy, of megabytes."""
    nodes = leaves
    for _ in range(levels):
        nodes = leaves | extend(nodes)
    return nodes


any_trees = _trees(_leaves(names), _extend(_any_call, names))
"""Trees with whatever names, which need not pass the checks."""

_ROOTS = st.sampled_from(["a", "b", "text", "list", "x"])


def _known_call(nodes: Any) -> Any:
    def call(name: str, *arguments: Any) -> Any:
        return st.builds(syntax.Call, st.just(name), st.tuples(*arguments))

    lambdas = st.builds(syntax.Lambda, st.just(("x",)), nodes)
    arrays = fields(_ROOTS) | st.builds(syntax.ArrayLiteral, _tuples(nodes))
    return st.one_of(
        call("upper", nodes),
        call("concat", nodes, nodes),
        call("iif", nodes, nodes, nodes),
        call("contains_key", nodes),
        call("filterArray", arrays, lambdas),
        call("transformArray", arrays, lambdas),
        call("now"),
    )


_METHODS = st.sampled_from(["toString", "length", "trim", "isEmpty", "size", "toUpperCase"])


def _known_method(nodes: Any) -> Any:
    return st.one_of(
        st.builds(syntax.Method, nodes, _METHODS, st.just(())),
        st.builds(
            syntax.Method,
            nodes,
            st.sampled_from(["equals", "concat", "contains", "indexOf", "matches", "startsWith"]),
            st.tuples(fields(_ROOTS)),
        ),
        st.builds(syntax.Method, nodes, st.just("substring"), st.tuples(nodes, fields(_ROOTS))),
    )


known_trees = _trees(
    _leaves(_ROOTS),
    lambda nodes: _known_method(nodes) | _extend(_known_call, st.just("trim"))(nodes),
)
"""Trees of the functions in `data_prep_doubles`; most pass the checks."""


def calls_of(functions: Any) -> Any:
    """Calls of any of some functions with as many arguments as they take."""
    arguments = _leaves(_ROOTS) | st.builds(syntax.ArrayLiteral, _tuples(_leaves(_ROOTS)))
    lambdas = st.builds(syntax.Lambda, st.just(("x",)), arguments)

    @st.composite
    def call(draw: Any) -> syntax.Node:
        function = draw(st.sampled_from(sorted(functions.values(), key=lambda each: each.name)))
        parameters = list(function.parameters)
        given = [each for each in parameters if each.required or draw(st.booleans())]
        if given and given[-1].variadic:
            given += [given[-1]] * draw(st.integers(0, 3))
        values = tuple(draw(lambdas if each.takes_lambda else arguments) for each in given)
        if function.is_method:
            return syntax.Method(values[0], function.name, values[1:])
        return syntax.Call(function.name, values)

    return call()
