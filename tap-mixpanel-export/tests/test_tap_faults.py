"""Every way an export can fail: the right retry or the right message, nothing half-emitted."""

from __future__ import annotations

import json
import logging
import re

import pytest
from emulators.mixpanel import Limits
from tap_mixpanel_export.errors import ExportRefusedError, RetriesExhaustedError, StorageError
from tap_mixpanel_export.retries import RetryPolicy

PASSING = [
    ("cut_gzip", {"drop_bytes": 20}, "gzip stream ends before its trailer"),
    ("cut_gzip", {"drop_bytes": 8}, "gzip stream ends before its trailer"),
    ("cut_body", {}, "connection"),
    ("cut_line", {}, "last line is cut off"),
    ("cut_line", {"drop_bytes": 1}, "last line is cut off"),
    ("terminated_early", {}, "terminated early"),
    ("terminated_early", {"newline": True}, "terminated early"),
    ("terminated_early", {"text": "export terminated early", "newline": True}, "aborted"),
    ("terminated_early", {"text": "Bad gateway", "newline": True}, "ends in a line"),
    ("error_tail", {}, "last line is cut off"),
    ("error_tail", {"newline": True}, "Mixpanel aborted the export"),
    ("error_tail", {"text": '{"error": "x"}', "newline": True, "after_events": 0}, "aborted"),
    (
        "terminated_early",
        {"text": '{"request": "/x?y", "error": "Timeout Error."}', "newline": True},
        "aborted the export",
    ),
    ("terminated_early", {"text": "null", "newline": True}, "ends in a line that is no event"),
    ("malformed_line", {}, "on_invalid_line"),
    ("malformed_line", {"variant": "array"}, "not a JSON object"),
    ("malformed_line", {"variant": "scalar"}, "not a JSON object"),
    ("malformed_line", {"variant": "invalid_utf8"}, "not UTF-8"),
    ("reset", {}, "connection"),
    ("reset", {"after_bytes": 100}, "connection"),
    ("close", {}, "connection"),
    ("status", {"status": 500, "body": "unknown error"}, "500: unknown error"),
    ("status", {"status": 408, "body": "Request Timeout"}, "408: Request Timeout"),
    ("status", {"status": 502, "body": "<html>Bad gateway</html>"}, "502"),
    ("status", {"status": 400, "body": {"request": "/?a=b", "error": "Timeout Error."}}, "Timeout"),
    ("status", {"status": 429, "body": {"error": "too many export requests"}}, "429"),
]


@pytest.fixture
def two_days(world, event):
    """Two small days and a large one between them."""
    world.add(event("a", "2024-03-18T10:00:00"), event("b", "2024-03-18T11:00:00"))
    pad = {f"pad{n}": f"{n * 7919}" for n in range(30)}
    world.add(*(event(f"m{n}", "2024-03-19T10:00:00", **pad) for n in range(40)))
    world.add(event("z", "2024-03-20T10:00:00"))
    return world


@pytest.mark.parametrize(
    ("on_invalid_line", "kind", "args", "words"),
    [("fail", *fault) for fault in PASSING]
    + [("quarantine", *fault) for fault in PASSING if fault[0] != "malformed_line"],
)
def test_a_passing_fault_is_retried_and_seen(two_days, caplog, on_invalid_line, kind, args, words):
    two_days.fault(kind, skip=1, **args)
    run = two_days.run(on_invalid_line=on_invalid_line)
    assert run.error is None
    assert len(run.ids()) == len(set(run.ids())) == 43
    assert two_days.requests().count(("2024-03-19", "2024-03-19")) == 2
    (warning,) = [r.getMessage() for r in caplog.records if "next attempt" in r.getMessage()]
    assert words in warning
    assert "window 2024-03-19 failed (attempt 1)" in warning
    assert two_days.leftovers() == []


# What may fail for its size is asked for in parts before the run gives up.
FAILED_FOR_GOOD = r"window 2024-03-19( \(arrivals until \S+\))? failed for good: "


@pytest.mark.parametrize(("kind", "args", "words"), PASSING)
def test_a_lasting_fault_ends_the_run_with_the_state_of_what_is_whole(two_days, kind, args, words):
    two_days.policy = RetryPolicy(max_tries=3, patience=3)
    two_days.fault(kind, skip=1, times=None, **args)
    run = two_days.run()
    assert isinstance(run.error, RetriesExhaustedError)
    assert re.match(FAILED_FOR_GOOD, str(run.error))
    assert words in str(run.error)
    assert sorted(run.ids()) == ["a", "b"]
    assert run.bookmark["sweep"]["next_day"] == "2024-03-19"
    assert two_days.leftovers() == []
    two_days.emulator.faults.clear()
    resumed = two_days.run(run.state)
    assert len(resumed.ids()) == 41
    assert "a" not in resumed.ids()


@pytest.mark.parametrize("window_days", [1, 30])
def test_an_outage_that_outlasts_all_cuts_is_outlived(two_days, window_days):
    two_days.refuse(504, "Gateway Timeout", times=18)
    run = two_days.run(window_days=window_days, max_window_days=window_days)
    assert run.error is None
    assert len(run.ids()) == len(set(run.ids())) == 43


@pytest.mark.parametrize("args", [{}, {"after_bytes": 50}])
def test_a_hang_is_ended_by_request_timeout(two_days, caplog, args):
    two_days.fault("hang", skip=1, **args)
    run = two_days.run(request_timeout=1)
    assert run.error is None
    assert len(run.ids()) == 43
    assert caplog.text.count("next attempt") == 1
    assert "sent nothing for 1 s (request_timeout)" in caplog.text


