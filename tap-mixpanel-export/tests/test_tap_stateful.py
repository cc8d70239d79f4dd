"""Any events, runs, kills and faults: the reader's records are what arrived, each once."""

from __future__ import annotations

import logging
import shutil
import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from arrivals_model import DAY, EPOCH, Event, Reader, RunRules, arrival_of, day_of_event
from emulators.mixpanel import Project
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tap_mixpanel_export import arrival_sample, size_limit, window_size
from tap_mixpanel_export.duplicates import SeenKeys

PROJECT_ID = 5000
STEPS_OF_A_MACHINE = 40
LEAST_STEPS = 1500  # of each of the two tests
MINUTE = 60_000
START = datetime(2024, 3, 29, 12, 0, tzinfo=timezone.utc)  # Berlin's clocks change two days later
START_DAY = START.date() - 4 * DAY
SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
WHERE = 'properties["kind"] == "a" or properties["kind"] == "b"'

ODD_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "\x00", "ß\u2028", "\U0001f600", "\ud800", "terminated early", '"}\n']),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)
ARRIVING = st.fixed_dictionaries(
    {
        # Late within the lookback of most runs, imported with an old time, dated in the future.
        "day": st.sampled_from([0, 0, 0, 0, -1, -2, -3, -4, -4, -6, -12, 1, 2, 7]),
        "time_of_day": st.integers(0, 86_399_999),
        "delay": st.integers(-15 * MINUTE, 45 * MINUTE) | st.integers(-2, 2),
        "stamped": st.sampled_from([True] * 5 + [False]),
        "insert_id": st.sampled_from([True] * 5 + [None, ""]),
        "distinct_id": st.sampled_from(["ada", "ada", "bob", "", None, 7]),
        "kind": st.sampled_from("abc"),
        "odd": ODD_VALUES,
        "copies": st.sampled_from([1, 1, 1, 1, 2, 5]),
    }
)
SETTINGS = st.fixed_dictionaries(
    {
        "window_days": st.integers(1, 4),
        "max_window_days": st.integers(1, 12),
        "max_concurrent_requests": st.integers(1, 4),
        "max_requests_per_hour": st.sampled_from([60, 60, 11]),
        "late_event_filter": st.sampled_from(["server", "client"]),
        "settle_minutes": st.sampled_from([0, 15, 60]),
        "lookback_days": st.sampled_from([0, 4, 5, 9]),
    }
)
MANY = st.integers(0, 30)
PAUSES = st.sampled_from([0, 1, 15, 40, 61, 61, 300, 1000, 1440, 4000])
KILLS = st.integers(1, 8) | st.integers(1, 60)
PASSING = st.sampled_from([1, 1, 2, 3])
SIZES = settings(
    max_examples=15,
    stateful_step_count=STEPS_OF_A_MACHINE,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
FAULTS = st.one_of(
    st.tuples(
        st.just("status"),
        st.fixed_dictionaries({"status": st.sampled_from([429, 500, 502, 503, 504])}),
    ),
    st.tuples(
        st.sampled_from(["terminated_early", "error_tail"]),
        st.fixed_dictionaries({"after_events": st.integers(0, 3)}),
    ),
    st.tuples(
        st.sampled_from(["cut_gzip", "cut_body"]),
        st.fixed_dictionaries({"drop_bytes": st.integers(1, 30)}),
    ),
    st.tuples(st.just("cut_line"), st.fixed_dictionaries({"drop_bytes": st.integers(1, 30)})),
    st.tuples(st.sampled_from(["reset", "close", "malformed_line"]), st.just({})),
    st.tuples(st.just("reset"), st.fixed_dictionaries({"after_bytes": st.integers(1, 200)})),
)


def millis(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


class Machine(RuleBasedStateMachine):
    """A project of its own on the world's emulator, and a reader of the runs that export it."""

    def __init__(self, world: Any, basis: Any, zone: str, totals: Counter[str]) -> None:
        super().__init__()
        totals["machines"] += 1
        totals["steps"] -= 1  # the invariant is looked at once before the first
        self.totals = totals
        number = PROJECT_ID + totals["machines"]
        self.project = Project(number, time_basis=basis, timezone=zone, api_secret=SECRET)
        self.zone = ZoneInfo(zone)
        world.emulator.projects[self.project.id] = self.project
        world.clock.set(START.timestamp())
        self.world = replace(world, state_dir=world.state_dir / str(number))
        self.stored: list[Event] = []
        self.serials = count()
        self.where: str | None = None

    @initialize(where=st.sampled_from([None, WHERE]), numbers=st.lists(MANY, max_size=4))
    def begin(self, where: str | None, numbers: list[int]) -> None:
        self.where = where
        self.reader = Reader(self.zone, START_DAY, self.selects)
        for days_ago, number in enumerate(numbers):
            self.store_many(number, -days_ago, at_once=bool(number % 2))

    def selects(self, event: Event) -> bool:
        return self.where is None or event["properties"]["kind"] in {"a", "b"}

    @rule(drafts=st.lists(ARRIVING, min_size=1, max_size=6))
    def events_arrive(self, drafts: list[dict[str, Any]]) -> None:
        for draft in drafts:
            event = self.event(draft)
            for _ in range(draft["copies"]):
                self.store(event, draft["delay"], stamped=draft["stamped"])

    @rule(number=MANY, day=st.sampled_from([0, 0, -1, -3]), at_once=st.booleans())
    def many_events_arrive(self, number: int, day: int, at_once: bool) -> None:
        self.store_many(number, day, at_once=at_once)

    @precondition(lambda self: self.stored)
    @rule(
        choice=st.integers(0, 10_000),
        delay=st.sampled_from([0, 0, 1, 1000, MINUTE, None]),
        merged=st.booleans(),
    )
    def an_event_is_taken_in_again(self, choice: int, delay: int | None, merged: bool) -> None:
        event = self.stored[-1 - choice % len(self.stored)]
        properties = dict(event["properties"])
        if merged and properties["$insert_id"] and properties["distinct_id"] is not None:
            properties.setdefault("$distinct_id_before_identity", properties["distinct_id"])
            properties["distinct_id"] = "merged"
        arrival = arrival_of(properties)
        is_soon = delay is not None and arrival is not None
        offset = arrival + delay - self.world.clock.now_ms() if is_soon else 0
        again = {"event": event["event"], "properties": properties}
        self.store(again, offset, stamped=arrival is not None)

    @rule(minutes=PAUSES)
    def time_passes(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)

    @rule(minutes=PAUSES, chosen=SETTINGS)
    def a_run_ends_well(self, minutes: int, chosen: dict[str, Any]) -> None:
        self.time_passes(minutes)
        self.runs_to_the_end(chosen)

    @rule(minutes=PAUSES, chosen=SETTINGS, after=KILLS)
    def a_run_is_killed(self, minutes: int, chosen: dict[str, Any], after: int) -> None:
        self.time_passes(minutes)
        self.run(chosen, kill_after=after)

    @rule(minutes=PAUSES, chosen=SETTINGS, kills=st.lists(KILLS, min_size=2, max_size=3))
    def runs_are_killed_in_a_row(
        self, minutes: int, chosen: dict[str, Any], kills: list[int]
    ) -> None:
        self.time_passes(minutes)
        for after in kills:
            self.run(chosen, kill_after=after)

    @rule(
        minutes=PAUSES,
        chosen=SETTINGS,
        faults=st.lists(st.tuples(FAULTS, PASSING, st.integers(0, 5)), min_size=1, max_size=3),
    )
    def a_run_meets_faults_that_pass(
        self, minutes: int, chosen: dict[str, Any], faults: list[Any]
    ) -> None:
        self.time_passes(minutes)
        self.add_faults(faults)
        self.run(chosen)
        self.world.emulator.faults.clear()

    @rule(minutes=PAUSES, chosen=SETTINGS, fault=FAULTS, skip=st.integers(0, 5))
    def a_run_meets_a_fault_that_lasts(
        self, minutes: int, chosen: dict[str, Any], fault: Any, skip: int
    ) -> None:
        self.time_passes(minutes)
        self.add_faults([(fault, None, skip)])
        self.run(chosen)
        self.world.emulator.faults.clear()

    @rule(minutes=PAUSES, chosen=SETTINGS, most_events=st.integers(3, 30))
    def a_run_asks_a_server_that_ends_large_answers(
        self, minutes: int, chosen: dict[str, Any], most_events: int
    ) -> None:
        self.time_passes(minutes)
        projects = self.world.emulator.projects
        projects[self.project.id] = replace(self.project, most_events=most_events)
        self.run(chosen)
        projects[self.project.id] = self.project

    @invariant()
    def each_event_came_once(self) -> None:
        self.totals["steps"] += 1
        assert max(self.reader.committed.values(), default=1) == 1

    def teardown(self) -> None:
        if hasattr(self, "reader"):
            self.world.clock.advance(days=1)
            self.runs_to_the_end({})
            self.totals["records"] += len(self.reader.committed)
        shutil.rmtree(self.world.state_dir, ignore_errors=True)

    def event(self, draft: dict[str, Any]) -> Event:
        today = datetime.fromtimestamp(self.world.clock.now(), self.zone).date()
        midnight = datetime.combine(today + draft["day"] * DAY, datetime.min.time())
        time = millis(midnight.replace(tzinfo=timezone.utc)) + draft["time_of_day"]
        serial = next(self.serials)
        properties = {
            "time": time,
            "distinct_id": draft["distinct_id"],
            "$insert_id": f"e{serial}" if draft["insert_id"] else draft["insert_id"],
            "serial": serial,
            "kind": draft["kind"],
            "odd": draft["odd"],
        }
        return {"event": "Opened", "properties": properties}

    def store(self, event: Event, delay: int, *, stamped: bool = True) -> None:
        """Let an event arrive, after all that the last sweep may have asked for."""
        properties = dict(event["properties"])
        properties.pop("mp_processing_time_ms", None)
        if stamped or day_of_event(event) in self.reader.exported:
            arrival = self.world.clock.now_ms() + delay
            properties["mp_processing_time_ms"] = max(arrival, (self.reader.until or 0) + 1)
        event = {**event, "properties": properties}
        self.stored.append(event)
        self.reader.arrives(event)
        self.world.emulator.add_events(self.project.id, [event])

    def store_many(self, number: int, day: int, *, at_once: bool) -> None:
        for n in range(number):
            draft = {"day": day, "time_of_day": n, "insert_id": True, "kind": "abc"[n % 3]}
            delay = 0 if at_once else (n - number) * 10 * MINUTE
            self.store(self.event({**draft, "distinct_id": "ada", "odd": n}), delay)

    def add_faults(self, faults: list[Any]) -> None:
        for (kind, arguments), times, skip in faults:
            self.world.fault(kind, times=times, skip=skip, **arguments)

    def runs_to_the_end(self, chosen: dict[str, Any]) -> None:
        started = self.world.clock.now_ms()
        settle = chosen.get("settle_minutes", 60) * MINUTE
        assert self.run(chosen) is None
        assert not self.reader.is_sweeping
        assert self.reader.until is not None
        assert self.reader.until >= started - settle
        assert self.world.leftovers() == []

    def run(self, chosen: dict[str, Any], kill_after: int | None = None) -> BaseException | None:
        """Run the tap from the reader's state; returns the error that ended it."""
        started = self.world.clock.now_ms()
        run = self.world.run(
            self.reader.state,
            kill_after=kill_after,
            service_account_username=None,
            service_account_secret=None,
            api_secret=SECRET,
            project_id=self.project.id,
            project_timezone=self.project.timezone,
            event_time_basis=self.project.time_basis,
            start_date=START_DAY.isoformat(),
            where=self.where,
            **chosen,
        )
        if run.error is not None:
            run.error.with_traceback(None)  # with its frames goes what a dead process loses
        self.totals[type(run.error).__name__] += 1
        for thread in threading.enumerate():
            if thread.name.startswith("window "):
                thread.join()
        rules = RunRules(
            chosen.get("lookback_days", 5),
            chosen.get("settle_minutes", 60) * MINUTE,
            started,
            self.world.clock.now_ms(),
        )
        self.reader.read(run.messages, rules)
        return run.error


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that a handful of events exceed."""
    monkeypatch.setattr(window_size, "AIMED_EVENTS", 10)
    monkeypatch.setattr(window_size, "TOO_MANY_EVENTS", 20)
    monkeypatch.setattr(size_limit, "TOO_MANY_EVENTS", 20)
    monkeypatch.setattr(SeenKeys.__init__, "__defaults__", (4,))
    monkeypatch.setattr(arrival_sample, "_ENOUGH", 3)


@pytest.mark.timeout(900)  # a failure takes minutes to be made small
@pytest.mark.usefixtures("small_sizes")
@pytest.mark.parametrize(("basis", "zone"), [("utc", "UTC"), ("project", "Europe/Berlin")])
def test_what_arrived_comes_out_once_whatever_happens(
    make_world: Any, basis: str, zone: str, record_property: Any
) -> None:
    totals: Counter[str] = Counter()
    world = make_world()
    logging.disable(logging.WARNING)
    try:
        while totals["steps"] < LEAST_STEPS:
            run_state_machine_as_test(lambda: Machine(world, basis, zone, totals), settings=SIZES)
    finally:
        logging.disable(logging.NOTSET)
    record_property("steps", totals["steps"])
    print(f"{totals['steps']} steps, {dict(totals)}")  # noqa: T201 - shown by pytest -s or -rP
