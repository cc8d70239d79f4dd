"""How much one request asks for, by what was answered before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.window_size import AIMED_EVENTS, TOO_MANY_EVENTS, WindowSize

SMALLEST_AIM = AIMED_EVENTS // 20

events = st.integers(0, 10 * AIMED_EVENTS) | st.integers(0, 1000)
answers = st.lists(events, min_size=1, max_size=5)


@given(
    start=st.integers(1, 40),
    most=st.integers(1, 40),
    windows=st.lists(st.tuples(st.integers(1, 40), answers, st.booleans())),
)
def test_the_size_aims_at_so_many_events(start, most, windows):
    size = WindowSize(start, most)
    assert size.days <= most
    for days, parts, was_cut in windows:
        size.observe(days, parts, was_cut=was_cut)
        total = sum(parts)
        assert 1 <= size.days <= min(4 * days, most)
        assert size.days == 1 or total / days * size.days <= AIMED_EVENTS
        assert size.slices == 1 or days == 1
        assert size.slices <= 64
        assert size.slices == 64 or total / size.slices <= TOO_MANY_EVENTS or days > 1
        if not was_cut:
            assert total > SMALLEST_AIM or size.slices == 1


def test_small_windows_grow_until_they_are_as_large_as_allowed():
    size, seen = WindowSize(1, 30), []
    while not size.is_settled:
        seen.append(size.days)
        size.observe(size.days, [0], was_cut=False)
    assert [*seen, size.days] == [1, 4, 16, 30]


def test_what_could_be_had_is_aimed_at_and_more_of_it_bit_by_bit():
    size, part = WindowSize(1, 30), AIMED_EVENTS // 10
    size.observe(1, [part, part, part - 100], was_cut=True)
    assert size.slices == 3
    seen = []
    for _ in range(40):
        size.observe(1, [3 * part - 100], was_cut=False)
        seen.append(size.slices)
    assert seen[0] == 1  # an answer that came whole shows what can be had
    assert size.days == 3


@given(quiet=st.integers(0, 300), failures=st.integers(1, 5))
def test_failures_on_quiet_days_leave_no_tiny_requests(quiet, failures):
    size = WindowSize(1, 30)
    for _ in range(failures):
        size.shrink(1)
        size.observe(1, [0, 1], was_cut=True)
    asked = []
    while sum(asked) < 730:
        asked.append(size.days)
        assert size.slices == 1
        size.observe(size.days, [quiet * size.days], was_cut=False)
    assert len(asked) < 60


@given(days=st.integers(1, 40), start=st.integers(1, 40))
def test_a_window_that_was_cut_makes_the_next_ones_smaller(days, start):
    size = WindowSize(start, 30)
    before = size.days
    size.shrink(days)
    assert size.is_settled
    assert 1 <= size.days <= max(1, min(before, days // 2))


def test_a_size_that_failed_is_come_back_to_day_by_day():
    size, asked = WindowSize(16, 30), []
    size.shrink(16)
    while size.days < 16:
        asked.append(size.days)
        size.observe(size.days, [10], was_cut=False)
    assert asked == [8, 9, 10, 11, 12, 13, 14, 15]


@given(
    windows=st.lists(st.tuples(st.integers(1, 40), answers, st.booleans())),
    later=st.lists(st.tuples(st.integers(1, 40), answers, st.booleans())),
    ahead=st.lists(st.integers(1, 30)),
)
def test_a_size_goes_on_from_its_pace_as_if_nothing_had_happened(windows, later, ahead):
    size, resumed = WindowSize(1, 30), WindowSize(1, 30)
    for days, parts, was_cut in windows:
        size.observe(days, parts, was_cut=was_cut)
    resumed.resume(size.pace(ahead))
    for days, parts, was_cut in later:
        size.observe(days, parts, was_cut=was_cut)
        resumed.observe(days, parts, was_cut=was_cut)
    assert vars(resumed) == vars(size)
