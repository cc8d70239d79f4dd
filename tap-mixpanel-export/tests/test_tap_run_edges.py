"""Backfills, refreshes, changed settings, empty projects, full disks, and what a run tells."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import subprocess
import sys

import pytest
from tap_mixpanel_export.errors import StateError
from tap_mixpanel_export.run_report import ExportMetric
from tap_mixpanel_export.tap import TapMixpanelExport

FROM_10TH = {"start_date": "2024-03-10", "max_window_days": 30}


@pytest.fixture
def eleven_days(world, event):
    """An event on each day from the 10th to the 20th."""
    world.add(*(event(f"on {day}", f"2024-03-{day}T10:00:00") for day in range(10, 21)))
    return world


def names(first, last):
    return [f"on {day}" for day in range(first, last + 1)]


def test_a_backfill_in_stages_brings_each_day_once(eleven_days, event):
    world, state, brought = eleven_days, None, []
    for end_date in ("2024-03-12", "2024-03-12", "2024-03-15", None):
        run = world.run(state, **FROM_10TH, end_date=end_date)
        brought.append(run.ids())
        state = run.state
        assert run.error is None
        world.clock.advance(minutes=10)
    assert brought == [names(10, 12), [], names(13, 15), names(16, 20)]
    assert state["bookmarks"]["events"]["exported_first_day"] == "2024-03-10"
    world.add(event("late", "2024-03-16T11:00:00", arrived="2024-03-20T11:50:00"))
    world.clock.advance(hours=2)
    assert world.run(state, **FROM_10TH).ids() == ["late"]


def test_late_events_of_a_backfill_come_with_the_run_after_it(eleven_days, event):
    world = eleven_days
    backfill = world.run(**FROM_10TH, end_date="2024-03-12")
    assert backfill.bookmark["replication_key_value"] == "2024-03-13T00:00:00.000Z"
    world.clock.advance(hours=2)
    world.add(event("late", "2024-03-11T11:00:00", arrived="2024-03-20T12:30:00"))
    assert sorted(world.run(backfill.state, **FROM_10TH).ids()) == ["late", *names(13, 20)]


def test_an_end_date_in_the_future_is_today(eleven_days):
    run = eleven_days.run(**FROM_10TH, end_date="2024-12-31")
    assert run.ids() == names(10, 20)
    assert run.bookmark["exported_last_day"] == "2024-03-20"


def test_a_full_refresh_brings_everything_again_under_the_same_keys(eleven_days, event):
    world = eleven_days
    first = world.run(**FROM_10TH)
    world.clock.advance(hours=3)
    world.add(event("late", "2024-03-11T11:00:00", arrived="2024-03-20T12:30:00"))
    refresh = world.run(**FROM_10TH)
    assert sorted(refresh.ids()) == sorted([*first.ids(), "late"])
    assert keys(first) < keys(refresh)
    world.clock.advance(hours=3)
    world.add(event("later", "2024-03-19T11:00:00", arrived="2024-03-20T15:30:00"))
    assert world.run(refresh.state, **FROM_10TH).ids() == ["later"]


def keys(run):
    return {record["event_id"] for record in run.records}


def test_a_deselected_stream_makes_no_request_and_no_output(eleven_days, tmp_path):
    catalog = TapMixpanelExport(config={}, validate_config=False).catalog_dict
    for item in catalog["streams"][0]["metadata"]:
        item["metadata"]["selected"] = False
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    finished = command(eleven_days, tmp_path, "--catalog", str(tmp_path / "catalog.json"))
    assert finished.returncode == 0
    assert finished.stdout == ""
    assert "ERROR" not in finished.stderr
    assert eleven_days.requests() == []


def command(world, tmp_path, *arguments, file_blocks="unlimited", **settings):
    """The real command, run to its end; no file of it gets larger than so many half KiB."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps(world.config(**settings)))
    limited = ["/bin/sh", "-c", f'ulimit -f {file_blocks}; exec "$@"', "sh"]
    return subprocess.run(
        [*limited, sys.executable, "-m", "tap_mixpanel_export", "--config", config, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={name: value for name, value in os.environ.items() if not name.startswith("TAP_")},
    )


@pytest.mark.parametrize(
    "changed", [{"events": ["Opened"]}, {"where": 'defined(properties["distinct_id"])'}]
)
def test_changed_filters_are_warned_of_once(eleven_days, caplog, changed):
    world = eleven_days
    state = world.run(**FROM_10TH).state
    warnings = []
    for settings in ({}, changed, changed, {}, {}):
        caplog.clear()
        world.clock.advance(hours=1)
        run = world.run(state, **FROM_10TH, **settings)
        assert run.error is None
        state = run.state
        warnings.append([r.getMessage() for r in caplog.records if "differ" in r.getMessage()])
    assert [len(lines) for lines in warnings] == [0, 1, 0, 1, 0]
    assert warnings[1][0].startswith("events or where differ from the last run's: the days up to ")
    assert "2024-03-20 were filtered by the former ones; a full refresh" in warnings[1][0]


def test_the_same_filters_in_another_order_are_no_change(eleven_days, caplog):
    state = eleven_days.run(**FROM_10TH, events=["Opened", "Closed"]).state
    eleven_days.clock.advance(hours=1)
    eleven_days.run(state, **FROM_10TH, events=["Closed", "Opened"])
    assert "differ" not in caplog.text


def test_a_filter_changed_within_an_open_sweep_is_warned_of(eleven_days, caplog):
    cut = eleven_days.run(start_date="2024-03-10", kill_after=4)
    resumed = eleven_days.run(cut.state, start_date="2024-03-10", events=["Opened"])
    assert resumed.ids() == names(11, 20)
    assert "the days up to 2024-03-10 were filtered by the former ones" in caplog.text


def test_the_state_of_another_project_is_refused(eleven_days):
    first = eleven_days.run(**FROM_10TH)
    before = len(eleven_days.requests())
    other = eleven_days.run(first.state, **FROM_10TH, project_id=4712)
    assert isinstance(other.error, StateError)
    assert "it belongs to project 4711, and project_id is 4712" in str(other.error)
    assert other.messages == []
    assert len(eleven_days.requests()) == before


def test_a_project_that_is_not_named_keeps_its_state(eleven_days):
    first = eleven_days.run(**FROM_10TH)
    eleven_days.clock.advance(hours=1)
    nameless = {"service_account_username": None, "service_account_secret": None} | {
        "api_secret": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "project_id": None,
    }
    second = eleven_days.run(first.state, **FROM_10TH, **nameless)
    assert second.error is None
    assert second.bookmark["project_id"] == "4711"


def test_days_that_retention_has_cut_off_cost_few_requests(eleven_days, caplog):
    run = eleven_days.run(start_date="2019-03-20", max_window_days=30)
    assert run.ids() == names(10, 20)
    assert run.bookmark["exported_first_day"] == "2019-03-20"
    assert len(eleven_days.requests()) <= 5 * 12 + 4
    assert "not a single event" not in caplog.text


def test_an_empty_project_is_pointed_out_once(world, caplog):
    first = world.run(**FROM_10TH)
    assert first.records == []
    assert first.bookmark["replication_key_value"] == "2024-03-20T11:00:00.000Z"
    assert caplog.text.count("not a single event came out of any day") == 1
    assert "check project_id, region, events, where and start_date" in caplog.text
    world.clock.advance(days=1)
    second = world.run(first.state, **FROM_10TH)
    assert second.bookmark["replication_key_value"].startswith("2024-03-21T11:00:0")
    assert caplog.text.count("not a single event") == 1


def test_a_full_disk_while_a_later_day_comes_leaves_the_days_before_it(world, event, tmp_path):
    world.add(event("small 18", "2024-03-18T10:00:00"), event("small 19", "2024-03-19T10:00:00"))
    noise = [secrets.token_hex(2000) for _ in range(100)]  # compression cannot make it small
    world.add(*(event(f"large {n}", "2024-03-20T10:00:00", noise=noise[n]) for n in range(100)))
    settings = {"end_date": "2024-03-20", "max_concurrent_requests": 4}
    finished = command(world, tmp_path, file_blocks=100, **settings)
    assert finished.returncode == 1
    (line,) = [line for line in finished.stderr.splitlines() if "ERROR" in line]
    assert f"state_dir: cannot write to {world.state_dir}" in line
    assert "free space there, or name another directory" in line
    written, state = read(finished)
    assert written == ["small 18", "small 19"]
    assert state["bookmarks"]["events"]["sweep"]["next_day"] == "2024-03-20"
    assert world.leftovers() == []
    rest = command(world, tmp_path, "--state", str(stored(tmp_path, state)), **settings)
    assert rest.returncode == 0
    assert sorted(read(rest)[0]) == sorted(f"large {n}" for n in range(100))


def read(finished):
    """The records and the last state of a command's output."""
    messages = [json.loads(line) for line in finished.stdout.splitlines()]
    written = [m["record"]["insert_id"] for m in messages if m["type"] == "RECORD"]
    return written, [m["value"] for m in messages if m["type"] == "STATE"][-1]


def stored(tmp_path, state):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    return path


def test_a_run_ends_with_one_line_of_what_it_did(world, event, caplog):
    repeated = event("a", "2024-03-18T10:00:00")
    world.add(repeated, repeated, event("young", "2024-03-20T11:59:00"))
    world.fault("malformed_line", skip=1, after_events=0)
    world.add(event("b", "2024-03-19T10:00:00"))
    with caplog.at_level(logging.INFO):
        run = world.run(on_invalid_line="quarantine")
    assert run.error is None
    (line,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith("done: ")]
    assert re.fullmatch(
        r"done: 2 events \(0 of them late\) from 3 windows by 3 requests, \d+ bytes; "
        r"1 duplicates dropped; 1 malformed lines; 1 events deferred to the next run",
        line,
    )
    assert "1 of 3 days done\n" in caplog.text
    assert "2 of 3 days done, about " in caplog.text
    assert "57 requests left in this hour" in caplog.text


def test_a_run_that_fails_has_no_such_line(world, caplog):
    world.refuse(403, {"error": "no permission"}, times=None)
    with caplog.at_level(logging.INFO):
        assert world.run().error is not None
    assert "done: " not in caplog.text


def test_metrics_are_json_and_add_up(world, event, caplog):
    repeated = event("a", "2024-03-18T10:00:00")
    world.add(repeated, repeated, event("b", "2024-03-20T10:00:00"))
    state = world.run().state
    world.clock.advance(hours=3)
    world.add(event("late", "2024-03-19T10:00:00", arrived="2024-03-20T13:00:00"))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        world.run(state, max_window_days=30)
        world.run()
    points = [
        json.loads(record.getMessage().removeprefix("METRIC: "))
        for record in caplog.records
        if record.getMessage().startswith("METRIC: ")
    ]
    values = {
        metric: [point["value"] for point in points if point["metric"] == metric.value]
        for metric in ExportMetric
    }
    assert values[ExportMetric.WINDOW_EVENTS] == [1, 1, 1, 1]
    assert values[ExportMetric.LATE_EVENTS] == [1, 0, 0, 0]
    assert values[ExportMetric.DUPLICATES_DROPPED] == [0, 1, 0, 0]
    left = values[ExportMetric.REQUESTS_LEFT]
    assert left[0] == 59
    # The next window may be asked for before this one's line is written.
    assert all(at - 1 <= one <= at for one, at in zip(left, [59, 59, 58, 57], strict=True))
    assert min(values[ExportMetric.WINDOW_BYTES]) > 0
    windows = [point["tags"]["window"] for point in points if "window" in point["tags"]]
    assert windows[0] == "2024-03-18 to 2024-03-20 (new arrivals)"
    assert {point["type"] for point in points} == {"counter", "gauge", "timer"}
    requests = [point["value"] for point in points if point["metric"] == "http_request_count"]
    assert requests == [1, 3]


def test_an_open_sweep_keeps_its_days_and_says_so(world, event, caplog):
    world.add(*(event(f"e{day}", f"2024-03-{day}T10:00:00") for day in range(10, 20)))
    state = world.run(start_date="2024-03-10", kill_after=6).state
    run = world.run(state, start_date="2024-03-10", end_date="2024-03-14")
    assert "the open sweep began with another start_date or end_date" in caplog.text
    assert "e19" in run.ids()


def test_an_earlier_start_date_before_the_first_day_is_exported_says_so(world, event, caplog):
    world.add(event("a", "2024-03-10T10:00:00"), event("b", "2024-03-18T10:00:00"))
    state = world.run(kill_after=2).state
    assert state["bookmarks"]["events"]["exported_first_day"] is None
    run = world.run(state, start_date="2024-03-10")
    assert run.ids() == ["b"]
    assert "2024-03-10 to 2024-03-17 will not come out" in caplog.text
    assert "or that the open sweep began with" in caplog.text


def test_a_start_date_that_leaves_out_late_arrivals_says_so(world, event, caplog):
    world.add(event("a", "2024-03-18T10:00:00"))
    state = world.run(start_date="2024-03-10").state
    world.clock.advance(days=1)
    assert "start_date" not in caplog.text
    world.run(state, start_date="2024-03-20")
    assert "those of 2024-03-15 to 2024-03-19 that arrive until this run will not come out" in (
        caplog.text
    )


def test_the_filter_does_not_come_into_the_log_with_mixpanels_words(world, caplog):
    where = 'properties["email"] == "ada@example.com"'
    world.refuse(400, {"error": f"bad where: {where}, see /export?where={where}"})
    run = world.run(where=where)
    assert "fix the setting where" in str(run.error)
    assert "ada@example.com" not in str(run.error) + caplog.text


def test_events_whose_stamp_is_a_fraction_come_out_once_in_slices_too(make_world, event):
    world = make_world(most_events=3)
    names = [f"e{hour}" for hour in range(12)]
    for hour, name in enumerate(names):
        one = event(name, f"2024-03-18T{hour:02}:00:00")
        one["properties"]["mp_processing_time_ms"] += 0.5
        world.add(one)
    run = world.run()
    assert run.error is None
    assert sorted(run.ids()) == sorted(names)
