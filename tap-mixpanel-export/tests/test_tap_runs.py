"""Whole runs against the emulator: what comes out, in which order, and once."""

from __future__ import annotations

import logging

import pytest
from tap_mixpanel_export.errors import RetriesExhaustedError

VALUE = "replication_key_value"
NO_SWEEP = dict.fromkeys(["arrived_after", "arrived_until", "first_day", "last_day", "next_day"])


def test_first_run_brings_everything_that_has_arrived(world, event):
    world.add(
        event("a", "2024-03-18T10:00:00"),
        event("b", "2024-03-20T09:00:00"),
        event("too young", "2024-03-20T11:30:00"),
    )
    run = world.run()
    assert run.error is None
    assert sorted(run.ids()) == ["a", "b"]
    assert run.bookmark.pop("selection")
    assert run.bookmark == {
        "replication_key": "time",
        "replication_key_value": "2024-03-20T11:00:00.000Z",
        "state_version": 2,
        "arrived_until": 1710932400000,
        "exported_first_day": "2024-03-18",
        "exported_last_day": "2024-03-20",
        "sweep": NO_SWEEP,
        "pace": {
            "ahead": [],
            "days": 1,
            "most_days": 1,
            "aim": 1000000,
            "slices": 1,
            "is_settled": True,
        },
        "project_id": "4711",
    }
    assert world.requests() == [(day, day) for day in ("2024-03-18", "2024-03-19", "2024-03-20")]
    assert world.leftovers() == []


def test_states_frame_the_records(world, event):
    world.add(event("a", "2024-03-18T10:00:00"), event("b", "2024-03-19T10:00:00"))
    run = world.run()
    kinds = [message["type"] for message in run.messages]
    assert kinds == ["SCHEMA", "STATE", "RECORD", "STATE", "RECORD", "STATE", "STATE"]
    opening = run.states[0]["bookmarks"]["events"]
    assert opening["sweep"] == {
        "arrived_after": None,
        "arrived_until": 1710932400000,
        "first_day": "2024-03-18",
        "last_day": "2024-03-20",
        "next_day": "2024-03-18",
    }
    values = [state["bookmarks"]["events"]["replication_key_value"] for state in run.states]
    assert values == [
        "2024-03-18T00:00:00.000Z",
        "2024-03-19T00:00:00.000Z",
        "2024-03-20T00:00:00.000Z",
        "2024-03-20T11:00:00.000Z",
    ]


def test_second_run_brings_only_what_is_new(world, event):
    world.add(
        event("a", "2024-03-18T10:00:00"),
        event("b", "2024-03-20T09:00:00"),
        event("deferred", "2024-03-20T11:30:00"),
    )
    first = world.run()
    world.clock.advance(days=1)
    world.add(
        event("late", "2024-03-18T10:30:00", arrived="2024-03-20T20:00:00"),
        event("new", "2024-03-21T08:00:00"),
        event("unstamped", "2024-03-21T08:00:00", arrived=None),
    )
    second = world.run(first.state)
    assert sorted(second.ids()) == ["deferred", "late", "new", "unstamped"]
    world.clock.advance(days=1)
    third = world.run(second.state)
    assert third.ids() == []
    assert third.bookmark["replication_key_value"].startswith("2024-03-22T11:00:")


def test_nothing_to_do_within_the_settling_time(world, event, caplog):
    world.add(event("a", "2024-03-19T10:00:00"))
    first = world.run(settle_minutes=0)
    world.clock.advance(minutes=30)
    requests = len(world.requests())
    with caplog.at_level(logging.INFO):
        second = world.run(first.state)
    assert second.error is None
    assert second.records == []
    assert second.bookmark == first.bookmark
    assert len(world.requests()) == requests
    assert "no new arrivals can have settled" in caplog.text


def test_future_dated_events_wait_for_their_day_and_leave_the_bookmark(world, event):
    world.add(event("future", "2024-03-22T10:00:00", arrived="2024-03-19T10:00:00"))
    first = world.run()
    assert first.ids() == []
    assert first.bookmark["replication_key_value"] == "2024-03-20T11:00:00.000Z"
    world.clock.advance(days=2)
    second = world.run(first.state)
    assert second.ids() == ["future"]
    world.clock.advance(days=1)
    assert world.run(second.state).ids() == []


