"""Texts of times are the same whether a minute's work is shared or not."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime
from tap_mixpanel_export.framing import time_texts
from tap_mixpanel_export.framing.time_texts import SECOND_TEXTS, THOUSANDTH_TEXTS, TimeTexts
from tap_mixpanel_export.instants import instant_text

ZONES = [
    "UTC",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Africa/Monrovia",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Europe/Dublin",
    "America/Caracas",
]


def assert_same(event_time, raw, received, texts):
    minute, rest = divmod(raw, 60_000)
    right = instant_text(event_time.to_utc(raw, received))
    after_minute = SECOND_TEXTS[rest // 1000] + THOUSANDTH_TEXTS[rest % 1000]
    assert texts[minute] == "" or texts[minute] + after_minute == right


@given(
    zone=st.none() | st.sampled_from(ZONES),
    raw=st.integers(EARLIEST_TIME, LATEST_TIME) | st.integers(0, 2 * 10**12),
    late=st.integers(-(10**8), 10**8) | st.none(),
)
def test_a_minutes_text_is_right_for_any_of_its_times(zone, raw, late):
    event_time = EventTime(ZoneInfo(zone) if zone else None)
    received = None if late is None else raw + late
    assert_same(event_time, raw, received, TimeTexts(event_time))


@pytest.mark.parametrize("zone", ZONES)
def test_the_changes_of_a_year_are_right_to_the_minute(zone):
    event_time = EventTime(ZoneInfo(zone))
    texts = TimeTexts(event_time)
    changed = 0
    begin = int(datetime(2011, 1, 1, tzinfo=timezone.utc).timestamp() * 1000)
    for hour in range(365 * 24):
        raw = begin + hour * 3_600_000
        offsets = {event_time.to_utc(raw + each, None) - each for each in (0, 3_600_000)}
        if len(offsets) == 1:
            continue
        changed += 1
        for each in range(-3_600_000, 7_200_000, 59_999):
            for received in (None, raw - 10**7, raw + 10**7):
                assert_same(event_time, raw + each, received, texts)
    assert changed >= (2 if zone == "Europe/Dublin" else 0)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(time_texts, "_MOST", 40)
    texts = TimeTexts(EventTime(None))
    for minute in range(90):
        assert texts[minute] == f"1970-01-01T{minute // 60:02d}:{minute % 60:02d}:"
        assert len(texts) <= 40
    assert texts[0] == "1970-01-01T00:00:"


def test_times_from_everywhere_cost_no_more_than_a_minute_each(monkeypatch):
    monkeypatch.setattr(time_texts, "_MOST", 100)
    texts = TimeTexts(EventTime(None))
    for number in range(4):
        assert texts[number * 1000]
    assert len(texts) == 60
    for number in range(4, 44):
        assert texts[number * 1000]
    assert len(texts) == 100
