"""Requests grow and shrink with what they bring, and even the largest day comes out once."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from tap_mixpanel_export import size_limit, window_size
from tap_mixpanel_export.errors import RetriesExhaustedError

PROJECT_ID = 4711
TIME_OUTS = [
    ("hang", {}),
    ("hang", {"after_bytes": 100}),
    ("status", {"status": 504, "body": "Gateway Time-out"}),
    ("status", {"status": 408, "body": "Request Timeout"}),
    ("status", {"status": 400, "body": {"request": "/x", "error": "Timeout Error."}}),
    ("terminated_early", {}),
    ("error_tail", {"newline": True}),
]
CUTS = [("cut_body", {"drop_bytes": 5}), ("cut_line", {}), ("cut_gzip", {"drop_bytes": 8})]


@pytest.fixture
def aim(monkeypatch):
    """A function that sets how many events an answer is to have."""

    def aim(events):
        monkeypatch.setattr(window_size, "AIMED_EVENTS", events)
        monkeypatch.setattr(window_size, "TOO_MANY_EVENTS", 2 * events)
        monkeypatch.setattr(size_limit, "TOO_MANY_EVENTS", 2 * events)

    return aim


@pytest.fixture
def four_days(world, event):
    """Ten events on each day from the 17th to the 20th."""
    world.add(
        *(
            event(f"{day}-{n}", f"2024-03-{day}T0{n}:00:00", number=n, pad="x" * 200)
            for day in range(17, 21)
            for n in range(10)
        )
    )
    return world


FOUR_DAYS = {"start_date": "2024-03-17", "window_days": 4, "max_window_days": 4}
ONE_DAY = {"start_date": "2024-03-18", "end_date": "2024-03-18"}
DAY = ("2024-03-18", "2024-03-18")


def sizes(requests):
    """How many days each request was about."""
    return [
        (date.fromisoformat(last) - date.fromisoformat(first)).days + 1 for first, last in requests
    ]


def filters(world):
    """The filter of every request, in order; None where there is none."""
    entries = world.emulator.requests.entries("/api/2.0/export")
    return [entry.query.get("where") for entry in entries]


def limited(world, most_events):
    """Let the project end larger answers in band."""
    projects = world.emulator.projects
    projects[PROJECT_ID] = replace(projects[PROJECT_ID], most_events=most_events)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_window_days": 30}, [1, 4, 16, 30, 29]),
        ({"max_window_days": 30, "window_days": 7}, [7, 28, 30, 15]),
        ({"max_window_days": 10}, [1, 4, 10, 10, 10, 10, 10, 10, 10, 5]),
        ({"max_window_days": 60, "window_days": 90}, [60, 20]),
    ],
)
def test_requests_about_few_events_grow_to_the_most_days(world, event, settings, expected):
    world.add(event("a", "2024-01-10T10:00:00"), event("b", "2024-03-19T10:00:00"))
    run = world.run(start_date="2024-01-01", **settings)
    assert run.error is None
    assert run.ids() == ["a", "b"]
    assert sizes(world.requests()) == expected


def test_requests_settle_at_the_aim(world, event, aim):
    aim(20)
    names = [f"{day:02}-{n}" for day in range(1, 20) for n in range(5)]
    world.add(*(event(name, f"2024-03-{name[:2]}T0{name[-1]}:00:00") for name in names))
    run = world.run(start_date="2024-03-01", max_window_days=30)
    assert sorted(run.ids()) == names
    assert sizes(world.requests()) == [1, 4, 4, 4, 4, 3]


def test_an_answer_above_the_limit_is_cut_before_it_comes_out(world, event, aim, caplog):
    aim(20)
    crowd = [f"{day}-{n}" for day in range(10, 18) for n in range(10)]
    world.add(*(event(name, f"2024-03-{name[:2]}T0{name[-1]}:00:00") for name in crowd))
    with caplog.at_level(logging.INFO):
        run = world.run(start_date="2024-02-01", max_window_days=30)
    assert run.error is None
    assert sorted(run.ids()) == crowd
    assert sizes(world.requests()) == [1, 4, 16, 28, 14, 14, 7, 7]
    assert "too much for one request (more than 40 events" in caplog.text


@pytest.mark.parametrize(("kind", "args"), TIME_OUTS)
def test_several_days_that_time_out_are_halved_at_once(four_days, caplog, kind, args):
    four_days.fault(kind, **args)
    with caplog.at_level(logging.INFO):
        run = four_days.run(**FOUR_DAYS, request_timeout=1)
    assert run.error is None
    assert len(run.ids()) == len(set(run.ids())) == 40
    assert four_days.requests() == [
        ("2024-03-17", "2024-03-20"),
        ("2024-03-17", "2024-03-18"),
        ("2024-03-19", "2024-03-20"),
    ]
    assert "window 2024-03-17 to 2024-03-20 is too much for one request" in caplog.text
    assert "next attempt" not in caplog.text
    assert four_days.leftovers() == []


@pytest.mark.parametrize(("kind", "args"), TIME_OUTS)
def test_a_day_that_times_out_twice_is_asked_for_by_arrival(four_days, kind, args):
    four_days.fault(kind, times=2, **args)
    run = four_days.run(**ONE_DAY, request_timeout=1)
    assert run.error is None
    assert sorted(run.ids()) == [f"18-{n}" for n in range(10)]
    assert four_days.requests() == [DAY] * 4
    assert [where is not None for where in filters(four_days)] == [False, False, True, True]


def test_a_day_that_times_out_once_is_asked_for_again(four_days):
    four_days.fault("status", status=504)
    run = four_days.run(**ONE_DAY)
    assert len(run.ids()) == 10
    assert filters(four_days) == [None, None]


def test_a_part_of_a_day_that_times_out_is_halved_at_once(four_days):
    four_days.fault("terminated_early", times=3)
    run = four_days.run(**ONE_DAY)
    assert sorted(run.ids()) == [f"18-{n}" for n in range(10)]
    assert [where is not None for where in filters(four_days)] == [False] * 2 + [True] * 4
    assert len(run.states) == 2


def test_late_events_of_several_days_that_time_out_are_halved_too(four_days, event):
    first = four_days.run(**FOUR_DAYS)
    four_days.clock.advance(hours=4)
    four_days.add(
        *(
            event(f"late {day}", f"2024-03-{day}T01:30:00", arrived="2024-03-20T13:00:00")
            for day in (17, 18, 20)
        )
    )
    before = len(four_days.requests())
    four_days.fault("terminated_early", times=4)
    second = four_days.run(first.state, **FOUR_DAYS)
    assert second.error is None
    assert sorted(second.ids()) == ["late 17", "late 18", "late 20"]
    assert sizes(four_days.requests()[before:]) == [4, 2, 1, 1, 1, 1, 1, 2]
    assert all(filters(four_days)[before:])


@pytest.mark.parametrize("filter_by", ["server", "client"])
def test_parts_of_a_day_keep_the_users_own_filters(world, event, filter_by):
    kinds = [("Opened", "free"), ("Opened", "paid"), ("Opened", "team"), ("Closed", "paid")]
    world.add(
        *(
            event(f"{name} {plan} {hour}", f"2024-03-18T{hour}:00:00", name=name, plan=plan)
            for name, plan in kinds
            for hour in (10, 22)
        ),
        event("unstamped", "2024-03-18T23:00:00", arrived=None, plan="team"),
        event("unstamped, not wanted", "2024-03-18T23:00:00", arrived=None, plan="free"),
    )
    world.fault("terminated_early", times=2)
    where = 'properties["plan"] == "paid" or properties["plan"] == "team"'
    run = world.run(**ONE_DAY, events=["Opened"], where=where, late_event_filter=filter_by)
    wanted = [f"Opened {plan} {hour}" for plan in ("paid", "team") for hour in (10, 22)]
    assert sorted(run.ids()) == [*wanted, "unstamped"]
    for asked in filters(world)[2:]:
        assert asked.startswith(f"({where}) and (")
    entries = world.emulator.requests.entries("/api/2.0/export")
    assert {entry.query["event"] for entry in entries} == {'["Opened"]'}


LARGE = "2024-02-20"


@pytest.fixture
def large_days(world, event):
    """Two days of a thousand events and some that are hard to cut; what must come out."""
    events = [
        *(
            event(f"{day}-{n}", f"{day}T{n // 60:02}:{n % 60:02}:00")
            for day in (LARGE, "2024-02-21")
            for n in range(1000)
        ),
        *(event(f"unstamped {n}", f"{LARGE}T12:00:00", arrived=None) for n in range(30)),
        *(
            event(f"{name} {n}", f"{LARGE}T12:00:00", arrived=f"{instant}.{n:03}", **{"$import": 1})
            for name, instant in (
                ("imported", "2024-03-12T09:30:00"),
                ("imported later", "2024-03-13T21:00:01"),
            )
            for n in range(150)
        ),
        *(event(f"one ms {n}", f"{LARGE}T12:00:00", arrived="2024-03-14T00:00:00") for n in (1, 2)),
    ]
    again = [
        event(f"{LARGE}-{n}", f"{LARGE}T{n // 60:02}:{n % 60:02}:00", arrived="2024-03-01T00:00:00")
        for n in range(0, 1000, 20)
    ]
    events += [event(f"small {day}", f"2024-02-{day}T10:00:00") for day in (22, 23)]
    world.add(*events, *again)
    return world, sorted(one["properties"]["$insert_id"] for one in events)


LARGE_DAYS = {"start_date": LARGE, "end_date": "2024-02-23"}


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("most_events", [None, 170])
def test_a_day_too_large_for_one_answer_comes_out_once(
    large_days, aim, caplog, most_events, at_once
):
    world, names = large_days
    aim(100)
    limited(world, most_events)
    with caplog.at_level(logging.INFO):
        run = world.run(**LARGE_DAYS, max_concurrent_requests=at_once, max_window_days=30)
    assert run.error is None
    assert sorted(run.ids()) == names
    asked = Counter(first for first, _ in world.requests())
    assert asked[LARGE] <= 40
    assert asked["2024-02-21"] <= 20
    assert "50 duplicates dropped; 0 malformed" in caplog.text
    assert world.leftovers() == []


def test_the_next_large_day_is_asked_for_in_parts_at_once(large_days, aim, caplog):
    world, _ = large_days
    aim(100)
    limited(world, 190)
    with caplog.at_level(logging.INFO):
        world.run(**LARGE_DAYS)
    second = [
        where
        for (first, _), where in zip(world.requests(), filters(world), strict=True)
        if first == "2024-02-21"
    ]
    assert all(second)
    aborted = [r.getMessage() for r in caplog.records if "terminated early" in r.getMessage()]
    assert aborted
    assert not [line for line in aborted if "window 2024-02-21" in line]
    assert filters(world)[-1] is None


def test_no_state_claims_a_part_of_a_day(large_days, aim):
    world, names = large_days
    aim(100)
    whole = world.run(**LARGE_DAYS)
    assert len(whole.records) == len(names)
    assert len(whole.states) == 1 + 4
    for kill_after in (700, 1337, 2333):
        cut = world.run(**LARGE_DAYS, kill_after=kill_after)
        kept = committed(cut)
        resumed = world.run(cut.state, **LARGE_DAYS)
        assert sorted(kept + resumed.ids()) == names
        assert world.leftovers() == []


def committed(run):
    """The records before the last STATE message."""
    kinds = [message["type"] for message in run.messages]
    end = len(kinds) - kinds[::-1].index("STATE")
    written = [message for message in run.messages[:end] if message["type"] == "RECORD"]
    return [message["record"]["insert_id"] for message in written]


@pytest.mark.parametrize(("kind", "args"), CUTS)
def test_an_answer_cut_off_four_times_is_asked_for_in_parts(four_days, kind, args):
    four_days.fault(kind, times=4, **args)
    run = four_days.run(**FOUR_DAYS)
    assert len(run.ids()) == len(set(run.ids())) == 40
    assert sizes(four_days.requests()) == [4, 4, 4, 4, 2, 2]


@pytest.mark.parametrize(("kind", "args"), CUTS)
def test_a_day_cut_off_four_times_is_asked_for_by_arrival(four_days, kind, args):
    four_days.fault(kind, times=4, **args)
    run = four_days.run(**ONE_DAY)
    assert len(run.ids()) == len(set(run.ids())) == 10
    assert [where is not None for where in filters(four_days)] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(("kind", "args"), CUTS)
def test_an_answer_cut_off_three_times_is_asked_for_as_it_was(four_days, kind, args):
    four_days.fault(kind, times=3, **args)
    run = four_days.run(**FOUR_DAYS)
    assert len(run.ids()) == 40
    assert sizes(four_days.requests()) == [4, 4, 4, 4]


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("malformed_line", {}),
        ("status", {"status": 500, "body": "unknown error"}),
        ("status", {"status": 503, "body": "maintenance"}),
        ("status", {"status": 429, "body": {"error": "too many"}}),
        ("close", {}),
        ("reset", {}),
    ],
)
def test_what_smaller_requests_do_not_help_is_asked_for_as_it_was(four_days, kind, args):
    four_days.fault(kind, times=7, **args)
    run = four_days.run(**FOUR_DAYS)
    assert run.error is None
    assert len(run.ids()) == 40
    assert sizes(four_days.requests()) == [4] * 8
    assert filters(four_days) == [None] * 8


@pytest.mark.parametrize(
    ("kind", "args", "most"),
    [
        ("terminated_early", {}, 40),
        ("status", {"status": 504, "body": "Gateway Time-out"}, 40),
        ("cut_line", {}, 4 * 40),
        ("malformed_line", {}, 8),
        ("status", {"status": 500, "body": "unknown error"}, 8),
    ],
)
def test_a_day_that_stays_broken_ends_the_run(four_days, kind, args, most):
    four_days.fault(kind, skip=1, times=None, **args)
    run = four_days.run(start_date="2024-03-17")
    assert isinstance(run.error, RetriesExhaustedError)
    assert "2024-03-18" in str(run.error)
    may_be_its_size = kind != "malformed_line" and args.get("status") != 500
    assert ("select less of it by events or where" in str(run.error)) is may_be_its_size
    assert sorted(run.ids()) == [f"17-{n}" for n in range(10)]
    assert run.bookmark["sweep"]["next_day"] == "2024-03-18"
    assert len(four_days.requests()) - 1 <= most
    assert {first for first, _ in four_days.requests()[1:]} == {"2024-03-18"}
    assert four_days.leftovers() == []
    four_days.emulator.faults.clear()
    resumed = four_days.run(run.state, start_date="2024-03-17")
    assert len(resumed.ids()) == 30


def test_a_large_day_that_began_before_the_settings_say_comes_out_once(world, event, aim):
    """As in a project whose zone is Tokyo while project_timezone is not set."""
    aim(100)
    limited(world, 250)
    names = [f"{n:04}" for n in range(1000)]
    at = [f"{n // 60:02}:{n % 60:02}:00" for n in range(1000)]
    world.add(
        *(
            event(name, f"2024-03-18T{time}", arrived=f"2024-03-17T{time}")
            for name, time in zip(names, at, strict=True)
        )
    )
    run = world.run(**ONE_DAY)
    assert run.error is None
    assert sorted(run.ids()) == names
    assert len(world.requests()) <= 40
