"""What goes wrong between the target and Experience Platform, on real sockets."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from emulators.faults import Fault
from target_aep.api.calls import Timeouts
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response

MESSAGES = [EVENT_SCHEMA, *map(record, range(20)), state(1)]

TOKEN = {"method": "POST", "path": "/ims/token/v3"}
DATASET = {"method": "GET", "path": "/data/foundation/catalog/dataSets"}
SCHEMA = {"method": "GET", "path": "/data/foundation/schemaregistry"}
CREATE = {"method": "POST", "path": "/data/foundation/import/batches"}
UPLOAD = {"method": "PUT", "path": "/data/foundation/import/batches/"}
COMPLETE = {"method": "POST", "query": {"action": "COMPLETE"}}
STATUS = {"method": "GET", "path": "/data/foundation/catalog/batches/"}
CALLS = [TOKEN, DATASET, SCHEMA, CREATE, UPLOAD, COMPLETE, STATUS]
QUICK = Timeouts(call=(5, 0.4), upload=(5, 0.4), farewell=(5, 0.4))
NAMES = ["token", "dataset", "schema", "create", "upload", "complete", "status"]


def assert_loaded_once(sandbox, outcome):
    assert outcome.error is None
    assert outcome.states == reached(1)
    summary = sandbox.summary()
    assert (summary["rows"], summary["duplicates"]) == (20, 0)


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "args": {"status": 503, "body": "busy"}},
        {"kind": "status", "args": {"status": 500}},
        {"kind": "status", "args": {"status": 429, "headers": {"Retry-After": "0"}}},
        {"kind": "throttle"},
        {"kind": "reset"},
        {"kind": "close"},
    ],
    ids=["503", "500", "429-wait", "429", "reset", "close"],
)
def test_a_passing_fault_is_waited_out(sandbox, call, fault):
    sandbox.emulator.faults.add(Fault(**fault, match=call, times=2))
    outcome = sandbox.run(MESSAGES)
    assert_loaded_once(sandbox, outcome)
    assert "trying again" in outcome.log or "has a status that is not known" in outcome.log


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
@pytest.mark.parametrize("kind", ["reset", "close"])
def test_an_answer_that_is_lost_after_the_effect_doubles_nothing(sandbox, call, kind):
    sandbox.emulator.faults.add(Fault(kind, match=call, after_effect=True))
    assert_loaded_once(sandbox, sandbox.run(MESSAGES))
    assert sum(sandbox.summary()["batches"].values()) == 1


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
@pytest.mark.parametrize("after_effect", [True, False])
def test_an_answer_that_never_comes_is_not_waited_for(sandbox, call, after_effect):
    sandbox.emulator.faults.add(Fault("hang", match=call, after_effect=after_effect))
    assert_loaded_once(sandbox, sandbox.run(MESSAGES, timeouts=QUICK))


@pytest.mark.parametrize("path", ["row_errors", "row_errors/e.json"])
def test_diagnostics_that_never_come_are_not_waited_for(sandbox, letters, path):
    def alter(request, ask):
        if "/catalog/batches/" in request.path:
            (batch,) = json.loads(ask().get_data())
            return Response(json.dumps({batch: {"status": "success", "failedRecordCount": 1}}))
        if "/export/" not in request.path:
            return ask()
        if request.args["path"] == path and not hung:
            hung.append(path)
            sandbox.emulator.faults.add(Fault("hang"))
            return ask()
        if request.args["path"] == "row_errors":
            return Response(json.dumps({"data": [{"name": "e.json"}]}))
        return Response(json.dumps({"_id": "id0", "_errors": [{"code": "X", "message": "y"}]}))

    hung = []
    sandbox.front.alter = alter
    assert sandbox.run(MESSAGES, timeouts=QUICK).error is None
    assert [letter["code"] for letter in letters()] == ["X"]


def test_an_abort_that_is_not_answered_is_not_waited_for(sandbox):
    refusal = {"status": 403, "body": "the first reason"}
    sandbox.emulator.faults.add(
        Fault("status", times=None, match=UPLOAD, args=refusal),
        Fault("hang", match={"method": "POST", "query": {"action": "ABORT"}}),
    )
    outcome = sandbox.run(MESSAGES, timeouts=QUICK)
    assert "the first reason" in str(outcome.error)
    assert "stays open, Adobe will abandon it" in outcome.log
    assert sandbox.calls("POST", "/import/batches/") == 1


@pytest.mark.parametrize("answer", [{"access_token": None}, {"access_token": " "}, {}, [1]])
def test_an_answer_without_a_token_is_none(sandbox, answer):
    body = {**answer, "expires_in": 10} if isinstance(answer, dict) else answer
    sandbox.emulator.faults.add(Fault("status", match=TOKEN, args={"status": 200, "body": body}))
    outcome = sandbox.run(MESSAGES)
    assert "without an access token: check ims_url" in str(outcome.error)


def test_words_of_several_lines_are_quoted_as_one(sandbox):
    args = {"status": 429, "body": "<html>\n<b>busy</b>\n</html>"}
    sandbox.emulator.faults.add(Fault("status", times=None, match=DATASET, args=args))
    outcome = sandbox.run(MESSAGES)
    assert "429 <html> <b>busy</b> </html>; gave up after 4 tries" in str(outcome.error)
    assert "Nothing" not in str(outcome.error)


@pytest.mark.parametrize("call", CALLS[1:], ids=NAMES[1:])
def test_a_token_that_ends_in_mid_run_is_minted_anew_once(sandbox, call):
    sandbox.emulator.faults.add(Fault("expired_token", match=call))
    assert_loaded_once(sandbox, sandbox.run(MESSAGES))
    assert sandbox.emulator.tokens.mints == 2


@pytest.mark.parametrize("call", CALLS[:-1], ids=NAMES[:-1])
def test_a_fault_that_stays_ends_the_run_without_a_state(sandbox, call):
    sandbox.emulator.faults.add(Fault("status", times=None, match=call, args={"status": 503}))
    outcome = sandbox.run(MESSAGES)
    assert "gave up after 4 tries" in str(outcome.error)
    assert outcome.states == []


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (403, {"error_code": "403025", "message": "Profile is not valid"}, "role for the sandbox"),
        (403, {"error_code": "403027", "message": "Region"}, "org_id"),
        (400, {"error_code": "400003", "message": "Org"}, "org_id"),
        (403, {"error_code": "403003", "message": "Api Key is invalid"}, "client_id"),
        (400, {"type": "x", "status": 400, "title": "Bad Request", "detail": "why"}, "why"),
        (404, "nothing here", "nothing here"),
        (302, "", "302"),
    ],
)
def test_a_refusal_ends_the_run_with_the_words_of_the_platform(sandbox, status, body, hint):
    fault = Fault("status", times=None, match=CREATE, args={"status": status, "body": body})
    sandbox.emulator.faults.add(fault)
    outcome = sandbox.run(MESSAGES)
    assert hint in str(outcome.error)
    assert outcome.states == []
    assert sandbox.calls("POST", "/import/batches") == 1


def test_a_batch_that_keeps_failing_ends_the_run_with_its_codes(sandbox):
    args = {"code": "INGEST-1555-400", "description": "Required field missing"}
    sandbox.emulator.faults.add(Fault("failed", times=None, args=args))
    outcome = sandbox.run(MESSAGES)
    assert "ended as failed: INGEST-1555-400 Required field missing" in str(outcome.error)
    assert outcome.states == []
    assert sandbox.summary()["rows"] == 0
    assert sandbox.summary()["batches"] == {"failed": 3}


@pytest.mark.parametrize("kind", ["failed", "stalled"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_batch_that_fails_in_passing_is_loaded_again(sandbox, kind, times):
    sandbox.emulator.faults.add(Fault(kind, times=times))
    assert_loaded_once(sandbox, sandbox.run(MESSAGES))
    # A stalled batch may still come in: the new one takes its place.
    ended = "inactive" if kind == "stalled" else "failed"
    assert sandbox.summary()["batches"] == {ended: times, "success": 1}


def test_rows_over_the_threshold_go_to_the_dead_letters_and_the_others_in(
    sandbox, letters, monkeypatch
):
    monkeypatch.setattr("target_aep.mapping.mapper.FUTURE_SKEW", timedelta(days=365_000))
    future = [record(number, time="2124-01-01T00:00:00Z") for number in range(10)]
    outcome = sandbox.run([EVENT_SCHEMA, *future, *map(record, range(10, 20)), state(1)])
    assert "10 of 20 records were rejected, more than max_rejected_percent" in str(outcome.error)
    assert outcome.states == reached(1)
    assert sandbox.ids() == [f"id{number}" for number in range(10, 20)]
    assert sandbox.summary()["batches"] == {"failed": 1, "success": 1}
    found = {letter["xdm"]["_id"]: letter for letter in letters()}
    assert len(found) == len(letters()) == 10
    for row in future:
        letter = found[row["record"]["event_id"]]
        assert letter["record"] == row["record"]
        assert letter["code"]
        assert letter["reason"]
        assert letter["state"] == reached(1)[0]


def test_a_batch_that_keeps_stalling_ends_the_run(sandbox):
    sandbox.emulator.faults.add(Fault("stalled", times=None))
    outcome = sandbox.run(MESSAGES)
    assert "ended as stalled" in str(outcome.error)
    assert outcome.states == []


@pytest.mark.parametrize("kind", ["slow", "retrying"])
def test_a_slow_promotion_is_waited_for(sandbox, kind):
    sandbox.emulator.faults.add(Fault(kind, args={"steps": 1}))
    outcome = sandbox.run(MESSAGES)
    assert_loaded_once(sandbox, outcome)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"client_secret": "wrong-secret-value"}, "check client_id and client_secret"),
        ({"client_id": "nobody"}, "check client_id and client_secret"),
        ({"org_id": "OTHER@AdobeOrg"}, "org_id"),
        ({"sandbox_name": "dev"}, "sandbox_name"),
        ({"dataset_id": "5f00000000000000000000aa"}, "dataset 5f00000000000000000000aa does not"),
        ({"scopes": "openid,unknown_scope"}, "scopes"),
    ],
)
def test_wrong_settings_end_the_run_before_any_batch(sandbox, settings, complaint):
    outcome = sandbox.run(MESSAGES, **settings)
    assert complaint in str(outcome.error)
    assert outcome.states == []
    assert sandbox.calls("POST", "/import/batches") == 0
    assert "wrong-secret-value" not in outcome.log + str(outcome.error)


def test_a_dataset_name_that_is_not_there(sandbox):
    sandbox.config.pop("dataset_id")
    outcome = sandbox.run(MESSAGES, dataset_name="Nowhere")
    assert "no dataset of the sandbox is called 'Nowhere'" in str(outcome.error)


def test_a_stream_that_datasets_does_not_list(sandbox):
    sandbox.config.pop("dataset_id")
    outcome = sandbox.run(MESSAGES, datasets={"other": sandbox.dataset_id})
    assert "no dataset for the stream 'events'" in str(outcome.error)


def test_no_secret_is_ever_logged(sandbox):
    sandbox.emulator.faults.add(Fault("throttle", times=1))
    outcome = sandbox.run(MESSAGES)
    assert "emulator-secret" not in outcome.log
    assert "Bearer" not in outcome.log
