"""Generated events: repeatable, complete in their quirks, true in their times."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import fields, replace
from datetime import date, datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from emulators.generator import (
    NO_QUIRKS,
    Quirks,
    adobe_sample_events,
    generate,
    late_events,
    with_time_in_ms,
)
from emulators.generator.timeline import ProjectDay
from emulators.jsonlines import encode_event
from hypothesis import given, settings
from hypothesis import strategies as st

START = date(2024, 3, 1)
NOW = datetime(2024, 6, 1, tzinfo=timezone.utc)
ALL_QUIRKS = Quirks(**{field.name: 0.2 for field in fields(Quirks)})
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]


def some(count=2000, quirks=None, **options):
    options = {"start": START, "now": NOW, **options}
    return list(generate(7, 1, count, quirks=quirks, **options))


def as_bytes(events):
    return b"\n".join(map(encode_event, events))


def test_same_seed_same_bytes():
    assert as_bytes(some()) == as_bytes(some())
    other = generate(8, 1, 2000, start=START, now=NOW)
    assert as_bytes(other) != as_bytes(some())


def test_a_day_does_not_depend_on_the_others():
    two_days = list(generate(7, 2, 50, start=START, now=NOW))
    second = list(generate(7, 1, 50, start=START + timedelta(days=1), now=NOW))
    assert two_days[50:] == second


def test_streams():
    endless = generate(1, 10_000_000, 10**9, start=START, now=NOW)
    assert len(list(islice(endless, 10))) == 10


def test_size_and_width():
    events = some()
    assert 800 < len(as_bytes(events)) / len(events) < 1300
    assert 25 <= sum(len(event["properties"]) for event in events) / len(events) <= 35


def test_without_quirks_events_are_plain():
    for event in some(quirks=NO_QUIRKS):
        properties = event["properties"]
        assert properties["$insert_id"]
        assert properties["distinct_id"]
        assert 0 < properties["mp_processing_time_ms"] - properties["time"] < 5000
        assert 0 <= properties["$mp_api_timestamp_ms"] - properties["time"] <= 3000
        assert not event["event"].startswith(("$identify", "$hotshard"))
        assert properties["is_member"] in {True, False}
    assert max(Counter(map(encode_event, some(quirks=NO_QUIRKS))).values()) == 1


def _text(event):
    return encode_event(event).decode()


def _lateness(event):
    return event["properties"].get("mp_processing_time_ms", 0) - event["properties"]["time"]


QUIRK_SIGNS = {
    "missing_insert_id": lambda event: "$insert_id" not in event["properties"],
    "empty_distinct_id": lambda event: event["properties"]["distinct_id"] == "",
    "mixed_types": lambda event: event["properties"]["is_member"] == "yes",
    "big_integers": lambda event: event["properties"].get("account_number", 0) > 2**53,
    "unicode": lambda event: "note" in event["properties"],
    "nested": lambda event: isinstance(event["properties"].get("items"), list),
    "case_collisions": lambda event: {"City", "city"} <= event["properties"].keys(),
    "odd_names": lambda event: "experiment.variant" in event["properties"],
    "placeholders": lambda event: (
        event["properties"].get("campaign_code") in {"undefined", "<null>"}
    ),
    "empties": lambda event: "coupon" in event["properties"],
    "json_text": lambda event: "payload_json" in event["properties"],
    "late": lambda event: _lateness(event) > 3_600_000,
    "imported": lambda event: event["properties"].get("$import") is True,
    "hot_shard": lambda event: event["event"] == "$hotshard_events",
    "future": lambda event: _lateness(event) < -3_000_000,
    "unstamped": lambda event: "mp_processing_time_ms" not in event["properties"],
    "rekeyed": lambda event: "$distinct_id_before_identity" in event["properties"],
    "identify": lambda event: event["event"] == "$identify",
}


@pytest.mark.parametrize("name", sorted(QUIRK_SIGNS))
def test_each_quirk_can_be_turned_up_alone(name):
    events = some(300, quirks=replace(NO_QUIRKS, **{name: 1.0}))
    sign = QUIRK_SIGNS[name]
    assert all(sign(event) for event in events)
    assert not any(sign(event) for event in some(300, quirks=NO_QUIRKS))


def test_duplicates_are_identical_rows_of_the_same_day():
    rows = Counter(map(encode_event, some(1000, quirks=replace(NO_QUIRKS, duplicates=0.5))))
    assert sum(rows.values()) == 1000
    assert 400 < len(rows) < 600


def test_every_quirk_is_there_by_default():
    events = some(20_000)
    for name, sign in QUIRK_SIGNS.items():
        assert any(sign(event) for event in events), name
    text = "".join(map(_text, events))
    for oddity in ("\u2028", "\u2029", "\u0085", "👍", "\\u0000", '"<null>"', '"undefined"'):
        assert oddity in text, oddity


RESERVED = """
$browser $os $screen_height $city $region mp_country_code $current_url $referrer $initial_referrer
utm_source utm_medium utm_campaign mp_lib $lib_version $app_version_string $app_build_number
$carrier $wifi $device_id $user_id $insert_id $mp_api_endpoint $search_engine mp_keyword $model
$manufacturer
"""


def test_property_types():
    types = {}
    for event in some(20_000, quirks=ALL_QUIRKS):
        for name, value in event["properties"].items():
            types.setdefault(name, set()).add(type(value))
    assert types["$browser_version"] == {int, str, type(None)}
    assert types["is_member"] == {bool, str}
    assert types["quantity"] == {int, str}
    assert types["coupon"] == {type(None), str, list, dict}
    assert types["item_price"] == {str}
    assert types["account_number"] == {int}
    assert types["address"] == {dict}
    assert types["sourceAmount"] == {float}
    assert types["SourceAmount"] == {str}
    assert set(RESERVED.split()) <= types.keys()


def wall_clock_ms(true_ms, zone):
    local = datetime.fromtimestamp(true_ms / 1000, ZoneInfo(zone))
    return round(local.replace(tzinfo=timezone.utc).timestamp() * 1000)


@settings(deadline=None)
@given(
    day=st.dates(date(1980, 1, 2), date(2035, 12, 30)),
    zone=st.sampled_from(ZONES),
    part=st.floats(0, 1, exclude_max=True),
)
def test_stored_time_is_the_wall_clock(day, zone, part):
    project_day = ProjectDay(day, ZoneInfo(zone))
    if project_day.end == project_day.start:
        return  # Apia left out 2011-12-30
    true_ms = project_day.start + int((project_day.end - project_day.start) * part)
    stored = project_day.stored(true_ms)
    assert stored == wall_clock_ms(true_ms, zone)
    assert datetime.fromtimestamp(stored / 1000, timezone.utc).date() == day


@settings(max_examples=25, deadline=None)
@given(day=st.dates(date(2012, 1, 1), date(2030, 1, 1)), zone=st.sampled_from(ZONES))
def test_project_basis_events_fall_on_their_day(day, zone):
    now = datetime(2040, 1, 1, tzinfo=timezone.utc)
    for event in generate(
        1, 1, 20, basis="project", zone=zone, start=day, now=now, quirks=NO_QUIRKS
    ):
        properties = event["properties"]
        moment = datetime.fromtimestamp(properties["time"] / 1000, timezone.utc)
        assert moment.date() == day
        assert abs(wall_clock_ms(properties["$mp_api_timestamp_ms"], zone) - properties["time"]) < (
            3_600_000 + 4000  # an offset may change between the two
        )


def test_nothing_happens_after_now():
    noon = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)
    events = some(2000, quirks=replace(NO_QUIRKS, late=0.1), now=noon)
    assert 500 < len(events) < 1500
    assert all(event["properties"]["time"] <= noon.timestamp() * 1000 for event in events)
    assert any(
        event["properties"]["mp_processing_time_ms"] > noon.timestamp() * 1000 for event in events
    )


def test_the_last_day_is_today_by_default():
    now = datetime(2024, 5, 2, 3, tzinfo=timezone.utc)
    events = generate(1, 2, 100, basis="project", zone="US/Pacific", now=now, quirks=NO_QUIRKS)
    days = {
        datetime.fromtimestamp(event["properties"]["time"] / 1000, timezone.utc).date()
        for event in events
    }
    assert days == {date(2024, 4, 30), date(2024, 5, 1)}


def test_late_events_arrive_just_now():
    wave = list(late_events(7, 500, now=NOW))
    assert len(set(map(encode_event, wave))) == 500
    now_ms = int(NOW.timestamp() * 1000)
    for event in wave:
        assert now_ms - 1000 < event["properties"]["mp_processing_time_ms"] <= now_ms
        assert event["properties"]["time"] < now_ms
    days = {event["properties"]["time"] // 86_400_000 for event in wave}
    assert len(days) == 4  # the fifth is the day that begins now
    assert list(late_events(7, 500, now=NOW)) == wave


def test_late_events_are_new():
    history = set(map(encode_event, generate(7, 5, 500, now=NOW)))
    assert history.isdisjoint(map(encode_event, late_events(7, 500, now=NOW)))


def test_adobe_samples():
    events = adobe_sample_events()
    assert len(events) == 10
    first = events[0]["properties"]
    assert first["time"] == 1652825148
    local = datetime.fromtimestamp(first["time"], timezone.utc).replace(
        tzinfo=ZoneInfo("US/Pacific")
    )
    assert local.astimezone(timezone.utc).isoformat() == "2022-05-18T05:05:48+00:00"
    assert abs(local.timestamp() * 1000 - first["$mp_api_timestamp_ms"]) < 1000
    assert sum(event["properties"].get("$import") is True for event in events) == 2
    for event, in_ms in zip(events, with_time_in_ms(events), strict=True):
        assert in_ms["properties"]["time"] == event["properties"]["time"] * 1000
        assert json.loads(encode_event(in_ms)).keys() == {"event", "properties"}


def test_insert_ids_have_mixpanels_form():
    for event in some(500):
        insert_id = event["properties"].get("$insert_id", "a")
        assert re.fullmatch("[A-Za-z0-9-]{1,36}", insert_id)