REFUSALS = [
    (400, "Unable to authenticate request", "service_account_secret, project_id and region"),
    (400, {"error": "invalid parameter: sig"}, "check service_account_username"),
    (401, {"error": "Invalid credentials"}, "service_account_secret, project_id and region"),
    (402, "Your plan does not support raw data export. Visit x", "plan"),
    (403, {"error": "no"}, "access"),
    (403, {"error": "Date range exceeds 365 days into the past"}, "fix the settings start_date"),
    (400, {"error": "invalid parameter: where: unexpected end"}, "fix the setting where"),
    (400, {"error": "invalid parameter: from_date"}, "fix the settings start_date and end_date"),
    (400, {"error": "invalid parameter: event"}, "fix the setting events"),
    (400, "what?", "check the settings project_id, events, where"),
    (404, "Not Found", "check api_url and region"),
    (302, "", "follows no redirect"),
    (418, "teapot", "check the settings"),
]


@pytest.mark.parametrize(("status", "body", "advice"), REFUSALS)
def test_a_refusal_ends_the_run_at_once(two_days, status, body, advice):
    two_days.refuse(status, body, times=None, Location="http://127.0.0.1:9/elsewhere")
    run = two_days.run()
    assert isinstance(run.error, ExportRefusedError)
    assert f"Mixpanel answered {status}" in str(run.error)
    assert advice in str(run.error)
    assert "\n" not in str(run.error)
    assert len(two_days.requests()) == 1
    assert run.records == []
    assert run.bookmark["sweep"]["next_day"] == "2024-03-18"


def test_the_emulators_own_refusals(make_world):
    world = make_world()
    wrong = world.run(service_account_secret="wrong")
    assert "answered 401" in str(wrong.error)
    foreign = world.run(project_id=4712)
    assert "answered 403" in str(foreign.error)
    bad_filter = world.run(where="properties[")
    assert "fix the setting where" in str(bad_filter.error)
    poor = make_world(plan_allows_export=False)
    assert "answered 402" in str(poor.run().error)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(two_days, caplog, status):
    two_days.refuse(status, {"error": "slow down"}, **{"Retry-After": "77"})
    two_days.refuse(
        status, {"error": "slow down"}, **{"Retry-After": "Wed, 20 Mar 2024 11:00:00 GMT"}
    )
    run = two_days.run()
    assert run.error is None
    assert len(run.ids()) == 43
    assert f"{status}: slow down (it asks to wait 77 s)" in caplog.text
    assert f"{status}: slow down (it asks to wait 0 s)" in caplog.text
    first, second = (seconds for seconds in two_days.clock.slept if seconds > 1)
    assert first == 77
    assert second >= 2


def test_a_server_that_asks_for_a_day_is_not_waited_for(two_days):
    two_days.refuse(429, {"error": "come back tomorrow"}, **{"Retry-After": "86400"})
    run = two_days.run()
    assert isinstance(run.error, RetriesExhaustedError)
    assert "it asks to wait 86400 s" in str(run.error)
    assert len(two_days.requests()) == 1


def test_a_project_that_others_use_is_waited_for(make_world, event, caplog):
    world = make_world(limits=Limits(per_hour=2, per_second=None))
    world.policy = RetryPolicy(patience=50)
    world.add(event("a", "2024-03-18T10:00:00"))
    run = world.run()
    assert isinstance(run.error, RetriesExhaustedError)
    assert "61" not in str(run.error)
    assert "429" in str(run.error)
    assert run.ids() == ["a"]
    assert len([r for r in caplog.records if "next attempt" in r.getMessage()]) > 8 // 2


def test_a_malformed_line_is_put_aside_once(two_days, caplog):
    for _ in range(2):
        two_days.fault("malformed_line", skip=1, variant="invalid_utf8")
        run = two_days.run(on_invalid_line="quarantine")
        assert run.error is None
        assert len(run.ids()) == 43
        two_days.emulator.faults.clear()
    (path,) = (two_days.state_dir / "quarantine").iterdir()
    assert path.name == "2024-03-19_2024-03-19.jsonl"
    (entry,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert entry["window"] == {"from_date": "2024-03-19", "to_date": "2024-03-19"}
    assert entry["line_number"] == 2
    assert "UTF-8" in entry["reason"]
    assert "Caf\udce9" in entry["line"]
    assert "1 malformed lines, 1 of them added to" in caplog.text
    assert "1 malformed lines, 0 of them added to" in caplog.text


def test_a_line_too_deep_for_the_pipe_is_found_before_its_window(two_days):
    two_days.policy = RetryPolicy(max_tries=2)
    deep = '{"event":"A","properties":{"time":1710842400000,"x":' + '{"a":' * 330 + "1" + "}" * 332
    two_days.fault("malformed_line", skip=1, times=3, line=deep)
    failed = two_days.run()
    assert "nested too deeply" in str(failed.error)
    assert sorted(failed.ids()) == ["a", "b"]
    rest = two_days.run(failed.state, on_invalid_line="quarantine")
    assert rest.error is None
    assert len(rest.ids()) == 41


def test_messages_show_no_customer_data(two_days, caplog):
    two_days.policy = RetryPolicy(max_tries=2)
    private = '{"event":"Signed up","properties":{"email":"ada@example.org"'
    two_days.fault("malformed_line", times=None, line=private)
    with caplog.at_level(logging.DEBUG):
        run = two_days.run()
    assert "line 2" in str(run.error)
    assert "ada@example.org" not in str(run.error) + caplog.text


def test_a_full_disk_is_named(two_days, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tap_mixpanel_export.window_download.BodyChecker.feed", full)
    run = two_days.run()
    assert isinstance(run.error, StorageError)
    assert "No space left on device" in str(run.error)
    assert run.records == []
    assert two_days.leftovers() == []