def test_kills_between_any_two_lines_lose_and_repeat_nothing(world, event):
    names = [f"{day}-{number}" for day in (18, 19, 20) for number in range(3)]
    world.add(*(event(name, f"2024-03-{name[:2]}T0{name[-1]}:00:00") for name in names))
    whole = world.run()
    for kill_after in range(len(whole.messages)):
        cut = world.run(kill_after=kill_after)
        delivered, state = _committed(cut)
        resumed = world.run(state)
        assert resumed.error is None
        assert sorted(delivered + resumed.ids()) == names
        moved = {name: resumed.bookmark[name] for name in ("arrived_until", VALUE)}
        assert resumed.bookmark == {**whole.bookmark, **moved}
        assert whole.bookmark["arrived_until"] <= moved["arrived_until"] < world.clock.now_ms()


def _committed(run):
    """What a reader keeps that commits at STATE messages only."""
    delivered, pending, state = [], [], None
    for message in run.messages:
        if message["type"] == "RECORD":
            pending.append(message["record"]["insert_id"])
        if message["type"] == "STATE":
            delivered, pending, state = delivered + pending, [], message["value"]
    return delivered, state


def test_a_resumed_sweep_keeps_its_own_end_and_the_next_one_follows(world, event, killed):
    world.add(event("a", "2024-03-18T10:00:00"), event("b", "2024-03-19T10:00:00"))
    cut = world.run(kill_after=4)
    assert isinstance(cut.error, killed)
    assert cut.bookmark["sweep"]["next_day"] == "2024-03-19"
    world.clock.advance(hours=6)
    world.add(
        event("late on a finished day", "2024-03-18T11:00:00", arrived="2024-03-20T14:00:00"),
        event("late on an open day", "2024-03-19T11:00:00", arrived="2024-03-20T14:00:00"),
    )
    began = world.clock.now_ms()
    resumed = world.run(cut.state)
    assert sorted(resumed.ids()) == ["b", "late on a finished day", "late on an open day"]
    assert resumed.ids()[0] == "b"
    hour = 3_600_000
    assert began <= resumed.bookmark["arrived_until"] + hour <= world.clock.now_ms()


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_sweep_that_is_resumed_comes_to_the_same_states(world, event, at_once):
    """A target finds what it has loaded by the STATE that it could not pass on."""
    world.add(*(event(f"{day}", f"2024-02-{day:02}T10:00:00") for day in range(1, 29)))
    settings = {
        "start_date": "2024-01-25",
        "max_window_days": 8,
        "max_concurrent_requests": at_once,
    }
    whole = world.run(**settings)
    world.clock.advance(hours=5)
    world.add(event("late", "2024-03-19T10:00:00", arrived="2024-03-20T12:00:00"))
    assert len(whole.states) > 8
    for position, state in enumerate(whole.states[:-1]):
        resumed = world.run(state, **settings)
        assert resumed.error is None
        rest = whole.states[position:]
        assert resumed.states[: len(rest)] == rest


def test_mixed_windows_are_split_at_the_days_exported_before(world, event):
    world.add(event("a", "2024-03-18T10:00:00"))
    first = world.run(window_days=7, max_window_days=7)
    world.clock.advance(days=3)
    world.run(first.state, window_days=7, max_window_days=7)
    assert world.requests() == [
        ("2024-03-18", "2024-03-20"),
        ("2024-03-18", "2024-03-20"),
        ("2024-03-21", "2024-03-23"),
    ]


def test_end_date_ends_the_export(world, event):
    world.add(event("a", "2024-03-18T10:00:00"), event("b", "2024-03-19T10:00:00"))
    run = world.run(end_date="2024-03-18T00:00:00Z")
    assert run.ids() == ["a"]
    assert run.bookmark["replication_key_value"] == "2024-03-19T00:00:00.000Z"
    later = world.clock.now_ms()
    world.clock.advance(hours=1)
    assert world.run(run.state).ids() == ["b"]
    assert later < world.clock.now_ms()


