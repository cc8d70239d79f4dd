"""Segmentation expressions, by https://docs.mixpanel.com/reference/segmentation-expressions."""

from __future__ import annotations

import operator

import pytest
from emulators.mixpanel.where import Filter
from emulators.mixpanel.where_rules import WhereError
from hypothesis import given, settings
from hypothesis import strategies as st

ROW = {
    "time": 1700000000500,
    "n": 5,
    "big": 2**60 + 1,
    "price": "12.5",
    "name": "Ünï \u2028",
    "yes": True,
    "nothing": None,
    "list": ["a", 2],
    "$browser": "Chrome",
    'quo"te': 1,
    "flag": "true",
}


@pytest.mark.parametrize(
    ("expression", "stays"),
    [
        ('properties["n"] == 5', True),
        ('properties["n"] == 5.0', True),
        ('properties["n"] == "5"', False),
        ('properties["n"] != "5"', True),
        ('properties["missing"] != 1', True),
        ('properties["missing"] == 1', False),
        ('properties["yes"] == 1', False),
        ('properties["yes"] == true', True),
        ('properties["yes"]', True),
        ('properties["n"]', False),
        ('properties["n"] > 4 and properties["n"] < 6', True),
        ('properties["n"] >= 5 and properties["n"] <= 5', True),
        ('properties["big"] > 1152921504606846976', True),
        ('properties["missing"] > 1', False),
        ('not properties["missing"] > 1', True),
        ('not (properties["name"] > 1)', True),
        ('properties["nothing"] < 1', False),
        ('properties["name"] > "A"', False),
        ("1 + 2 * 3 == 7 and (1 + 2) * 3 == 9", True),
        ("10 - 3 - 2 == 5", True),
        ('-properties["n"] == -5', True),
        ("7 / 2 == 3.5", True),
        ("7 / 0 == 7 / 0", True),
        ("7 / 0 > 0 or 7 % 0 > 0", False),
        ("-7 % 3 == -1 and 7 % 3 == 1", True),
        ('properties["$browser"] + "!" == "Chrome!"', True),
        ('properties["$browser"] + 1 == "Chrome1"', False),
        ('"hrom" in properties["$browser"]', True),
        ('"x" in properties["$browser"]', False),
        ('5 in properties["$browser"]', False),
        ('properties["n"] in [4, 5, -6]', True),
        ('properties["n"] in ["5"]', False),
        ('properties["n"] in []', False),
        ('"a" in properties["list"]', True),
        ('defined(properties["n"])', True),
        ('defined(properties["nothing"])', False),
        ('not defined(properties["missing"])', True),
        ('number(properties["price"]) == 12.5', True),
        ('number(properties["name"]) > 0', False),
        ('number(properties["yes"]) == 1', True),
        ('number(properties["nothing"]) == 0', False),
        ('string(properties["n"]) == "5"', True),
        ('string(properties["yes"]) == "true"', True),
        ('string(properties["missing"]) == "undefined"', False),
        ('boolean(properties["flag"])', True),
        ('boolean(properties["n"])', True),
        ('boolean(properties["name"])', False),
        ('boolean(properties["yes"]) and boolean(1)', True),
        ("floor(1.9) == 1 and ceil(1.1) == 2 and round(1.6) == 2", True),
        ('floor("1.9") == 1', False),
        ('properties["name"] == "Ünï \u2028"', True),
        ('properties["name"] == "\\u00dcn\\u00ef \\u2028"', True),
        ('properties["quo\\"te"] == 1', True),
        ('properties["missing"] or properties["yes"]', True),
        ("true or false and false", True),
        ("not true or true", True),
        ('properties["$time"] >= datetime(1700000000)', True),
        ('event["$time"] < datetime("2023-11-14T22:13:20")', False),
        ('event["$time"] >= datetime("2023-11-14T22:13:20Z")', True),
        ('event["$time"] >= datetime("soon")', False),
        ('event["$time"] >= datetime(true)', False),
        ('properties["time"] > 0', False),
        ('properties["n"] and true', False),
    ],
)
def test_evaluation(expression, stays):
    assert Filter(expression)(ROW) is stays


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "properties",
        "properties[n]",
        'properties["n"] =',
        'properties["n"] = 5',
        'user["$email"] == "x"',
        'properties["n"] > ',
        '(properties["n"] > 1',
        'properties["n"] > 1)',
        "lower(1)",
        "1 and 2",
        '"a" or true',
        'properties["\\x"] == 1',
        "DROP TABLE",
        "[1, 2] ==",
    ],
)
def test_bad_expressions(expression):
    with pytest.raises(WhereError) as error:
        Filter(expression)
    assert "\n" not in str(error.value)


def test_deep_nesting_is_refused_not_fatal():
    with pytest.raises(WhereError):
        Filter("not " * 20_000 + "true")


COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@settings(deadline=None)
@given(st.integers(), st.integers(-(10**20), 10**20), st.sampled_from(sorted(COMPARISONS)))
def test_integers_compare_exactly(value, bound, symbol):
    row = {"mp_processing_time_ms": value}
    expected = COMPARISONS[symbol](value, bound)
    assert Filter(f'properties["mp_processing_time_ms"] {symbol} {bound}')(row) is expected


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_undefined_never_passes_a_comparison(row):
    row.pop("x", None)
    interval = Filter('properties["x"] > 0 and properties["x"] <= 10')
    assert interval(row) is False
    assert interval({**row, "x": 7}) is True
