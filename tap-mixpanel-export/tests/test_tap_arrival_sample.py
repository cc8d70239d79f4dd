"""The middle of the arrivals of an answer, from a bounded sample."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.arrival_sample import ArrivalSample

BLOCK = 700


def sample_of(arrivals):
    """A sample of arrivals that come in blocks, as they do from a body."""
    sample, arrivals = ArrivalSample(), [*arrivals]
    for begin in range(0, len(arrivals), BLOCK):
        sample.add_all(arrivals[begin : begin + BLOCK])
    return sample


@given(count=st.integers(1000, 20_000), seed=st.integers(0, 2**32))
def test_an_answer_in_no_order_is_cut_in_the_middle_and_memory_is_bounded(count, seed):
    arrivals = list(range(count))
    random.Random(seed).shuffle(arrivals)  # noqa: S311 - no secret rests on it
    sample = sample_of(arrivals)
    # The median of hundreds of random draws misses the middle by a tenth once in 10^9 times.
    assert abs(sample.cut_after() - count / 2) <= count / 10
    assert len(sample._kept) < 2000


@given(count=st.integers(50, 20_000), late=st.integers(0, 5))
def test_of_an_answer_in_order_nearly_all_that_came_is_the_first_part(count, late):
    sample = sample_of(n - n % 7 * late for n in range(count))
    assert abs(sample.cut_after() - 0.8 * count) <= count / 100 + 31


@given(st.lists(st.integers(0, 100), min_size=50, max_size=1999))
def test_the_cut_is_an_arrival_that_was_seen(arrivals):
    assert sample_of(arrivals).cut_after() in arrivals


def test_the_sample_is_spread_evenly():
    kept = sample_of(range(100_000))._kept
    assert {after - before for before, after in pairwise(kept)} == {64}
    assert kept[0] == 0
    assert kept[-1] >= 100_000 - 64


def test_too_few_arrivals_have_no_middle():
    assert sample_of(range(49)).cut_after() is None
    assert sample_of(range(50)).cut_after() == 40
