"""What is wrong with an expression before it sees a record, as a user is told."""

from __future__ import annotations

import pytest
from data_prep_doubles import compiled
from target_aep.data_prep.compiling import compile_expression
from target_aep.data_prep.failures import ExpressionError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "concat(a, uper(b))",
            'no function uper, did you mean upper?, at character 11 of "concat(a, uper(b))"',
        ),
        ("Upper(a)", "there is no function Upper, did you mean upper?, at character 1"),
        ("zzzzzz(a)", "there is no function zzzzzz, at character 1"),
        ("upper()", "upper takes 1 argument (STRING), not 0, at character 1"),
        ("left(a)", "left takes 2 arguments (STRING, COUNT), not 1"),
        ("concat()", "concat takes at least 1 argument (STRING, …), not 0"),
        ("date(1, 2, 3)", "date takes 1 to 2 arguments (DATE, [FORMAT]), not 3"),
        ("now(1)", "now takes 0 arguments, not 1"),
        ("a.trim(1)", "trim takes 0 arguments, not 1, at character 3"),
        ("a.getClass()", "there is no method getClass; there are concat, contains"),
        ("a.equal('b')", "there is no method equal, did you mean equals?; there are"),
        ("a.upper()", "upper is a function: write upper(value, …), at character 3"),
        ("trim(a)", "trim is a method: write value.trim(…), at character 1"),
        ("a.__class__()", "there is no method __class__"),
        ("eval('1')", "there is no function eval"),
        ("fpid_to_ecid(a)", "fpid_to_ecid is not available here: secret, at character 1"),
        (
            "upper(x -> x)",
            "a lambda can't stand here; filterArray(…) and transformArray(…) take one",
        ),
        ("[x -> x]", "a lambda can't stand here"),
        ("filterArray(a, x -> [y -> y])", "a lambda can't stand here"),
        ("a.trim(x -> x)", "trim takes 0 arguments"),
        ("filterArray(a, 1)", "filterArray: PREDICATE is a lambda, such as x -> x > 0"),
        ("filterArray('a', x -> x)", "filterArray: ARRAY takes an array, which this can't be"),
        ("left(a, 'two')", "left: COUNT takes an integer, which this text is not, at character 9"),
        ("left(a, true)", "left: COUNT takes an integer, which this can't be, at character 9"),
        ("left(a, -[1])", "left: COUNT takes an integer, which this can't be"),
        ("date(a + 'b', (c))) ", ") closes nothing"),
        ("a.substring('b')", "substring: INTEGER takes an integer, which this text is not"),
        ("matches_regex(a, '(')", "not a regular expression of Java"),
        ("a =~ '[a'", "not a regular expression of Java"),
        ("a.b(1", "the ( opened here is never closed by )"),
    ],
)
def test_says_what_is_wrong_and_where(text, message):
    with pytest.raises(ExpressionError) as caught:
        compiled(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text", ["left(a, '2')", "left(a, -2)", "left(a, null)", "left(a, b)", "left(5, 2.5)"]
)
def test_lets_pass_what_may_have_a_value(text):
    compiled(text)


@pytest.mark.parametrize("call", ['date(a, "foo")', 'format(date(a), "foo")', 'dformat(1, "foo")'])
def test_a_pattern_of_dates_is_checked_where_it_is_a_literal(call):
    with pytest.raises(ExpressionError, match='the date pattern "foo" has "f"'):
        compile_expression(call)
