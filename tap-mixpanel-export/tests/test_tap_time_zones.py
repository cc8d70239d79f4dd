"""Whole runs through changes of the clock: every event once, at its true instant."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

DAY = timedelta(days=1)
CHANGES = [
    ("America/Los_Angeles", "2024-03-10"),
    ("America/Los_Angeles", "2024-11-03"),
    ("Europe/Berlin", "2024-03-31"),
    ("Europe/Berlin", "2024-10-27"),
    ("Australia/Lord_Howe", "2024-04-07"),  # half an hour
    ("Australia/Lord_Howe", "2024-10-06"),
    ("America/Sao_Paulo", "2018-02-18"),  # midnight comes twice
    ("America/Sao_Paulo", "2018-11-04"),  # midnight is left out
    ("America/Havana", "2024-11-03"),
    ("Asia/Kolkata", "2024-03-10"),  # never
    ("Asia/Kathmandu", "2024-03-10"),
    ("Europe/Moscow", "2011-03-27"),  # the zone's own offset changes
    ("Europe/Moscow", "2014-10-26"),
    ("Asia/Pyongyang", "2015-08-15"),
    ("Asia/Pyongyang", "2018-05-05"),
    ("America/Caracas", "2007-12-09"),
    ("America/Caracas", "2016-05-01"),
    ("Pacific/Apia", "2011-12-30"),  # a day is left out
]


class Stream:
    """Events at all times around a change, and what a reader of some runs has of them."""

    def __init__(self, world, event, *, basis, zone, changes):
        self._world = world
        self._wall_clock = basis == "project"
        self.zone = ZoneInfo(zone)
        self.day = date.fromisoformat(changes)
        self.begin = midnight(self.day - 2 * DAY, self.zone)
        self.times = {
            f"e{n}": self.begin + n * timedelta(minutes=17, seconds=7, milliseconds=501)
            for n in range(5 * 24 * 60 // 17)
        }
        world.add(*(self._event(event, name, time) for name, time in self.times.items()))
        self.state = None
        self.seen = {}

    def _event(self, event, name, time):
        """An event as its project stores it; it arrives at once."""
        clock = time.astimezone(self.zone if self._wall_clock else timezone.utc)
        arrived = time.isoformat()
        received = round(time.timestamp() * 1000)
        stored = clock.replace(tzinfo=timezone.utc).isoformat()
        return event(name, stored, arrived=arrived, **{"$mp_api_timestamp_ms": received})

    def run(self, now, **settings):
        """Run the tap at an instant; returns the run."""
        self._world.clock.set(now.timestamp())
        run = self._world.run(
            self.state,
            start_date=(self.day - DAY).isoformat(),
            max_window_days=3,
            **settings,
        )
        assert run.error is None
        self.state = run.state or self.state
        for message in run.messages:
            self._read(message)
        return run

    def _read(self, message):
        if message["type"] == "RECORD":
            record = message["record"]
            assert record["insert_id"] not in self.seen
            self.seen[record["insert_id"]] = record["time"]

    def expected(self, first_day, until):
        """The events of the days from this one on that arrived by an instant."""
        days = self.zone if self._wall_clock else timezone.utc
        return {
            name: text(time)
            for name, time in self.times.items()
            if time.astimezone(days).date() >= first_day and time <= until
        }

    def arrived_until(self):
        millis = self.state["bookmarks"]["events"]["arrived_until"]
        return datetime.fromtimestamp(millis / 1000, timezone.utc)


def midnight(day, zone):
    return datetime.combine(day, datetime.min.time(), tzinfo=zone).astimezone(timezone.utc)


def text(time):
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("settle_minutes", [0, 60])
@pytest.mark.parametrize(("zone", "changes"), CHANGES)
def test_a_wall_clock_that_changes_between_runs(make_world, event, zone, changes, settle_minutes):
    world = make_world(time_basis="project", zone=zone)
    stream = Stream(world, event, basis="project", zone=zone, changes=changes)
    settings = {"event_time_basis": "project", "project_timezone": zone}
    for number in range(7):
        now = stream.begin + DAY + number * timedelta(hours=14, minutes=17)
        run = stream.run(now, settle_minutes=settle_minutes, **settings)
        until = stream.arrived_until()
        assert stream.seen == stream.expected(stream.day - DAY, until)
        swept = [date.fromisoformat(last) for _, last in world.requests()]
        assert max(swept) == now.astimezone(stream.zone).date()
        assert world.requests()[0][0] == (stream.day - DAY).isoformat()
        assert_no_state_is_later(run, until)
    assert len(stream.seen) > 200
    assert stream.state["bookmarks"]["events"]["exported_first_day"] == str(stream.day - DAY)


@pytest.mark.parametrize(("zone", "changes"), CHANGES)
def test_one_run_over_a_changed_wall_clock(make_world, event, zone, changes):
    world = make_world(time_basis="project", zone=zone)
    stream = Stream(world, event, basis="project", zone=zone, changes=changes)
    now = stream.begin + 6 * DAY
    settings = {"event_time_basis": "project", "project_timezone": zone}
    run = stream.run(now, max_concurrent_requests=4, **settings)
    assert stream.seen == stream.expected(stream.day - DAY, now)
    assert_no_state_is_ahead(run, stream)


def assert_no_state_is_ahead(run, stream):
    """Nothing that happened and arrived before a STATE's bookmark comes after it."""
    expected = stream.expected(stream.day - DAY, stream.begin + 10 * DAY)
    seen = set()
    for message in run.messages:
        if message["type"] == "RECORD":
            seen.add(message["record"]["insert_id"])
        if message["type"] == "STATE":
            bookmark = message["value"]["bookmarks"]["events"]["replication_key_value"]
            assert {name for name, time in expected.items() if time < bookmark} <= seen


@pytest.mark.parametrize(("days", "settle_minutes"), [("UTC", 60), ("zone", 0)])
@pytest.mark.parametrize(("zone", "changes"), CHANGES)
def test_true_times_whatever_zone_the_days_are_taken_for(
    make_world, event, zone, changes, days, settle_minutes
):
    world = make_world(time_basis="utc")
    stream = Stream(world, event, basis="utc", zone=zone, changes=changes)
    project_timezone = zone if days == "zone" else "UTC"
    for number in range(4):
        now = stream.begin + 2 * DAY + number * timedelta(hours=19, minutes=17)
        run = stream.run(now, settle_minutes=settle_minutes, project_timezone=project_timezone)
        if days == "UTC":
            assert stream.seen == stream.expected(stream.day - DAY, stream.arrived_until())
            assert_no_state_is_later(run, stream.arrived_until())
    stream.run(stream.begin + 8 * DAY, project_timezone=project_timezone)
    assert stream.seen == stream.expected(stream.day - DAY, stream.begin + 8 * DAY)


def assert_no_state_is_later(run, until):
    for state in run.states:
        assert state["bookmarks"]["events"]["replication_key_value"] <= text(until)
