"""What a request asks Mixpanel for."""

from __future__ import annotations

import json
from datetime import date

import pytest
from emulators.mixpanel.where import Filter
from tap_mixpanel_export.client import _parameters
from tap_mixpanel_export.sweep import ArrivalFilter
from tap_mixpanel_export.window_plan import PlannedWindow
from tap_mixpanel_export.windows import Window

DAYS = Window(date(2024, 3, 18), date(2024, 3, 19))
STAMP = 'properties["mp_processing_time_ms"]'


def parameters(world, window, **settings):
    return _parameters(world.tap_class()(config=world.config(**settings)).settings, window)


def window_of(after, *, by_arrival):
    return PlannedWindow(DAYS, ArrivalFilter(after, 20), was_exported=True, by_arrival=by_arrival)


def test_whole_days_are_asked_for_in_milliseconds_and_without_a_filter(world):
    assert parameters(world, window_of(10, by_arrival=False)) == {
        "from_date": "2024-03-18",
        "to_date": "2024-03-19",
        "time_in_ms": "true",
        "project_id": "4711",
    }


def test_the_users_events_and_filter_go_as_they_are(world):
    where = 'properties["plan"] == "paid" or properties["n"] > 3'
    asked = parameters(
        world, window_of(10, by_arrival=False), where=where, events=["A, b", "\u00e9"]
    )
    assert asked["where"] == where
    assert json.loads(asked["event"]) == ["A, b", "\u00e9"]


@pytest.mark.parametrize(
    ("after", "arrivals"),
    [(10, f"{STAMP} > 10 and {STAMP} <= 20"), (None, f"(not defined({STAMP})) or {STAMP} <= 20")],
)
def test_a_window_by_arrival_asks_for_its_arrivals(world, after, arrivals):
    assert parameters(world, window_of(after, by_arrival=True))["where"] == arrivals


@pytest.mark.parametrize("after", [10, None])
@pytest.mark.parametrize("where", ['properties["n"] == 1 or properties["n"] == 2', "not true"])
def test_both_filters_hold_whatever_the_users_own_is(world, after, where):
    window = window_of(after, by_arrival=True)
    both = Filter(parameters(world, window, where=where)["where"])
    for number in (1, 2, 3):
        for arrival in (None, 10, 11, 20, 21):
            properties = {"n": number}
            if arrival is not None:
                properties["mp_processing_time_ms"] = arrival
            expected = Filter(where)(properties) and window.arrivals.takes(arrival)
            assert both(properties) == expected


def test_late_arrivals_are_selected_by_mixpanel_as_the_log_of_its_requests_shows(world, event):
    world.add(
        event("a", "2024-03-18T10:00:00", plan="paid"),
        event("free", "2024-03-18T10:00:00", plan="free"),
    )
    where = 'properties["plan"] == "paid" or properties["plan"] == "trial"'
    first = world.run(where=where)
    world.clock.advance(hours=6)
    arrived = {"arrived": "2024-03-20T14:00:00"}
    world.add(
        event("late", "2024-03-18T10:00:00", plan="trial", **arrived),
        event("late and free", "2024-03-18T10:00:00", plan="free", **arrived),
    )
    second = world.run(first.state, where=where, max_window_days=30)
    assert second.ids() == ["late"]
    entry = world.emulator.requests.entries("/api/2.0/export")[-1]
    sweep = second.bookmark
    after, until = first.bookmark["arrived_until"], sweep["arrived_until"]
    assert entry.query["where"] == f"({where}) and ({STAMP} > {after} and {STAMP} <= {until})"
    assert (entry.query["from_date"], entry.query["to_date"]) == ("2024-03-18", "2024-03-20")


def test_the_client_filter_asks_for_all_and_brings_the_same(world, event):
    world.add(event("a", "2024-03-18T10:00:00"))
    first = world.run()
    world.clock.advance(hours=6)
    world.add(event("late", "2024-03-18T10:00:00", arrived="2024-03-20T14:00:00"))
    second = world.run(first.state, late_event_filter="client")
    assert second.ids() == ["late"]
    entries = world.emulator.requests.entries("/api/2.0/export")
    assert not any("where" in entry.query for entry in entries)
