"""Expressions that are meant to hurt are refused or bounded."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from data_prep_doubles import compiled, value_of
from target_aep.data_prep.failures import EvaluationError, ExpressionError
from target_aep.data_prep.limits import EXPRESSION_CHARACTERS, NESTING


def test_the_longest_expression_is_taken_and_a_longer_one_refused():
    text = f"'{'a' * (EXPRESSION_CHARACTERS - 2)}'"
    assert len(value_of(text)) == EXPRESSION_CHARACTERS - 2
    with pytest.raises(
        ExpressionError, match="the expression has 4097 characters, Data Prep takes 4096"
    ):
        compiled(f"{text} ")


def nested(depth: int) -> list[str]:
    """Expressions of that many levels."""
    inner = depth - 1
    return [
        "!" * inner + "a",
        "-" * inner + "1",
        "upper(" * inner + "a" + ")" * inner,
        "[" * inner + "1" + "]" * inner,
        "{1:" * inner + "1" + "}" * inner,
        "{1,a}" if inner == 1 else "{" * inner + "1" + "}" * inner,
        "1+" * inner + "1",
        "a?1:" * inner + "1",
        "a??" * inner + "1",
        "upper(a)" + ".trim()" * (inner - 1),
        "b()"[:0] + "upper(a)" + ".x" * (inner - 1),
        "b[c+" * (inner // 2) + "0" + "]" * (inner // 2),
        "filterArray(b,x->" * (inner // 2) + "1" + ")" * (inner // 2),
    ]


@pytest.mark.parametrize("text", nested(NESTING))
def test_nesting_up_to_the_bound_compiles_and_runs(text):
    expression = compiled(text)
    with contextlib.suppress(EvaluationError):
        expression({"a": "1", "b": [1]})


@pytest.mark.parametrize("levels", [2, 150, 600])
@pytest.mark.parametrize("kind", range(13))
def test_deeper_nesting_is_refused(levels, kind):
    text = nested(NESTING + levels)[kind][:EXPRESSION_CHARACTERS]
    with pytest.raises(
        ExpressionError, match=r"nested more than 64 levels deep|closed by|is expected"
    ):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2000 + "a" + ")" * 2000,
        "a || " * 800 + "a",
        "a && (b || " * 2 + "c" + "))",
        "concat(" + "a," * 2000 + "a)",
        "[" + "1," * 2000 + "1]",
        "{" + "1," * 2000 + "1}",
        "a" + ".b" * (NESTING - 1),
    ],
)
def test_what_is_long_but_not_deep_runs(text):
    compiled(text)({"a": 1})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000,
        "[" * 4096,
        "{" * 4096,
        "a." * 2047 + "a",
        "a[0]" * 1000,
        "((a)" * 800,
        "a ? " * 1000,
        "'" * 4095,
        "${" * 2048,
        "/*" * 2048,
        "(a," * 1000,
        "-" * 4096,
        "9" * 4096,
        "1e" + "9" * 4000,
        "0x" + "f" * 4000,
        '"' + "\\" * 4000,
    ],
)
def test_malformed_masses_are_refused_soon(text):
    begin = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    assert time.perf_counter() - begin < 5
    assert len(str(caught.value)) < 500


def deep_list() -> list[Any]:
    items: list[Any] = []
    for _ in range(200_000):
        items = [items]
    return items


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a =~ '(x|xx)+y'", "takes too long"),
        ("a.matches('(x|xx)+y')", "takes too long"),
        ("n * n * n * n", "too large"),
        ("text + text", "longer than 1 MiB"),
        ("text.concat(text)", "longer than 1 MiB"),
        ("text.replace('x', text)", "longer than 1 MiB"),
        ("[text, text].toString()", "longer than 1 MiB"),
        ("deep.toString()", "nested"),
        ("deep == other", "nested too deeply"),
    ],
)
def test_results_are_bounded(text, reason):
    record = {"a": "x" * 60, "n": 2**2000, "text": "x" * 700_000}
    if "deep" in text:
        record |= {"deep": deep_list(), "other": deep_list()}
    begin = time.perf_counter()
    with pytest.raises(EvaluationError, match=reason):
        value_of(text, record)
    assert time.perf_counter() - begin < 5
