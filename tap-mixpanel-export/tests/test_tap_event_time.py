"""True instants from both time bases, in every kind of zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime
from tap_mixpanel_export.instants import (
    day_of,
    end_of,
    instant_text,
    parse_instant,
    start_of,
    to_millis,
)
from tap_mixpanel_export.project_zone import UnknownZoneError, project_zone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ZONES = [
    "UTC",
    "America/Los_Angeles",
    "America/Sao_Paulo",  # gave up daylight saving in 2019
    "America/St_Johns",
    "Asia/Kathmandu",  # moved from +5:30 to +5:45 in 1986
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Europe/London",
    "Pacific/Apia",  # left out 2011-12-30
    "Pacific/Chatham",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.integers(0, 4_000_000_000_000)


def wall_clock_ms(instant_ms, zone):
    local = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)
    return to_millis(local.replace(tzinfo=timezone.utc))


@given(instant=instants, zone=zones, delay=st.integers(0, 14 * 60_000))
@example(instant=1_699_174_800_000, zone=ZoneInfo("America/Los_Angeles"), delay=0)
@example(instant=1_699_178_400_000, zone=ZoneInfo("America/Los_Angeles"), delay=0)
@example(instant=1_680_361_200_000, zone=ZoneInfo("Australia/Lord_Howe"), delay=0)
def test_a_wall_clock_time_goes_back_to_its_instant(instant, zone, delay):
    raw = wall_clock_ms(instant, zone)
    assert EventTime(zone).to_utc(raw, instant + delay) == instant


@given(instant=instants, zone=zones)
def test_without_a_receipt_the_first_of_two_instants_is_taken(instant, zone):
    raw = wall_clock_ms(instant, zone)
    found = EventTime(zone).to_utc(raw, None)
    assert wall_clock_ms(found, zone) == raw
    assert found <= instant


@given(time_ms=st.integers(EARLIEST_TIME, LATEST_TIME), zone=zones, received=st.none() | instants)
@example(time_ms=1_710_036_000_000 + 1_800_000, zone=ZoneInfo("America/Los_Angeles"), received=None)
def test_any_time_has_an_instant_that_can_be_written(time_ms, zone, received):
    found = EventTime(zone).to_utc(time_ms, received)
    assert abs(found - time_ms) <= 26 * 3_600_000
    assert to_millis(parse_instant(instant_text(found))) == found


def test_the_spring_gap_follows_the_receipt():
    basis = EventTime(ZoneInfo("America/Los_Angeles"))
    gap = to_millis(datetime(2024, 3, 10, 2, 30, tzinfo=timezone.utc))
    before = to_millis(datetime(2024, 3, 10, 9, 30, tzinfo=timezone.utc))
    after = to_millis(datetime(2024, 3, 10, 10, 30, tzinfo=timezone.utc))
    assert basis.to_utc(gap, None) == after
    assert basis.to_utc(gap, before + 1) == before
    assert basis.to_utc(gap, after + 1) == after


@given(time_ms=st.integers(EARLIEST_TIME, LATEST_TIME), received=st.none() | instants)
def test_utc_stays(time_ms, received):
    assert EventTime(None).to_utc(time_ms, received) == time_ms


def test_instants_are_written_in_milliseconds_and_utc():
    assert instant_text(1652850348000) == "2022-05-18T05:05:48.000Z"
    assert instant_text(7) == "1970-01-01T00:00:00.007Z"
    assert instant_text(EARLIEST_TIME) == "0001-01-03T00:00:00.000Z"


@given(instant=instants, zone=zones)
def test_a_day_holds_its_instants(instant, zone):
    day = day_of(instant, zone)
    assert start_of(day, zone) <= instant < end_of(day, zone)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("pacific standard time", "America/Los_Angeles"),
        ("America/Los_Angeles", "America/Los_Angeles"),
        ("US/Pacific", "US/Pacific"),
        ("India Standard Time", "Asia/Calcutta"),
        ("UTC", "UTC"),
    ],
)
def test_zones_by_iana_and_windows_names(name, key):
    assert project_zone(name).key == key


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("America/Los_Angles", "did you mean America/Los_Angeles"),
        ("pacific standrd time", "Pacific Standard Time"),
        ("America", "no zone is called 'America'"),
        ("", "no zone"),
        ("../etc", "no zone"),
        ("Mars", "no zone"),
    ],
)
def test_unknown_zones_are_named_with_near_ones(name, words):
    with pytest.raises(UnknownZoneError) as caught:
        project_zone(name)
    assert words in str(caught.value)
