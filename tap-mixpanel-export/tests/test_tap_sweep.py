"""Sweeps as pure state: every arrival once, whatever is killed where."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export import bookmark_json, sweep
from tap_mixpanel_export.instants import day_of, end_of, start_of
from tap_mixpanel_export.sweep import ArrivalFilter, Bookmark, SweepRules
from tap_mixpanel_export.windows import Window

HOUR = 3_600_000
DAY = 24 * HOUR
BEGIN = int(datetime(2024, 3, 1, tzinfo=timezone.utc).timestamp() * 1000)
ZONES = ["UTC", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati"]

hours = st.integers(0, 14 * 24)
events = st.lists(st.tuples(hours, st.one_of(st.none(), hours)), max_size=25)
runs = st.lists(
    st.tuples(
        st.integers(1, 60),  # hours since the run before
        st.tuples(st.integers(1, 5), st.integers(1, 9)),  # days of a window, of a late one
        st.one_of(st.none(), st.integers(0, 12)),  # windows before it is killed
        st.booleans(),  # killed within a window, or before its checkpoint came through
    ),
    min_size=1,
    max_size=8,
)


class Reader:
    """Keeps what came before the last checkpoint, as a target does."""

    def __init__(self):
        self.kept = []
        self.state = {}
        self._pending = []

    def record(self, number):
        self._pending.append(number)

    def checkpoint(self, bookmark):
        self.kept += self._pending
        self._pending = []
        self.state = json.loads(json.dumps(bookmark_json.to_json(bookmark)))

    def drop(self):
        self._pending = []


def run_once(reader, rules, stored, now, sizes, windows, midway):
    """One run of the tap on ``stored`` (day in the project's zone, arrival)."""
    bookmark = bookmark_json.from_json(reader.state, zone=rules.zone, now_ms=now)
    budget = [10**6 if windows is None else windows]
    if bookmark.sweep is not None and not sweep_through(
        reader, rules, stored, bookmark, now, sizes, budget, midway
    ):
        return
    bookmark = bookmark_json.from_json(reader.state, zone=rules.zone, now_ms=now)
    opened = sweep.open_sweep(bookmark, rules, now)
    if opened is not None:
        sweep_through(reader, rules, stored, opened, now, sizes, budget, midway)


def sweep_through(reader, rules, stored, bookmark, now, sizes, budget, midway):
    reader.checkpoint(bookmark)
    size, late_size = sizes
    while window := sweep.next_window(bookmark, size=size, late_size=late_size):
        killed = budget[0] <= 0
        budget[0] -= 1
        if killed and not midway:
            return False
        arrivals = sweep.arrival_filter(bookmark, window)
        for number, (day, arrival) in enumerate(stored):
            visible = arrival is None or arrival <= now
            if visible and day in window and arrivals.takes(arrival):
                reader.record(number)
        if killed:
            reader.drop()
            return False
        before, bookmark = bookmark, sweep.complete_window(bookmark, window, rules.zone)
        assert before.value <= bookmark.value <= end_of(window.last_day, rules.zone) or (
            before.value == bookmark.value
        )
        assert bookmark.value <= before.sweep.arrived_until or bookmark.value == before.value
        reader.checkpoint(bookmark)
    return True


@given(events=events, runs=runs, zone=st.sampled_from(ZONES), settle=st.sampled_from([0, 1, 30]))
def test_each_arrival_comes_out_once(events, runs, zone, settle):
    zone = ZoneInfo(zone)
    start_day = day_of(BEGIN, zone)
    rules = SweepRules(zone, start_day, None, lookback_days=400, settle_ms=settle * HOUR)
    stored = [
        (day_of(BEGIN + h * HOUR, zone), None if a is None else BEGIN + a * HOUR) for h, a in events
    ]
    reader, now = Reader(), BEGIN + DAY
    for hours_later, sizes, windows, midway in runs:
        now += hours_later * HOUR
        run_once(reader, rules, stored, now, sizes, windows, midway)
        reader.drop()
    for sizes in ((3, 5), (3, 5)):
        now += 1
        run_once(reader, rules, stored, now, sizes, None, midway=False)
    until = now - rules.settle_ms
    today = day_of(now, zone)
    expected = [
        number
        for number, (day, arrival) in enumerate(stored)
        if start_day <= day <= today and (arrival is None or arrival <= until)
    ]
    assert sorted(reader.kept) == expected
    final = bookmark_json.from_json(reader.state, zone=zone, now_ms=now)
    assert final.sweep is None
    assert final.value <= until


@given(
    events=events,
    runs=runs,
    lookback=st.integers(0, 3),
    starts=st.lists(st.integers(0, 10), min_size=8, max_size=8),
)
def test_nothing_comes_out_twice_however_settings_change(events, runs, lookback, starts):
    zone = ZoneInfo("Europe/Berlin")
    stored = [
        (day_of(BEGIN + h * HOUR, zone), None if a is None else BEGIN + a * HOUR) for h, a in events
    ]
    reader, now = Reader(), BEGIN + DAY
    for (hours_later, sizes, windows, midway), start in zip(runs, starts, strict=False):
        now += hours_later * HOUR
        start_day = date(2024, 3, 1) + timedelta(days=start)
        end_day = start_day + timedelta(days=start % 4) if start % 2 else None
        rules = SweepRules(zone, start_day, end_day, lookback_days=lookback, settle_ms=HOUR)
        run_once(reader, rules, stored, now, sizes, windows, midway)
        reader.drop()
        value = reader.state.get("replication_key_value")
        assert value is None or bookmark_json.from_json(reader.state, zone=zone, now_ms=now)
    stamped = [number for number in reader.kept if stored[number][1] is not None]
    assert len(stamped) == len(set(stamped))


def test_a_window_never_mixes_exported_and_new_days():
    zone = ZoneInfo("UTC")
    rules = SweepRules(zone, date(2024, 3, 1), None, lookback_days=3, settle_ms=0)
    exported = Window(date(2024, 3, 1), date(2024, 3, 10))
    value = start_of(date(2024, 3, 11), zone)
    bookmark = Bookmark(value, arrived_until=value, exported=exported)
    opened = sweep.open_sweep(bookmark, rules, start_of(date(2024, 3, 14), zone))
    assert sweep.next_window(opened, size=10, late_size=2) == Window(
        date(2024, 3, 8), date(2024, 3, 9)
    )
    first = sweep.next_window(opened, size=2, late_size=10)
    assert first == Window(date(2024, 3, 8), date(2024, 3, 10))
    assert sweep.arrival_filter(opened, first) == ArrivalFilter(value, value + 3 * DAY)
    opened = sweep.complete_window(opened, first, zone)
    assert opened.value == value
    second = sweep.next_window(opened, size=10, late_size=1)
    assert second == Window(date(2024, 3, 11), date(2024, 3, 14))
    assert sweep.arrival_filter(opened, second) == ArrivalFilter(None, value + 3 * DAY)


def test_dropping_the_last_day_closes_a_sweep_without_days():
    zone = ZoneInfo("UTC")
    rules = SweepRules(zone, date(2024, 3, 1), None, lookback_days=3, settle_ms=0)
    now = start_of(date(2024, 3, 2), zone)
    opened = sweep.open_sweep(Bookmark(), rules, now)
    shorter = sweep.drop_last_day(opened)
    assert shorter.sweep.days == Window(date(2024, 3, 1), date(2024, 3, 1))
    closed = sweep.drop_last_day(shorter)
    assert closed.sweep is None
    assert closed.arrived_until == now
    assert closed.exported is None


def test_the_arrival_filter():
    first, later = ArrivalFilter(None, 100), ArrivalFilter(50, 100)
    assert [first.takes(arrival) for arrival in (None, 0, 100, 101)] == [True, True, True, False]
    assert [later.takes(arrival) for arrival in (None, 50, 51, 100, 101)] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert not later.defers(None)
    assert later.defers(101)


def test_a_window_has_its_days_in_order():
    with pytest.raises(ValueError, match="cannot end on 2024-03-01 before 2024-03-02"):
        Window(date(2024, 3, 2), date(2024, 3, 1))


def test_a_later_start_date_that_is_taken_back_repeats_nothing():
    zone = ZoneInfo("UTC")
    exported = Window(date(2024, 3, 1), date(2024, 3, 2))
    value = start_of(date(2024, 3, 3), zone)
    bookmark = Bookmark(value, arrived_until=value, exported=exported)
    now = start_of(date(2024, 3, 10), zone)
    later = SweepRules(zone, date(2024, 3, 8), None, lookback_days=3, settle_ms=0)
    opened = sweep.open_sweep(bookmark, later, now)
    assert opened.exported == exported
    window = sweep.next_window(opened, size=1, late_size=7)
    assert window == Window(date(2024, 3, 8), date(2024, 3, 8))
    assert sweep.arrival_filter(opened, window).arrived_after is None
    moved = sweep.complete_window(opened, window, zone)
    assert moved.exported == window
    early = SweepRules(zone, date(2024, 3, 1), None, lookback_days=30, settle_ms=0)
    assert sweep.days_left_out(moved, early) == Window(date(2024, 3, 1), date(2024, 3, 7))


def test_an_earlier_start_date_leaves_out_days_before_a_sweep_that_has_exported_nothing():
    zone = ZoneInfo("UTC")
    rules = SweepRules(zone, date(2024, 3, 5), None, lookback_days=3, settle_ms=0)
    opened = sweep.open_sweep(Bookmark(), rules, start_of(date(2024, 3, 10), zone))
    assert sweep.days_left_out(Bookmark(), rules) is None
    assert sweep.days_left_out(opened, rules) is None
    early = replace(rules, start_day=date(2024, 3, 1))
    left_out = Window(date(2024, 3, 1), date(2024, 3, 4))
    assert sweep.days_left_out(opened, early) == left_out
    window = sweep.next_window(opened, size=2, late_size=2)
    assert sweep.days_left_out(sweep.complete_window(opened, window, zone), early) == left_out


def exported_until_the_tenth(zone):
    value = start_of(date(2024, 3, 11), zone)
    exported = Window(date(2024, 3, 1), date(2024, 3, 10))
    return Bookmark(value, arrived_until=value, exported=exported)


def test_an_earlier_end_date_leaves_no_day_that_was_exported_to_lose_its_late_arrivals():
    zone = ZoneInfo("UTC")
    bookmark = exported_until_the_tenth(zone)
    rules = SweepRules(zone, date(2024, 3, 1), date(2024, 3, 4), lookback_days=3, settle_ms=0)
    opened = sweep.open_sweep(bookmark, rules, start_of(date(2024, 3, 14), zone))
    assert opened.sweep.days == Window(date(2024, 3, 8), date(2024, 3, 10))
    assert sweep.days_after_end(bookmark, rules) == Window(date(2024, 3, 5), date(2024, 3, 10))


@pytest.mark.parametrize("end_day", [None, date(2024, 3, 10), date(2024, 3, 11)])
def test_an_end_date_that_leaves_nothing_out_is_not_spoken_of(end_day):
    zone = ZoneInfo("UTC")
    rules = SweepRules(zone, date(2024, 3, 1), end_day, lookback_days=3, settle_ms=0)
    assert sweep.days_after_end(exported_until_the_tenth(zone), rules) is None
    assert sweep.days_after_end(Bookmark(), rules) is None


@pytest.mark.parametrize(
    ("zone", "now"),
    [
        ("America/Los_Angeles", datetime(2024, 3, 10, 3, tzinfo=timezone.utc)),  # the 9th there
        ("UTC", datetime(2024, 3, 9, 23, tzinfo=timezone.utc)),
    ],
)
@pytest.mark.parametrize("lookback", [0, 3])
def test_a_today_before_the_last_exported_day_still_covers_it(zone, now, lookback):
    zone = ZoneInfo(zone)
    exported = Window(date(2024, 3, 1), date(2024, 3, 10))
    now_ms = int(now.timestamp() * 1000)
    bookmark = Bookmark(now_ms - HOUR, arrived_until=now_ms - HOUR, exported=exported)
    rules = SweepRules(zone, date(2024, 3, 1), None, lookback_days=lookback, settle_ms=0)
    opened = sweep.open_sweep(bookmark, rules, now_ms)
    assert day_of(now_ms, zone) == date(2024, 3, 9)
    assert opened.sweep.days == Window(date(2024, 3, 9 - lookback), date(2024, 3, 10))


@given(
    end=st.none() | st.integers(-5, 20),
    back=st.integers(0, 9),
    hours=st.integers(1, 400),
    zone=st.sampled_from(ZONES),
)
def test_a_sweep_reaches_every_exported_day_from_its_first_one_on(end, back, hours, zone):
    zone = ZoneInfo(zone)
    bookmark = exported_until_the_tenth(zone)
    end_day = None if end is None else date(2024, 3, 1) + timedelta(days=end)
    rules = SweepRules(zone, date(2024, 3, 1), end_day, lookback_days=back, settle_ms=0)
    opened = sweep.open_sweep(bookmark, rules, bookmark.value + hours * HOUR)
    if opened is None:  # nothing is claimed, so nothing is lost
        assert end_day <= bookmark.exported.last_day
        return
    assert opened.sweep.days.last_day >= bookmark.exported.last_day
    assert opened.sweep.days.first_day >= date(2024, 3, 11) - timedelta(days=back)
