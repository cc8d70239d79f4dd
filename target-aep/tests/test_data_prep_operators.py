"""Operators: arithmetic, comparison, logic and their coercions."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest
from data_prep_doubles import value_of
from hypothesis import example, given
from hypothesis import strategies as st
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.policies import Policies
from target_aep.data_prep.zoned_date_time import ZonedDateTime

EARLY = ZonedDateTime(datetime(2024, 5, 5, tzinfo=timezone.utc))
LATE = ZonedDateTime(datetime(2024, 5, 6, tzinfo=timezone.utc))
RECORD = {
    "n": None,
    "t": True,
    "f": False,
    "d": Decimal("0.1"),
    "csv": "5100",
    "word": "abc",
    "blank": "",
    "list": [1, "a", None],
    "twin": [1, "a", None],
    "map": {"k": 1},
    "early": EARLY,
    "late": LATE,
    "huge": 2**4000,
    "nan": float("nan"),
    "infinite": float("inf"),
    "not_finite": Decimal("NaN"),
}
INTEGERS = st.integers(-(10**20), 10**20)


def same(one, other):
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2", 3),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7 div 2 mod 2", 1),
        ("7.0 / 2", 3.5),
        ("7.5 % 2", 1.5),
        ("-7.5 % 2", -1.5),
        ("1 + 0.5", 1.5),
        ("d + 0.2", Decimal("0.3")),
        ("d * 3", Decimal("0.3")),
        ("1b / 3", Decimal("0.3333333333333333333333333333333333")),
        ("1.0b % 0.3b", Decimal("0.1")),
        ("t + t", 2),
        ("csv + 1", 5101),
        ("csv * 2", 10200),
        ("'1.5' + 1", 2.5),
        ("'2' * '3'", 6),
        ("blank + 1", 1),
        ("blank - 1", -1),
        ("'1' + '2'", "12"),
        ("word + 1", "abc1"),
        ("1.0 + word", "1.0abc"),
        ("word + t", "abctrue"),
        ("word + early", "abc2024-05-05T00:00:00Z"),
        ("9223372036854775807 + 1", 2**63),
        ("-csv", -5100),
        ("-d", Decimal("-0.1")),
        ("-t", False),
        ("+csv", 5100),
        ("+d", Decimal("0.1")),
        ("~33", -34),
        ("12 & 10", 8),
        ("12 | 3", 15),
        ("12 ^ 10", 6),
        ("'12' & 10.9", 8),
        ("size word", 3),
        ("size '😀'", 2),
        ("size list", 3),
        ("size map", 1),
        ("size n", 0),
    ],
)
def test_arithmetic_gives(text, value):
    assert same(value_of(text, RECORD), value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("1.0 / 0", "division by zero"),
        ("1.0 % 0.0", "division by zero"),
        ("1b / 0", "division by zero"),
        ("1b % 0", "division by zero"),
        ("0b / 0", "division by zero"),
        ("n + 1", "null has no place in arithmetic"),
        ("word + n", "null has no place in arithmetic"),
        ("-n", "null has no place in arithmetic"),
        ("1 & n", "null has no place in arithmetic"),
        ("word * 2", "a text is not a number"),
        ("-word", "a text is not a number"),
        ("list + 1", "an array is not a number"),
        ("map - 1", "an object is not a number"),
        ("early - late", "a date is not a number"),
        ("huge * huge", "the number is too large"),
        ("huge * 1.5", "the number is too large"),
        ("1e300 * 1e300", "the number is too large"),
        ("1e300b * 1e300b", "the number is too large"),
        ("infinite - infinite", "the number is not finite"),
        ("not_finite + 1", "the number is not finite"),
        ("nan + 1b", "the number is not finite"),
        ("infinite & 1", "the number is too large"),
        ("huge & 1", "the number does not fit 64 bits"),
        ("size 5", "a number has no size"),
        ("list < 1", "an array is not a number"),
        ("list < list", "an array and an array can't be compared"),
        ("t < early", "a boolean and a date can't be compared"),
        ("word == 5", "a text is not a number"),
        ("word < 5", "a text is not a number"),
        ("early == 5", "a date is not a number"),
        ("huge > 1.5", "the number is too large"),
        ("{n: 1}", "null can't be a key"),
    ],
)
def test_what_has_no_value_says_why(text, reason):
    with pytest.raises(EvaluationError) as caught:
        value_of(text, RECORD)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n + 1", 1),
        ("n + n", 0),
        ("word + n", "abc"),
        ("n + word", "abc"),
        ("-n", 0),
        ("n * 5", 0),
        ("n | 5", 5),
        ("~n", -1),
    ],
)
def test_a_policy_counts_null_as_zero(text, value):
    assert same(value_of(text, RECORD, policies=Policies(null_in_arithmetic="zero")), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n == null", True),
        ("n == 0", False),
        ("n == ''", False),
        ("n == f", False),
        ("n != 'a'", True),
        ("missing == null", True),
        ("t == 1", True),
        ("t == 'yes'", True),
        ("f == 'false'", True),
        ("f == ''", True),
        ("csv == 5100", True),
        ("csv > 5000", True),
        ("csv > '500'", True),
        ("'10' < '9'", True),
        ("10 < '9'", False),
        ("blank == 0", True),
        ("'5.0' == 5", True),
        ("d == 0.1", True),
        ("d == '0.1'", True),
        ("1 == 1.0", True),
        ("1 eq 1b", True),
        ("word == 'abc'", True),
        ("'abc' == word", True),
        ("word != 'abc'", False),
        ("t != 'abc'", False),
        ("list == twin", True),
        ("list == map", False),
        ("map == 'k'", False),
        ("early == early", True),
        ("early < late", True),
        ("early >= late", False),
        ("early == '2024-05-05T00:00:00Z'", True),
        ("f < t", True),
        ("n < 1", False),
        ("n <= n", False),
        ("1 >= n", False),
        ("nan == nan", False),
        ("'\\ud83d\\ude00' < '\\uffff'", True),
        ("word =~ '[a-c]+'", True),
        ("word =~ 'b'", False),
        ("word !~ 'b'", True),
        ("csv =~ '\\d+'", True),
        ("5 =~ '\\d'", True),
        ("'a' =~ list", True),
        ("1 =~ list", True),
        ("t =~ list", False),
        ("'b' !~ ['a', 'c']", True),
        ("[1, 'a'] =~ list", True),
        ("'k' =~ map", True),
        ("'x' =~ map", False),
        ("n =~ list", False),
        ("n =~ n", True),
        ("word =^ 'ab'", True),
        ("word !^ 'ab'", False),
        ("word =$ 'bc'", True),
        ("word !$ 'bc'", False),
        ("csv =^ 51", True),
        ("5100 =^ '51'", False),
        ("n =^ 'a'", False),
        ("n =^ n", True),
        ("empty n", True),
        ("empty blank", True),
        ("empty []", True),
        ("empty {:}", True),
        ("empty 0", True),
        ("empty list", False),
        ("empty f", False),
        ("not empty word", True),
    ],
)
def test_comparisons_give(text, value):
    assert value_of(text, RECORD) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("t && word", True),
        ("t && blank", False),
        ("f || 'false'", False),
        ("0 || 0.0", False),
        ("n || 5", True),
        ("!n", True),
        ("!list", False),
        ("!nan", True),
        ("not 'false'", True),
        ("n ? 1 : 2", 2),
        ("csv ? 1 : 2", 1),
        ("n ?: 'x'", "x"),
        ("0 ?: 'x'", "x"),
        ("word ?: 'x'", "abc"),
        ("n ?? 'x'", "x"),
        ("0 ?? 'x'", 0),
        ("missing ?? n ?? f", False),
    ],
)
def test_conditions_give(text, value):
    assert same(value_of(text, RECORD), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f && fail()", False),
        ("t || fail()", True),
        ("t ? 1 : fail()", 1),
        ("f ? fail() : 2", 2),
        ("1 ?: fail()", 1),
        ("0 ?? fail()", 0),
        ("n.equals(fail())", None),
    ],
)
def test_the_other_side_is_not_evaluated(text, value):
    assert same(value_of(text, RECORD), value)


def test_a_function_gets_all_its_arguments_evaluated():
    with pytest.raises(EvaluationError, match="it always fails"):
        value_of("iif(t, 1, fail())", RECORD)


@given(INTEGERS, INTEGERS)
@example(-(2**63), -1)
def test_quotient_and_remainder_are_those_of_java(dividend, divisor):
    record = {"a": dividend, "b": divisor or 1}
    quotient, rest = value_of("a / b", record), value_of("a % b", record)
    assert quotient * record["b"] + rest == dividend
    assert abs(rest) < abs(record["b"])
    assert rest == 0 or (rest < 0) == (dividend < 0)


@given(INTEGERS | st.decimals(-(10**20), 10**20, places=4), INTEGERS)
def test_exactly_one_of_less_equal_and_greater_holds(left, right):
    record = {"a": left, "b": right, "c": str(right)}
    for other in ("b", "c") if isinstance(left, int) else ("b",):
        orders = [value_of(f"a {sign} {other}", record) for sign in ("<", "==", ">")]
        assert orders.count(True) == 1
        assert value_of(f"a <= {other}", record) is not orders[2]
        assert value_of(f"a >= {other}", record) is not orders[0]
        assert value_of(f"a != {other}", record) is not orders[1]