def test_a_later_start_date_wins_over_the_bookmark(world, event):
    world.add(event("a", "2024-03-10T10:00:00"), event("b", "2024-03-19T10:00:00"))
    first = world.run(start_date="2024-03-09", end_date="2024-03-11")
    world.clock.advance(hours=1)
    second = world.run(first.state, start_date="2024-03-19")
    assert second.ids() == ["b"]
    assert second.bookmark["exported_first_day"] == "2024-03-19"
    assert min(day for day, _ in world.requests()[3:]) == "2024-03-19"


def test_an_earlier_start_date_is_named_to_need_a_full_refresh(world, event, caplog):
    world.add(event("a", "2024-03-10T10:00:00"), event("b", "2024-03-19T10:00:00"))
    first = world.run()
    world.clock.advance(hours=1)
    with caplog.at_level(logging.WARNING):
        second = world.run(first.state, start_date="2024-03-01")
    assert second.ids() == []
    assert caplog.text.count("full refresh") == 1
    assert "2024-03-01 to 2024-03-17 will not come out" in caplog.text


def test_a_plain_bookmark_is_continued_by_arrival(world, event):
    world.add(
        event("before", "2024-03-18T10:00:00"),
        event("late", "2024-03-18T10:00:00", arrived="2024-03-19T13:00:00"),
        event("same day", "2024-03-19T09:00:00"),
        event("after", "2024-03-20T09:00:00"),
    )
    plain = {"replication_key": "time", "replication_key_value": "2024-03-19T12:00:00Z"}
    run = world.run({"bookmarks": {"events": plain}}, start_date="2024-03-01")
    assert sorted(run.ids()) == ["after", "late", "same day"]


def test_a_day_that_has_not_begun_at_mixpanel_is_left_to_the_next_run(make_world, event, caplog):
    world = make_world(time_basis="project", zone="America/Los_Angeles")
    world.clock.advance(hours=-8)  # 04:00 UTC on the 20th, the 19th in Los Angeles
    world.add(event("a", "2024-03-18T10:00:00", arrived="2024-03-18T17:00:00"))
    with caplog.at_level(logging.INFO):
        run = world.run()
    assert run.error is None
    assert run.ids() == ["a"]
    assert run.bookmark["exported_last_day"] == "2024-03-19"
    assert "2024-03-20 has not begun" in caplog.text
    assert run.bookmark["sweep"] == NO_SWEEP


def test_the_clock_of_a_wrong_machine_is_not_taken_for_a_zone(world):
    world.refuse(400, TOO_LATE, times=None)
    run = world.run(start_date="2024-03-10")
    assert "check project_timezone and this machine's clock" in str(run.error)
    for state in run.states:
        bookmark = state["bookmarks"]["events"]
        assert bookmark["sweep"]["next_day"] == "2024-03-10"
        assert bookmark["exported_last_day"] is None
    assert len(world.requests()) <= 3


TOO_LATE = "to_date cannot be later than today"


def test_a_day_that_was_exported_before_is_never_left_out(world, event, caplog):
    world.add(event("a", "2024-03-20T01:00:00"))
    first = world.run(start_date="2024-03-20", settle_minutes=0)
    world.clock.advance(hours=1)
    world.add(event("b", "2024-03-20T12:30:00"))
    world.refuse(400, TOO_LATE)
    second = world.run(first.state, start_date="2024-03-20", settle_minutes=0)
    assert second.error is None
    assert second.ids() == ["b"]
    assert "though 2024-03-20 was exported before" in caplog.text


def test_a_day_that_was_exported_before_and_stays_denied_ends_the_run(world, event):
    world.add(event("a", "2024-03-20T01:00:00"))
    first = world.run(start_date="2024-03-20", settle_minutes=0)
    world.clock.advance(hours=1)
    world.add(event("b", "2024-03-20T12:30:00"))
    world.refuse(400, TOO_LATE, times=None)
    second = world.run(first.state, start_date="2024-03-20", settle_minutes=0)
    assert isinstance(second.error, RetriesExhaustedError)
    assert "check project_timezone and this machine's clock" in str(second.error)
    world.emulator.faults.clear()
    assert world.run(second.state, settle_minutes=0).ids() == ["b"]


