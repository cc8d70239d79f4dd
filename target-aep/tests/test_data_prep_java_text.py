"""Values as Java prints them, text as Java counts it."""

from __future__ import annotations

from datetime import timezone
from decimal import Decimal

import pytest
from data_prep_values import nested, nested_objects, texts
from hypothesis import given
from hypothesis import strategies as st
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import (
    MOST_CHARACTERS,
    character_index,
    double_text,
    text_of,
    unit_index,
    unit_length,
    unit_order,
    unit_slice,
)
from target_aep.data_prep.time_zones import zone_of
from target_aep.data_prep.zoned_date_time import ZonedDateTime


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1.0"),
        (20.5, "20.5"),
        (-0.0, "-0.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (1e10, "1.0E10"),
        (-123456789.125, "-1.23456789125E8"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_a_double_prints_as_in_java(number, text):
    assert double_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_comes_back_from_its_text(number):
    assert float(double_text(number)) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1E+3"),
        ("a", "a"),
        ([1, None, [2.5]], "[1, null, [2.5]]"),
        ({"a": 1, "b": {"c": True}}, "{a=1, b={c=true}}"),
        ([], "[]"),
        ({}, "{}"),
        (ZonedDateTime.of_epoch_milliseconds(1_571_829_840_000), "2019-10-23T11:24:00Z"),
        (
            ZonedDateTime.of_epoch_milliseconds(1_571_829_840_000, zone_of("Europe/Paris")),
            "2019-10-23T13:24:00+02:00",
        ),
        (ZonedDateTime.of_epoch_milliseconds(5, timezone.utc), "1970-01-01T00:00:00.005Z"),
    ],
)
def test_a_value_prints_as_in_java(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (nested(1000), "nested"),
        (nested_objects(1000), "nested"),
        pytest.param(10**5000, "digits", id="huge"),
        (["x" * MOST_CHARACTERS], "1 MiB"),
    ],
)
def test_a_text_without_bound_is_refused(value, reason):
    with pytest.raises(EvaluationError, match=reason):
        text_of(value)


def test_a_character_beyond_16_bits_counts_two():
    assert unit_length("a😀b") == 4
    assert unit_index("a😀b", 2) == 3
    assert character_index("a😀b", 3) == 2
    assert unit_slice("a😀b", 1, 3) == "😀"


def test_half_a_character_becomes_a_question_mark():
    assert unit_slice("a😀b", 0, 2) == "a?"
    assert unit_slice("a😀b", 2, 4) == "?b"


def test_texts_sort_by_their_code_units():
    assert sorted(["\ufb00", "😀", "a"], key=unit_order) == ["a", "😀", "\ufb00"]


@given(texts, st.integers(0, 30), st.integers(-5, 30))
def test_a_slice_is_that_of_the_code_units(text, start, end):
    units = text.encode("utf-16-le", "surrogatepass")
    expected = units[2 * start : 2 * max(end, 0)].decode("utf-16-le", "surrogatepass")
    cut = unit_slice(text, start, end)
    assert len(cut) == len(expected)
    assert all(found in (char, "?") for found, char in zip(cut, expected, strict=True))
