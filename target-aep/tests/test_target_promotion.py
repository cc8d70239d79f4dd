"""Between COMPLETE and the promotion: what can't be learned yet, and what never is."""

from __future__ import annotations

import itertools

import pytest
from emulators.faults import Fault
from target_aep.api.promotion import Polling
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response

MESSAGES = [EVENT_SCHEMA, *map(record, range(20)), state(1)]
STATUS = {"method": "GET", "path": "/data/foundation/catalog/batches/"}
COMPLETE = {"method": "POST", "query": {"action": "COMPLETE"}}


def leaping():
    """A clock that has gone on by a quarter of an hour whenever it is read."""
    return Polling(first=0.001, longest=0.001, clock=itertools.count(0, 900).__next__)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "args": {"status": 503, "body": "<p>\nbusy</p>"}},
        {"kind": "status", "args": {"status": 429, "headers": {"Retry-After": "0"}}},
        {"kind": "status", "args": {"status": 403, "body": {"error_code": "403025"}}},
        {"kind": "status", "args": {"status": 404}},
        {"kind": "status", "args": {"status": 200, "body": "no json"}},
        {"kind": "status", "args": {"status": 200, "body": [1]}},
        {"kind": "reset"},
        {"kind": "close"},
    ],
)
def test_a_status_that_can_not_be_had_is_asked_for_again(sandbox, fault):
    sandbox.emulator.faults.add(Fault(**fault, match=STATUS, times=6))
    outcome = sandbox.run(MESSAGES)
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert "waiting for its promotion" in outcome.log
    assert sandbox.summary()["batches"] == {"success": 1}


@pytest.mark.parametrize("status", [503, 403, 429])
def test_a_status_that_is_never_known_names_the_batch_that_may_be_in(sandbox, status):
    args = {"status": status, "body": "<p>\nno</p>"}
    sandbox.emulator.faults.add(Fault("status", times=None, match=STATUS, args=args))
    outcome = sandbox.run(MESSAGES, polling=leaping())
    (batch,) = sandbox.emulator._lake.batches
    assert f"batch {batch} has a status that is not known" in str(outcome.error)
    assert "after 120 minutes" in str(outcome.error)
    assert "It may be in, or come in yet" in str(outcome.error)
    assert "the next run looks for it and waits for it" in str(outcome.error)
    assert "Nothing" not in str(outcome.error)
    assert "\n" not in str(outcome.error)
    assert outcome.states == []
    assert sandbox.calls("POST", batch) == 1


def test_a_promotion_that_takes_too_long_names_the_batch(sandbox):
    sandbox.emulator.faults.add(Fault("slow", args={"steps": 100}))
    outcome = sandbox.run(MESSAGES, polling=leaping(), batch_timeout_minutes=60)
    assert "is staging after 60 minutes" in str(outcome.error)
    assert outcome.states == []


@pytest.mark.parametrize(("step", "is_long"), [(20, True), (1, False)])
def test_a_long_wait_is_told_of_now_and_then(sandbox, step, is_long):
    sandbox.emulator.faults.add(Fault("slow", args={"steps": 15}))
    polling = Polling(first=0.001, longest=0.001, clock=itertools.count(0, step).__next__)
    outcome = sandbox.run(MESSAGES, polling=polling)
    assert outcome.error is None
    lines = outcome.log.count("waiting for its promotion (")
    assert 3 <= lines <= 8 if is_long else lines == 1


@pytest.mark.parametrize("after_effect", [True, False])
def test_a_complete_without_any_answer_does_not_claim_that_nothing_is_in(sandbox, after_effect):
    fault = Fault("reset", times=None, match=COMPLETE, after_effect=after_effect)
    sandbox.emulator.faults.add(fault)
    outcome = sandbox.run(MESSAGES)
    assert "gave up after 4 tries" in str(outcome.error)
    assert "may be complete all the same; the next run looks at it" in str(outcome.error)
    assert "Nothing" not in str(outcome.error)
    assert outcome.states == []
    assert sandbox.calls("POST", "/import/batches/") == 4


def test_a_batch_that_stalled_is_not_called_not_ingested(sandbox):
    sandbox.emulator.faults.add(Fault("stalled", times=None))
    outcome = sandbox.run(MESSAGES)
    assert "a batch of the next run takes the place of this one" in str(outcome.error)
    assert "Nothing of it was ingested" not in str(outcome.error)


def test_a_batch_that_ended_is_not_aborted(sandbox):
    sandbox.emulator.faults.add(Fault("failed", times=None))
    outcome = sandbox.run(MESSAGES)
    assert "Nothing of it was ingested" in str(outcome.error)
    assert "may be in" not in outcome.log
    batches = list(sandbox.emulator._lake.batches)
    assert [sandbox.calls("POST", batch) for batch in batches] == [1, 1, 1]


def test_a_batch_that_is_in_while_another_stream_fails_is_found_by_the_next_run(sandbox):
    def alter(request, ask):
        is_creation = request.method == "POST" and request.path.endswith("/batches")
        if is_creation and sandbox.calls("POST", "/import/batches"):
            return Response("no", status=403)
        return ask()

    sandbox.front.alter = alter
    users = {**EVENT_SCHEMA, "stream": "users"}
    messages = [EVENT_SCHEMA, users, record(1), record(2, "users"), state(1)]
    outcome = sandbox.run(messages)
    assert "403" in str(outcome.error)
    assert outcome.states == []
    assert sandbox.summary()["rows"] == 1
    sandbox.front.alter = None
    again = sandbox.run(messages)
    assert again.error is None
    assert again.states == reached(1)
    assert "of an earlier run holds these records: nothing is sent" in again.log
    assert sandbox.ids() == ["id1", "id2"]
    assert sandbox.summary()["batches"] == {"success": 2}