def test_adobes_first_sample_in_us_pacific(make_world):
    world = make_world(time_basis="project", zone="US/Pacific")
    sample = {
        "event": "Items purchased",
        "properties": {
            "time": 1652825148000,
            "distinct_id": "test@test.com",
            "$insert_id": "935d87b1-00cd-41b7-be34-b9d98dd08b70",
            "$mp_api_endpoint": "api.mixpanel.com",
            "$mp_api_timestamp_ms": 1652850348643,
            "item_price": "800.00",
            "mp_processing_time_ms": 1652850348702,
        },
    }
    world.add(sample)
    run = world.run(
        start_date="2022-05-17",
        end_date="2022-05-17",
        project_timezone="Pacific Standard Time",
        event_time_basis="project",
    )
    (record,) = run.records
    assert record["time"] == "2022-05-18T05:05:48.000Z"
    assert record["properties"] == sample["properties"]


def test_texts_and_numbers_come_through_verbatim(world, event):
    odd = event(
        "odd",
        "2024-03-18T10:00:00",
        text="line\u2028separator\u2029and\u0085next\x0b\x1c",
        emoji="\U0001f600",
        lone="\ud800 alone",
        big=2033513821949367296,
        bigger=10**30,
        float=1.0,
        small=1e-9,
        nested={"a": [[1, None], {"$b": True}]},
        **{"": "empty name", "$x": 1, "X": 2, "x": 3},
    )
    world.add(odd)
    (record,) = world.run().records
    assert record["properties"] == odd["properties"]
    assert repr(record["properties"]["float"]) == "1.0"


def test_only_named_events_and_the_users_filter(world, event):
    world.add(
        event("a", "2024-03-18T10:00:00", name="Opened", plan="free"),
        event("b", "2024-03-18T10:00:00", name="Opened", plan="paid"),
        event("c", "2024-03-18T10:00:00", name="Cl\u00f6sed", plan="paid"),
    )
    run = world.run(events=["Opened"], where='properties["plan"] == "paid"')
    assert run.ids() == ["b"]
    assert world.run(events=["Cl\u00f6sed"]).ids() == ["c"]


def test_each_kind_of_credentials_and_the_retirement_warning(world, event, caplog):
    world.add(event("a", "2024-03-18T10:00:00"))
    nobody = {"service_account_username": None, "service_account_secret": None}
    bearer = world.run(**nobody, oauth_token="oauth-7d9c1f2e8b")
    assert bearer.ids() == ["a"]
    assert "2027-03-03" not in caplog.text
    secret = world.run(**nobody, project_id=None, api_secret="0a1b2c3d4e5f60718293a4b5c6d7e8f9")
    assert secret.ids() == ["a"]
    assert "2027-03-03" in caplog.text


def test_large_days_come_compressed_and_whole(world, event):
    names = [f"e{number}" for number in range(3000)]
    world.add(*(event(name, "2024-03-18T10:00:00", pad="x" * 50) for name in names))
    assert sorted(world.run().ids()) == sorted(names)


def test_wrong_settings_of_time_are_pointed_out_once(make_world, event, caplog):
    world = make_world(time_basis="project", zone="Asia/Kolkata")
    for d in (18, 19):
        world.add(
            *(
                event(f"{d}-{n}", f"2024-03-{d}T15:3{n}:00", arrived=f"2024-03-{d}T10:0{n}:01")
                for n in range(6)
            )
        )
    world.run()
    assert caplog.text.count("check event_time_basis") == 1
    assert "5 h 30 min after" in caplog.text
    caplog.clear()
    world.run(event_time_basis="project", project_timezone="Asia/Kolkata")
    assert "event_time_basis" not in caplog.text


def test_progress_is_logged(world, event, caplog):
    world.add(event("a", "2024-03-18T10:00:00"), event("young", "2024-03-20T11:59:00"))
    with caplog.at_level(logging.INFO):
        world.run()
    assert "sweep of 2024-03-18 to 2024-03-20" in caplog.text
    assert "window 2024-03-18: 1 of 1 events" in caplog.text
    assert "done: 1 events (0 of them late) from 3 windows by 3 requests" in caplog.text
    assert "1 events deferred" in caplog.text


def test_requests_are_paced(make_world, event, caplog):
    world = make_world()
    world.add(event("a", "2024-03-01T10:00:00"))
    with caplog.at_level(logging.INFO):
        run = world.run(start_date="2024-03-15", max_requests_per_hour=4)
    assert run.error is None
    assert sum(world.clock.slept) >= 3600
    assert "max_requests_per_hour" in caplog.text
