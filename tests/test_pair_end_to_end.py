"""The pair over a bare pipe: every event once, at its true time, with every property."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from emulators.faults import Fault
from emulators.generator import (
    Quirks,
    adobe_sample_events,
    generate,
    late_events,
    with_time_in_ms,
)
from pair import PROJECT_ID, make_pair

NO_DUPLICATES = Quirks(duplicates=0.0)


@pytest.fixture
def pair(tmp_path, serve):
    made = make_pair(tmp_path, serve)
    yield made
    made.aep.close()


def noon(*, days_ago):
    """A moment at which a generated day has had many events, whatever the time is now."""
    today = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def test_two_runs_bring_everything_once(pair):
    past = noon(days_ago=20)
    first = list(generate(1, 3, 400, now=past, quirks=NO_DUPLICATES))
    pair.mixpanel.add_events(PROJECT_ID, first)
    pair.tap_config["start_date"] = (past - timedelta(days=2)).date().isoformat()

    finished = pair.run()
    assert (finished.tap, finished.target) == (0, 0), finished.log
    brought = len(pair.rows) + len(pair.dead_letters)
    assert brought == len(first)
    assert {letter["field"] for letter in pair.dead_letters} <= {"timestamp"}

    late = list(late_events(2, 60, days=3))
    pair.mixpanel.add_events(PROJECT_ID, late)
    finished = pair.run(finished.states[-1])
    assert (finished.tap, finished.target) == (0, 0), finished.log
    assert len(pair.rows) + len(pair.dead_letters) == brought + len(late)
    assert max(Counter(row["_id"] for row in pair.rows).values()) == 1

    again = pair.run(finished.states[-1])
    assert (again.tap, again.target) == (0, 0), again.log
    assert len(pair.rows) + len(pair.dead_letters) == brought + len(late)


def test_every_property_is_in_the_dataset(pair):
    now = noon(days_ago=1)
    events = list(generate(3, 1, 300, now=now, quirks=NO_DUPLICATES))
    pair.mixpanel.add_events(PROJECT_ID, events)
    pair.tap_config["start_date"] = (now - timedelta(days=1)).date().isoformat()
    pair.run()
    mapped_names = Counter()
    for row in pair.rows:
        mapped_names.update(row["_acmeretail"]["mixpanel"].get("otherProperties", {}).keys())
        mapped_names.update(row["_acmeretail"]["mixpanel"].get("properties", {}).keys())
    loaded = {row["_id"] for row in pair.rows}
    assert loaded
    raw = Counter(
        name
        for event in events
        for name, value in event["properties"].items()
        if name in {"plan", "account_number", "City", "note", "experiment.variant"} and value
    )
    lost = len(events) - len(loaded)
    for name, count in raw.items():
        assert count - lost <= mapped_names[name] <= count


def test_adobes_sample_events_come_at_their_true_time(tmp_path, serve):
    pair = make_pair(tmp_path, serve, time_basis="project", timezone="US/Pacific")
    samples = list(with_time_in_ms(adobe_sample_events()))
    pair.mixpanel.add_events(PROJECT_ID, samples)
    pair.tap_config |= {
        "start_date": "2022-03-24",
        "end_date": "2022-05-18",
        "window_days": 30,
        "project_timezone": "Pacific Standard Time",
        "event_time_basis": "project",
    }
    finished = pair.run()
    assert (finished.tap, finished.target) == (0, 0), finished.log
    assert len(pair.rows) == len(samples)
    (first,) = (
        row
        for row in pair.rows
        if row["_acmeretail"]["mixpanel"]["apiTimestampMs"] == 1652850348643
    )
    assert first["timestamp"] == "2022-05-18T05:05:48.000Z"
    assert first["eventType"] == "Items purchased"
    pair.aep.close()


def test_a_pipe_that_broke_is_resumed_without_gap_or_repeat(pair):
    now = noon(days_ago=10)
    events = list(generate(5, 4, 100, now=now, quirks=NO_DUPLICATES))
    pair.mixpanel.add_events(PROJECT_ID, events)
    pair.tap_config["start_date"] = (now - timedelta(days=3)).date().isoformat()
    pair.tap_config["max_window_days"] = 1
    bad_day = (now - timedelta(days=1)).date().isoformat()
    refusal = {"status": 403, "body": {"error": "no access any more"}}
    match = {"query": {"from_date": bad_day}}
    pair.mixpanel.faults.add(Fault("status", match=match, args=refusal))

    broken = pair.run()
    assert broken.tap == 1
    assert "no access any more" in broken.log
    assert broken.target == 0
    whole_days = len(pair.rows) + len(pair.dead_letters)
    assert 0 < whole_days < len(events)

    finished = pair.run(broken.states[-1])
    assert (finished.tap, finished.target) == (0, 0), finished.log
    accounted = Counter(row["_id"] for row in pair.rows)
    accounted.update(letter["record"]["event_id"] for letter in pair.dead_letters)
    assert accounted.total() == len(events)
    assert set(accounted.values()) == {1}
