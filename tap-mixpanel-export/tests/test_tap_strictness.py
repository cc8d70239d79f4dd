"""Exponents that no Decimal holds are found wherever they are, by looking at few characters."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.framing.strictness import has_large_exponent

LARGE_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{18}")
digits = st.text("0123456789", min_size=10, max_size=24)
pieces = digits | digits.map("1e{}".format) | st.text("019eE+-a,", max_size=9)


@given(st.lists(pieces, max_size=6).map("".join))
def test_nothing_else_is_found_and_nothing_is_missed(text):
    assert has_large_exponent(text.encode()) == bool(LARGE_EXPONENT.search(text.encode()))


@given(
    before=st.integers(0, 40),
    letter=st.sampled_from(["e", "E", "e+", "E+", "e-", "E-"]),
    exponent=st.integers(17, 40).map("7".__mul__),
    after=st.integers(0, 40),
    around=st.sampled_from("9x"),
)
def test_it_is_found_at_any_place(before, letter, exponent, after, around):
    text = f"{around * before}{letter}{exponent}x{around * after}".encode()
    assert has_large_exponent(text) == (len(exponent) >= 18)


@given(place=st.integers(0, 99), exponent=st.integers(0, 1).map(bool), seed=st.integers(10**18))
def test_it_is_found_among_many_long_numbers(place, exponent, seed):
    numbers = [f"-{10**18 + seed + each}" for each in range(100)]
    if exponent:
        numbers[place] = "1e" + numbers[place]
    assert has_large_exponent(",".join(numbers).encode()) == exponent
