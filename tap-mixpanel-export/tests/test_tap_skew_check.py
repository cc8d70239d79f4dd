"""When the events' times speak against the settings."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.event import Event
from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime
from tap_mixpanel_export.skew_check import SkewCheck, SkewSample, suspicious_skew

MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("distances", "skew"),
    [
        ([7 * HOUR + 600] * 5, 7 * HOUR),
        ([7 * HOUR + 600] * 4, None),
        ([-5 * HOUR - 30 * MINUTE + 900] * 6, -5 * HOUR - 30 * MINUTE),
        ([700] * 100, None),
        ([0, 0, 0, 7 * HOUR, 7 * HOUR], None),
        ([7 * HOUR] * 60 + [90 * HOUR] * 40, 7 * HOUR),
        ([7 * HOUR + 5 * MINUTE] * 9, None),
        ([15 * MINUTE + n * 4 * MINUTE for n in range(-9, 10)], None),
        ([40 * HOUR] * 9, None),
        ([-40 * HOUR - 7 * MINUTE] * 9, -40 * HOUR - 7 * MINUTE),
    ],
)
def test_what_counts_as_wrong(distances, skew):
    assert suspicious_skew(distances) == skew


def events(count, skew, **properties):
    for number in range(count):
        time = 1_700_000_000_000 + number * 1000
        yield Event("a", {"$mp_api_timestamp_ms": time + skew, **properties}, time, None)


def warnings_of(check, *windows):
    for window in windows:
        sample = SkewSample(check._event_time)
        for event in window:
            sample.look_at(event)
        check.take(sample.distances)
        check.end_window()


def test_imported_events_do_not_count(caplog, logger):
    check = SkewCheck(EventTime(None), logger)
    warnings_of(check, events(9, 7 * HOUR, **{"$import": True}))
    assert caplog.records == []


@pytest.mark.parametrize("stamp", [-9 * 10**18, 10**400, 2**62, True, "7", 1.5, None, [1]])
@pytest.mark.parametrize("zone", [None, ZoneInfo("Asia/Kolkata")])
def test_absurd_stamps_are_left_out(caplog, logger, stamp, zone):
    check = SkewCheck(EventTime(zone), logger)
    absurd = [Event("a", {"$mp_api_timestamp_ms": stamp}, 1_700_000_000_000, None)] * 9
    warnings_of(check, absurd)
    assert caplog.records == []


@given(
    time=st.integers(EARLIEST_TIME, LATEST_TIME),
    stamps=st.lists(st.integers(EARLIEST_TIME - 9, LATEST_TIME + 9), min_size=5, max_size=6),
)
def test_no_stamp_can_end_the_run(time, stamps):
    check = SkewCheck(EventTime(ZoneInfo("Asia/Kolkata")), logging.getLogger("unused"))
    warnings_of(check, [Event("a", {"$mp_api_timestamp_ms": s}, time, None) for s in stamps])


def test_one_warning_a_run(caplog, logger):
    check = SkewCheck(EventTime(None), logger)
    warnings_of(check, events(4, 7 * HOUR), events(9, 7 * HOUR), events(9, 7 * HOUR))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "7 h before" in record.getMessage()
    assert "7 h behind UTC" in record.getMessage()


def test_a_wrong_zone_of_a_wall_clock(caplog, logger):
    check = SkewCheck(EventTime(ZoneInfo("Asia/Kolkata")), logger)
    warnings_of(check, events(9, 0))
    assert "the zone looks wrong by that much" in caplog.text
    assert "5 h 30 min before" in caplog.text
