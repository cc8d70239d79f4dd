"""Realistic events, with all the quirks of real projects, come out complete and unchanged."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone

import pytest
from emulators.generator import adobe_sample_events, generate, with_time_in_ms

PACIFIC = {"event_time_basis": "project", "project_timezone": "Pacific Standard Time"}


def canonical(event):
    return json.dumps(event, sort_keys=True)


def identity(event):
    """What Mixpanel recognises an event by; its whole content if it has no insert id."""
    properties = event["properties"]
    if "$insert_id" not in properties:
        return canonical(event)
    who = properties.get("$distinct_id_before_identity", properties.get("distinct_id"))
    return canonical([event["event"], properties["time"], properties["$insert_id"], who])


@pytest.mark.parametrize(
    ("basis", "zone"),
    [("utc", "UTC"), ("project", "America/Los_Angeles"), ("project", "Australia/Lord_Howe")],
)
def test_everything_that_was_generated_comes_out(make_world, basis, zone):
    world = make_world(time_basis=basis, zone=zone)
    world.clock.set(datetime(2024, 4, 20, tzinfo=timezone.utc).timestamp())
    now = datetime(2024, 4, 19, tzinfo=timezone.utc)
    start = date(2024, 4, 3)
    events = list(generate(7, 8, 60, basis=basis, zone=zone, start=start, now=now))
    world.add(*events)
    run = world.run(
        start_date="2024-01-01",
        window_days=30,
        max_window_days=30,
        settle_minutes=0,
        event_time_basis=basis,
        project_timezone=zone,
    )
    assert run.error is None
    arrived = [e for e in events if day_of(e) <= "2024-04-19"]
    out = [{"event": r["event_name"], "properties": r["properties"]} for r in run.records]
    assert {canonical(event) for event in out} <= {canonical(event) for event in arrived}
    assert sorted(map(identity, out)) == sorted({identity(event) for event in arrived})
    assert len({record["event_id"] for record in run.records}) == len(out) < len(arrived)


def day_of(event):
    moment = datetime.fromtimestamp(event["properties"]["time"] / 1000, timezone.utc)
    return moment.date().isoformat()


def test_adobes_samples_have_their_true_time(make_world, millis):
    world = make_world(time_basis="project", zone="US/Pacific")
    samples = list(with_time_in_ms(adobe_sample_events()))
    world.add(*samples)
    run = world.run(start_date="2022-03-01", end_date="2022-06-30", window_days=30, **PACIFIC)
    assert len(run.records) == len(samples) == 10
    delays = {
        record["time"]: record["mp_api_timestamp_ms"] - millis(record["time"][:-1])
        for record in run.records
    }
    sent_at_once = [
        "2022-03-29T12:06:59.000Z",
        "2022-05-13T13:38:58.000Z",
        "2022-05-18T05:05:48.000Z",
        "2022-05-18T13:10:56.000Z",
    ]
    assert sorted(time for time, delay in delays.items() if 0 <= delay < 1000) == sent_at_once
