"""Syntax trees back into text."""

from __future__ import annotations

import pytest
from data_prep_expressions import any_trees
from hypothesis import given
from target_aep.data_prep.failures import ExpressionError
from target_aep.data_prep.parsing import parse_expression
from target_aep.data_prep.printing import print_expression


@given(any_trees)
def test_what_is_printed_parses_into_the_same(tree):
    try:
        parsed = parse_expression(print_expression(tree))
    except ExpressionError as error:
        assert "characters" in error.problem or "nested" in error.problem  # noqa: PT017
        return
    assert parsed == tree
    assert print_expression(parsed) == print_expression(tree)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a))+b", "a + b"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a == b) == c", "(a == b) == c"),
        ("not(a or b)and c", "!(a || b) && c"),
        ("(a||b)||c||(d||e)", "a || b || c || (d || e)"),
        ("empty(a)", "empty a"),
        ("- -1", "- -1"),
        ("(1).equals(2)", "(1).equals(2)"),
        ("(a?b:c)?d:e", "(a ? b : c) ? d : e"),
        ("(a ?: b) ?: c", "(a ?: b) ?: c"),
        ("f((x,y)->x+y)", "f((x, y) -> x + y)"),
        ("f(x->x)", "f(x -> x)"),
        (r"${a\.b}.c['d e']", r'${a\.b}.c["d e"]'),
        ("${City }", r"${City\ }"),
        ("${ a . b }", r'${\ a\ }[" b "]'),
        ("'it\"s'", r'"it\"s"'),
        ('{"a":1,b:2}', '{"a": 1, b: 2}'),
        ("[]", "[]"),
        ("{}", "{}"),
        ("{:}", "{:}"),
        ("0x10 + 010", "16 + 8"),
        ("1e30", "1e+30d"),
    ],
)
def test_prints_with_the_brackets_that_are_needed(text, printed):
    assert print_expression(parse_expression(text)) == printed
    assert parse_expression(printed) == parse_expression(text)
