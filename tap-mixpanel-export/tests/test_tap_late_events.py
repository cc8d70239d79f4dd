"""Late arrivals and repeated events: each arrival comes out once, whoever selects it."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest
from emulators.server import EmulatorServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request

START = datetime(2024, 3, 10, tzinfo=timezone.utc)
FROM_START = {"start_date": "2024-03-10"}
WHOLE_MONTHS = FROM_START | {"max_window_days": 30}


def asked(world):
    """First day, last day and filter of every request."""
    entries = world.emulator.requests.entries("/api/2.0/export")
    return [
        (entry.query["from_date"], entry.query["to_date"], entry.query.get("where"))
        for entry in entries
    ]


@pytest.fixture
def careless(world):
    """A server that takes no notice of the filter."""

    def without_where(environ, start_response):
        arguments = Request(environ).args.items(multi=True)
        kept = [(name, value) for name, value in arguments if name != "where"]
        environ["QUERY_STRING"] = urlencode(kept)
        return world.emulator(environ, start_response)

    with EmulatorServer(without_where) as server:
        world.url = server.url
        yield world


@pytest.fixture
def second_day(world, event):
    """A project that was exported at 11:00 on the 20th, a day later; the state of that run."""
    world.add(*(event(f"on time {day}", f"2024-03-{day}T10:00:00") for day in range(10, 21)))
    first = world.run(**WHOLE_MONTHS)
    assert len(first.ids()) == 11
    world.emulator.requests.clear()
    world.clock.advance(days=1)
    return world, first.state


def late(event, day, **properties):
    return event(
        f"late {day}", f"2024-03-{day}T11:00:00", arrived="2024-03-20T12:00:00", **properties
    )


def test_the_days_of_the_lookback_share_one_filtered_request(second_day, event):
    world, state = second_day
    world.add(*(late(event, day) for day in (15, 17, 20)), event("new", "2024-03-21T10:00:00"))
    run = world.run(state, **WHOLE_MONTHS)
    assert sorted(run.ids()) == ["late 15", "late 17", "late 20", "new"]
    after, until = state["bookmarks"]["events"]["arrived_until"], run.bookmark["arrived_until"]
    arrival = 'properties["mp_processing_time_ms"]'
    lookback, today = asked(world)
    assert lookback[:2] == ("2024-03-15", "2024-03-20")
    assert lookback[2] == f"{arrival} > {after} and {arrival} <= {until}"
    assert today == ("2024-03-21", "2024-03-21", None)


def test_a_late_event_beyond_the_lookback_is_not_found(second_day, event):
    world, state = second_day
    world.add(late(event, 14), late(event, 15))
    run = world.run(state, **WHOLE_MONTHS)
    assert run.ids() == ["late 15"]
    world.clock.advance(hours=3)
    assert world.run(run.state, **WHOLE_MONTHS, lookback_days=30).ids() == []


def test_a_longer_lookback_finds_it_in_time(second_day, event):
    world, state = second_day
    world.add(late(event, 10), late(event, 14))
    run = world.run(state, **WHOLE_MONTHS, lookback_days=10)
    assert sorted(run.ids()) == ["late 10", "late 14"]


def test_without_lookback_only_the_bookmarks_own_day_is_searched(second_day, event):
    world, state = second_day
    world.add(late(event, 19), late(event, 20), event("new", "2024-03-21T10:00:00"))
    run = world.run(state, **WHOLE_MONTHS, lookback_days=0)
    assert sorted(run.ids()) == ["late 20", "new"]
    assert [days for *days, _ in asked(world)] == [["2024-03-20"] * 2, ["2024-03-21"] * 2]


def test_the_users_filter_holds_for_late_events_with_or_too(second_day, event):
    world, state = second_day
    where = 'properties["plan"] == "paid" or properties["plan"] == "team"'
    world.add(
        late(event, 16, plan="free"),
        late(event, 17, plan="paid"),
        late(event, 18, plan="team"),
        event("old and paid", "2024-03-18T10:00:00", plan="paid"),
        event("new and free", "2024-03-21T10:00:00", plan="free"),
    )
    run = world.run(state, **WHOLE_MONTHS, where=where)
    assert sorted(run.ids()) == ["late 17", "late 18"]
    (_, _, lookback), (_, _, today) = asked(world)
    assert lookback.startswith(f"({where}) and (")
    assert today == where


def test_a_server_that_ignores_the_filter_does_no_harm(careless, event):
    careless.add(*(event(f"on time {day}", f"2024-03-{day}T10:00:00") for day in range(10, 21)))
    first = careless.run(**WHOLE_MONTHS)
    careless.clock.advance(days=1)
    careless.add(*(late(event, day) for day in (13, 15, 17, 20)), event("n", "2024-03-21T10:00:00"))
    second = careless.run(first.state, **WHOLE_MONTHS)
    assert len(first.ids()) == 11
    assert sorted(second.ids()) == ["late 15", "late 17", "late 20", "n"]
    careless.clock.advance(days=1)
    assert careless.run(second.state, **WHOLE_MONTHS).ids() == []


def test_late_events_are_counted_in_the_log_and_the_metrics(second_day, event, caplog):
    world, state = second_day
    world.add(
        late(event, 16),
        late(event, 18),
        event("on time, same day", "2024-03-20T13:00:00"),
        event("new", "2024-03-21T10:00:00"),
    )
    with caplog.at_level(logging.INFO):
        world.run(state, **WHOLE_MONTHS)
    assert "window 2024-03-15 to 2024-03-20 (new arrivals): 3 of 3 events, 2 late" in caplog.text
    assert "window 2024-03-21: 1 of 1 events, 0 late" in caplog.text
    assert "done: 4 events (2 of them late) from 2 windows by 2 requests" in caplog.text
    points = [
        json.loads(record.getMessage().removeprefix("METRIC: "))
        for record in caplog.records
        if '"late_events"' in record.getMessage()
    ]
    assert [point["value"] for point in points] == [2, 0]


def test_an_end_date_before_the_exported_days_leaves_out_no_late_event(second_day, event, caplog):
    world, state = second_day
    world.add(late(event, 18), late(event, 20), event("after the end", "2024-03-21T10:00:00"))
    run = world.run(state, **WHOLE_MONTHS, end_date="2024-03-19")
    assert sorted(run.ids()) == ["late 18", "late 20"]
    assert "late arrivals of 2024-03-20 come out all the same" in caplog.text
    world.clock.advance(hours=1)
    assert world.run(run.state, **WHOLE_MONTHS).ids() == ["after the end"]


def test_a_later_start_date_gives_up_the_days_before_it(second_day, event):
    world, state = second_day
    world.add(late(event, 16), late(event, 18), event("new", "2024-03-21T10:00:00"))
    run = world.run(state, start_date="2024-03-18", max_window_days=30)
    assert sorted(run.ids()) == ["late 18", "new"]
    assert run.bookmark["exported_last_day"] == "2024-03-21"


def test_events_without_an_arrival_stamp_come_out_with_their_day_only(second_day, event):
    world, state = second_day
    world.add(
        event("unstamped", "2024-03-21T10:00:00", arrived=None),
        event("unstamped too late", "2024-03-19T10:00:00", arrived=None),
    )
    run = world.run(state, **WHOLE_MONTHS)
    assert run.ids() == ["unstamped"]
    world.clock.advance(days=1)
    assert world.run(run.state, **WHOLE_MONTHS).ids() == []
    assert world.run(run.state, **WHOLE_MONTHS, late_event_filter="client").ids() == []


@pytest.mark.parametrize("window_days", [1, 7])
@pytest.mark.parametrize("filter_by", ["server", "client"])
def test_what_mixpanel_repeats_comes_out_once_and_is_counted(
    world, event, caplog, window_days, filter_by
):
    options = {"window_days": window_days, "max_window_days": window_days}
    repeated = event("three times", "2024-03-18T10:00:00")
    again = event("three times", "2024-03-18T10:00:00", arrived="2024-03-18T15:00:00")
    anonymous = event("", "2024-03-19T10:00:00", distinct_id="anonymous")
    world.add(repeated, anonymous, repeated, again, anonymous, event("once", "2024-03-20T01:00:00"))
    with caplog.at_level(logging.INFO):
        first = world.run(**options, late_event_filter=filter_by)
    assert sorted(first.ids()) == ["", "once", "three times"]
    assert "3 duplicates dropped; 0 malformed" in caplog.text
    caplog.clear()
    world.clock.advance(hours=5)
    world.add(
        *[event("late twice", "2024-03-18T11:00:00", arrived="2024-03-20T14:00:00")] * 2,
        event("new", "2024-03-20T15:30:00"),
    )
    with caplog.at_level(logging.INFO):
        second = world.run(first.state, **options, late_event_filter=filter_by)
    assert sorted(second.ids()) == ["late twice", "new"]
    assert "1 duplicates dropped; 0 malformed" in caplog.text


def test_an_event_taken_in_again_later_comes_out_again_under_its_key(second_day, event):
    world, state = second_day
    world.add(event("on time 18", "2024-03-18T10:00:00", arrived="2024-03-20T20:00:00"))
    (record,) = world.run(state, **WHOLE_MONTHS).records
    whole = world.run(**WHOLE_MONTHS)
    (original,) = [one for one in whole.records if one["insert_id"] == "on time 18"]
    assert record["event_id"] == original["event_id"]


minutes = st.integers(0, 7 * 24 * 60)
arrivals = st.lists(
    st.tuples(
        st.integers(0, 6 * 24 * 60),  # happened, minutes after the start
        st.integers(-30, 60) | minutes | st.none(),  # arrived, minutes after that
    ),
    max_size=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrivals=arrivals,
    gaps=st.lists(st.integers(30, 3 * 24 * 60), min_size=2, max_size=4),
    lookback_days=st.integers(0, 7),
    settle_minutes=st.sampled_from([0, 60]),
)
def test_both_filters_give_the_same_records(
    make_world, event, arrivals, gaps, lookback_days, settle_minutes
):
    options = FROM_START | {"lookback_days": lookback_days, "settle_minutes": settle_minutes}
    world = make_world()
    world.add(*(arrived(event, number, *times) for number, times in enumerate(arrivals)))
    selected = {
        filter_by: [
            sorted(record["event_id"] for record in run.records)
            for run in runs(world, gaps, late_event_filter=filter_by, **options)
        ]
        for filter_by in ("server", "client")
    }
    assert selected["server"] == selected["client"]
    everything = [key for run in selected["server"] for key in run]
    assert len(everything) == len(set(everything))


def arrived(event, number, happened, delay):
    """An event so many minutes after the start, arrived so many minutes after that."""
    time = START + timedelta(minutes=happened)
    arrival = None if delay is None else (time + timedelta(minutes=delay)).isoformat()
    return event(str(number), time.isoformat(), arrived=arrival)


def runs(world, gaps, **options):
    """Runs so many minutes apart, the first one after the first gap."""
    world.clock.set(START.timestamp())
    state = None
    for index, gap in enumerate(gaps):
        world.clock.advance(minutes=gap - index)  # what a run's requests take is not counted
        run = world.run(state, max_window_days=5, window_days=1 + index, **options)
        assert run.error is None
        state = run.state or state
        yield run
