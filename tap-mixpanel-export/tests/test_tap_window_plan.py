"""Windows and their parts: nothing is left out, nothing is asked for twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from emulators.mixpanel.where import Filter
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export import sweep, window_plan
from tap_mixpanel_export.instants import day_of, end_of, start_of
from tap_mixpanel_export.sweep import ArrivalFilter, Bookmark, OpenSweep
from tap_mixpanel_export.window_plan import (
    MOST_CUTS,
    PlannedWindow,
    SweepPlan,
)
from tap_mixpanel_export.window_size import AIMED_EVENTS, WindowSize
from tap_mixpanel_export.windows import Window

UTC = ZoneInfo("UTC")
HOUR = 3_600_000
DAY = date(2024, 3, 31)
ZONES = ["UTC", "America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]
STAMP = "mp_processing_time_ms"

zones = st.sampled_from(ZONES).map(ZoneInfo)
# Arrivals from two days before a day begins to weeks after it.
offsets = st.integers(-48 * HOUR, 30 * 24 * HOUR) | st.integers(-5, 26 * HOUR)


@st.composite
def single_days(draw):
    zone = draw(zones)
    begin = start_of(DAY, zone)
    until = begin + draw(offsets)
    after = draw(st.none() | offsets.map(lambda offset: begin + offset))
    if after is not None and after >= until:
        after, until = until, after + 1
    window = PlannedWindow(
        Window(DAY, DAY),
        ArrivalFilter(after, until),
        was_exported=draw(st.booleans()),
        completes=draw(st.booleans()),
    )
    return window, zone


def takes(window, day, arrival):
    return day in window.days and window.arrivals.takes(arrival)


def moments_around(*windows):
    """Every arrival at which one of the windows could end or begin, and none at all."""
    bounds = {
        bound
        for window in windows
        for bound in (window.arrivals.arrived_after, window.arrivals.arrived_until)
        if bound is not None
    }
    return [None, *sorted(bound + step for bound in bounds for step in (-1, 0, 1))]


def assert_parted(window, parts):
    """Each event of the window belongs to exactly one part, and no other event to any."""
    for day in (DAY + timedelta(days=number) for number in range(-2, 45)):
        for arrival in moments_around(window, *parts):
            owners = sum(takes(part, day, arrival) for part in parts)
            assert owners == takes(window, day, arrival)
    for part in parts:
        after, until = part.arrivals.arrived_after, part.arrivals.arrived_until
        assert after is None or after < until
    assert [part.place for part in parts] == sorted({part.place for part in parts})


@given(planned=single_days(), count=st.integers(2, 40), median=st.none() | offsets)
def test_the_halves_of_many_days_are_cut_by_days(planned, count, median):
    window, zone = planned
    window = replace(window, days=Window(DAY, DAY + timedelta(days=count - 1)))
    parts = window.halves(zone, None if median is None else start_of(DAY, zone) + median)
    assert_parted(window, parts)
    assert all(part.days.count < count for part in parts)
    assert [replace(part, days=window.days, cuts=0) for part in parts] == [window, window]


@given(planned=single_days(), median=st.none() | offsets)
def test_the_halves_of_a_day_are_cut_by_arrival(planned, median):
    window, zone = planned
    parts = window.halves(zone, None if median is None else start_of(DAY, zone) + median)
    if parts is None:
        return
    first, second = parts
    assert_parted(window, parts)
    assert first.arrivals.arrived_until < window.arrivals.arrived_until
    assert first.arrivals.arrived_until == second.arrivals.arrived_after
    assert not first.completes
    assert second.completes == window.completes
    assert all(part.is_slice and part.by_arrival for part in parts)


@given(planned=single_days(), choices=st.lists(st.tuples(st.booleans(), st.floats(0.1, 0.9))))
def test_repeated_cutting_ends(planned, choices):
    window, zone = planned
    fractions = iter(choices)
    for _ in range(200):
        takes_second, fraction = next(fractions, (False, None))
        after, until = window.arrivals.arrived_after, window.arrivals.arrived_until
        lower = start_of(DAY, zone) - 24 * HOUR if after is None else after
        median = None if fraction is None else round(lower + fraction * (until - lower))
        parts = window.halves(zone, median)
        if parts is None:
            return
        window = parts[takes_second]
    pytest.fail("it is still cut")


@given(planned=single_days())
def test_what_was_cut_often_is_not_cut_again(planned):
    window, zone = planned
    assert replace(window, cuts=MOST_CUTS).halves(zone) is None
    assert all(part.cuts == 1 for part in window.halves(zone) or ())
    many_days = replace(window, days=Window(DAY, DAY + timedelta(days=40)))
    assert [part.cuts for part in many_days.halves(zone)] == [0, 0]


@given(planned=single_days(), count=st.integers(1, 60))
def test_the_slices_of_a_day_are_its_parts(planned, count):
    window, zone = planned
    parts = window.slices(count, zone)
    assert 1 <= len(parts) <= count
    assert_parted(window, parts)
    assert [part.completes for part in parts] == [False] * (len(parts) - 1) + [window.completes]
    assert len(parts) == 1 or all(part.is_slice and part.by_arrival for part in parts)


def test_slices_share_the_day_equally_whatever_arrives_later():
    begin = start_of(DAY, UTC)
    window = PlannedWindow(
        Window(DAY, DAY), ArrivalFilter(None, begin + 700 * HOUR), was_exported=False
    )
    untils = [part.arrivals.arrived_until for part in window.slices(5, UTC)]
    assert untils == [*(begin + 5 * n * HOUR for n in range(1, 5)), begin + 700 * HOUR]


def test_a_burst_of_imports_is_cut_at_its_middle():
    begin = start_of(DAY, UTC)
    arrivals = ArrivalFilter(begin, begin + 700 * HOUR)
    window = PlannedWindow(Window(DAY, DAY), arrivals, was_exported=True)
    burst = begin + 600 * HOUR
    first, second = window.halves(UTC, burst)
    assert first.arrivals == ArrivalFilter(begin, burst)
    assert second.arrivals == ArrivalFilter(burst, begin + 700 * HOUR)


def test_days_that_began_before_midnight_here_can_be_cut():
    """A project far east of project_timezone: its events arrive before the day begins."""
    begin = start_of(DAY, UTC)
    window = PlannedWindow(Window(DAY, DAY), ArrivalFilter(None, begin), was_exported=False)
    first, _ = window.halves(UTC, begin - 4 * HOUR)
    assert first.arrivals == ArrivalFilter(None, begin - 4 * HOUR)
    assert first.halves(UTC) is not None


@given(planned=single_days(), offset=offsets, where=st.sampled_from(["true", "false or true"]))
def test_the_expression_selects_what_the_window_takes(planned, offset, where):
    window, zone = planned
    parts = (window, *window.slices(3, zone))
    for part in parts:
        for text in (part.expression(), f"({where}) and ({part.expression()})"):
            selects = Filter(text)
            for arrival in (*moments_around(*parts), start_of(DAY, zone) + offset):
                properties = {} if arrival is None else {STAMP: arrival}
                assert selects(properties) == part.arrivals.takes(arrival)


def test_a_stamp_that_says_nothing_counts_as_none():
    window = PlannedWindow(Window(DAY, DAY), ArrivalFilter(None, 10), was_exported=False)
    assert Filter(window.expression())({STAMP: None})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "2024-03-31"),
        ({"days": Window(DAY, DAY + timedelta(days=1))}, "2024-03-31 to 2024-04-01"),
        ({"was_exported": True}, "2024-03-31 (new arrivals)"),
        ({"is_slice": True}, "2024-03-31 (arrivals until 1970-01-01T00:00:00.010Z)"),
    ],
)
def test_windows_are_named_for_the_log(change, text):
    window = PlannedWindow(Window(DAY, DAY), ArrivalFilter(None, 10), was_exported=False)
    assert str(replace(window, **change)) == text


@st.composite
def open_sweeps(draw):
    zone = draw(zones)
    first = DAY - timedelta(days=draw(st.integers(0, 12)))
    days = Window(first, first + timedelta(days=draw(st.integers(0, 60))))
    next_day = first + timedelta(days=draw(st.integers(0, days.count - 1)))
    exported = draw(st.none() | st.integers(-40, 60).map(lambda n: first + timedelta(days=n)))
    until = start_of(days.last_day, zone) + draw(st.integers(0, 24 * HOUR))
    after = None if exported is None else until - draw(st.integers(1, 60 * 24 * HOUR))
    known = None if exported is None else Window(min(first, exported), exported)
    opened = OpenSweep(after, until, days, next_day)
    return Bookmark(start_of(first, zone), after, known, opened), zone


@given(
    planned=open_sweeps(),
    size=st.integers(1, 30),
    late_days=st.none() | st.integers(1, 30),
    slices=st.integers(1, 4),
)
def test_a_plan_has_the_windows_that_stepping_the_sweep_has(planned, size, late_days, slices):
    bookmark, zone = planned
    sizes = WindowSize(size, 30)
    sizes.slices = slices
    plan = SweepPlan(bookmark, sizes, late_days=late_days, zone=zone)
    after = bookmark.sweep.arrived_after
    recent = None if after is None or slices == 1 else day_of(after, zone)
    while days := sweep.next_window(
        bookmark, size=size, late_size=late_days or size, apart_from=recent
    ):
        was_exported = sweep.was_exported(bookmark, days)
        whole = PlannedWindow(
            days,
            sweep.arrival_filter(bookmark, days),
            was_exported=was_exported,
            by_arrival=was_exported and late_days is not None,
        )
        is_recent = recent is not None and days.first_day >= recent
        is_sliced = days.count == 1 and (not was_exported or is_recent)
        for part in whole.slices(slices, zone) if is_sliced else (whole,):
            assert plan.next() == part
        bookmark = sweep.complete_window(bookmark, days, zone)
    assert plan.next() is None
    assert plan.next() is None


@given(
    planned=open_sweeps(),
    late_days=st.none() | st.integers(1, 30),
    events_a_day=st.integers(0, 3 * AIMED_EVENTS),
)
def test_a_plan_covers_each_day_once_while_sizes_change(planned, late_days, events_a_day):
    bookmark, zone = planned
    size = WindowSize(1, 30)
    plan = SweepPlan(bookmark, size, late_days=late_days, zone=zone)
    covered, days = [], []
    while window := plan.next():
        if window.completes:
            covered.append(window.days)
            days += [window.days.first_day + timedelta(days=n) for n in range(window.days.count)]
            size.observe(window.days.count, [events_a_day * window.days.count], was_cut=False)
    opened = bookmark.sweep
    left = (opened.days.last_day - opened.next_day).days + 1
    assert days == [opened.next_day + timedelta(days=number) for number in range(left)]
    if bookmark.exported is not None:
        for window in covered:
            assert (window.first_day in bookmark.exported) == (window.last_day in bookmark.exported)


def test_large_days_are_asked_for_in_slices_and_late_arrivals_are_not():
    until = end_of(DAY, UTC) + 9 * HOUR
    exported = Window(DAY - timedelta(days=1), DAY - timedelta(days=1))
    opened = OpenSweep(
        until - 30 * HOUR, until, Window(exported.first_day, DAY), exported.first_day
    )
    size = WindowSize(1, 30)
    size.observe(1, [5 * AIMED_EVENTS], was_cut=False)
    bookmark = Bookmark(0, until - 30 * HOUR, exported, opened)
    plan = SweepPlan(bookmark, size, late_days=7, zone=UTC)
    late = plan.next()
    assert (late.days, late.by_arrival, late.is_slice) == (exported, True, False)
    slices = [plan.next() for _ in range(5)]
    assert all(part.is_slice and part.days == Window(DAY, DAY) for part in slices)
    assert plan.next() is None


def test_the_shortest_slice_is_a_minute():
    begin = int(datetime(2024, 3, 31, tzinfo=timezone.utc).timestamp() * 1000)
    arrivals = ArrivalFilter(begin, begin + 3 * window_plan._SHORTEST_SLICE_MS)
    window = PlannedWindow(Window(DAY, DAY), arrivals, was_exported=False)
    assert len(window.slices(1000, UTC)) == 3
    assert window.slices(3, UTC)[0].halves(UTC) is None
