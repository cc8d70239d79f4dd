"""Batches that an earlier run has left: adopted, waited for or replaced, each record in once."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from emulators.faults import Fault
from target_aep.promotion import Polling
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response

FIRST = [*map(record, range(10)), state(1)]
SECOND = [*map(record, range(10, 20)), state(2)]
UPLOAD = {"method": "PUT", "path": "/data/foundation/import/batches/"}
COMPLETE = {"method": "POST", "query": {"action": "COMPLETE"}}
ABORT = {"method": "POST", "query": {"action": "ABORT"}}
NO = {"status": 403, "body": "no"}


def leaping():
    """A clock that has gone on by an hour whenever it is read."""
    return Polling(first=0.001, longest=0.001, clock=itertools.count(0, 3600).__next__)


def promoted(sandbox):
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).error is None


def broken_off(sandbox, *faults, **options):
    sandbox.emulator.faults.add(*faults)
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST], **options)
    assert outcome.error is not None
    assert outcome.states == []
    sandbox.emulator.faults.clear()


def on_its_way(sandbox):
    broken_off(sandbox, Fault("slow", args={"steps": 10}), polling=leaping())


def left_open(sandbox):
    refusals = (Fault("status", times=None, match=match, args=NO) for match in (UPLOAD, ABORT))
    broken_off(sandbox, *refusals)


def completed_unheard(sandbox):
    broken_off(sandbox, Fault("reset", times=None, match=COMPLETE, after_effect=True))


def never_completed(sandbox):
    broken_off(sandbox, Fault("reset", times=None, match=COMPLETE))


def aborted(sandbox):
    broken_off(sandbox, Fault("status", times=None, match=UPLOAD, args=NO))


def abandoned(sandbox):
    left_open(sandbox)
    (batch,) = sandbox.emulator._lake.batches.values()
    sandbox.emulator.lifecycle.force(batch, "abandoned")


def failed(sandbox):
    broken_off(sandbox, Fault("failed", times=None))


def stalled(sandbox):
    broken_off(sandbox, Fault("stalled", times=None))


LEFT = {
    promoted: {"success": 1},
    on_its_way: {"success": 1},
    completed_unheard: {"success": 1},
    left_open: {"aborted": 1, "success": 1},
    never_completed: {"aborted": 1, "success": 1},
    aborted: {"aborted": 1, "success": 1},
    abandoned: {"abandoned": 1, "success": 1},
    failed: {"failed": 3, "success": 1},
    stalled: {"inactive": 3, "success": 1},
}
ALL_LEFT = pytest.mark.parametrize("leave", LEFT, ids=lambda leave: leave.__name__)


def assert_once(sandbox, rows):
    summary = sandbox.summary()
    assert (summary["rows"], summary["duplicates"]) == (rows, 0)
    assert sandbox.ids() == sorted(f"id{number}" for number in range(rows))


@ALL_LEFT
def test_what_an_earlier_run_has_left_of_the_same_state_is_taken_over(sandbox, leave):
    leave(sandbox)
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST])
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert_once(sandbox, 10)
    assert sandbox.summary()["batches"] == LEFT[leave]


@ALL_LEFT
def test_what_has_been_taken_over_is_found_again_by_a_third_run(sandbox, leave):
    leave(sandbox)
    for _ in range(2):
        assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert_once(sandbox, 10)
    assert sandbox.summary()["batches"] == LEFT[leave]


@ALL_LEFT
def test_a_state_in_the_middle_of_the_input_is_recognised(sandbox, leave):
    leave(sandbox)
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST, *SECOND])
    assert outcome.error is None
    assert outcome.states == reached(1, 2)
    assert_once(sandbox, 20)
    assert sandbox.summary()["batches"] == {**LEFT[leave], "success": 2}


@pytest.mark.parametrize("leave", [promoted, on_its_way, completed_unheard])
def test_a_batch_that_is_adopted_is_sent_nothing(sandbox, leave):
    leave(sandbox)
    before = [sandbox.calls(method, "/import/") for method in ("POST", "PUT")]
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert [sandbox.calls(method, "/import/") for method in ("POST", "PUT")] == before


def test_a_batch_of_another_state_stream_or_dataset_is_not_adopted(sandbox):
    promoted(sandbox)
    others = [
        [EVENT_SCHEMA, *map(record, range(10, 15)), state(7)],
        [
            {**EVENT_SCHEMA, "stream": "users"},
            *(record(n, "users") for n in range(15, 20)),
            state(1),
        ],
    ]
    for messages in others:
        assert sandbox.run(messages).error is None
    assert_once(sandbox, 20)
    assert sandbox.summary()["batches"] == {"success": 3}


def test_a_state_that_comes_again_in_one_run_covers_what_came_between(sandbox):
    messages = [EVENT_SCHEMA, *FIRST, *SECOND[:-1], state(1)]
    for _ in range(2):
        outcome = sandbox.run(messages, batch_max_bytes=1)
        assert outcome.error is None
        assert_once(sandbox, 20)
        assert sandbox.summary()["batches"] == {"success": 2}


def test_an_accepted_batch_on_its_way_is_enough_where_that_is_asked_for(sandbox):
    on_its_way(sandbox)
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST], wait_for="accepted")
    assert outcome.states == reached(1)
    assert sandbox.summary()["batches"] == {"staging": 1}


def test_catalog_that_still_shows_a_completed_batch_as_open_doubles_nothing(sandbox):
    completed_unheard(sandbox)

    def alter(request, ask):
        answer = ask()
        if not request.path.endswith("/catalog/batches"):
            return answer
        shown = json.loads(answer.get_data())
        return Response(json.dumps({b: {**shown[b], "status": "loading"} for b in shown}))

    sandbox.front.alter = alter
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST])
    assert outcome.states == reached(1)
    assert "can't be given up" in outcome.log
    assert_once(sandbox, 10)
    assert sandbox.summary()["batches"] == {"success": 1}


def test_a_batch_that_catalog_lists_late_is_found_by_its_taken_name(sandbox):
    promoted(sandbox)
    hidden = []

    def alter(request, ask):
        if request.path.endswith("/catalog/batches") and len(hidden) < 3:
            hidden.append(request.path)
            return Response("{}")
        return ask()

    sandbox.front.alter = alter
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert_once(sandbox, 10)
    assert sandbox.summary()["batches"] == {"success": 1}


def test_a_stalled_batch_that_came_in_after_all_is_adopted(sandbox):
    def alter(request, ask):
        if request.method == "POST" and request.path.endswith("/batches") and stalled_ones:
            return Response("no", status=403)
        answer = ask()
        if "/catalog/batches/" not in request.path:
            return answer
        shown = json.loads(answer.get_data())
        stalled_ones.extend(shown)
        return Response(json.dumps({b: {**shown[b], "status": "stalled"} for b in shown}))

    stalled_ones = []
    sandbox.front.alter = alter
    broken_off(sandbox)
    sandbox.front.alter = None
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert_once(sandbox, 10)
    assert sandbox.summary()["batches"] == {"success": 1}


def poison(monkeypatch):
    """Half the rows of the first state are such that only the platform refuses them."""
    monkeypatch.setattr("target_aep.mapper.FUTURE_SKEW", timedelta(days=365_000))
    bad = [record(number, time="2124-01-01T00:00:00Z") for number in range(100, 110)]
    return [*FIRST[:-1], *bad, state(1)]


@pytest.mark.parametrize("skip", [1, 3, 4, 5])
@pytest.mark.parametrize("more", [[], SECOND], ids=["same input", "longer input"])
def test_rows_set_aside_by_an_earlier_run_are_one_letter_each(
    sandbox, letters, monkeypatch, skip, more
):
    poisoned = poison(monkeypatch)
    writes = {"path": "/data/foundation/import/batches"}
    sandbox.emulator.faults.add(Fault("status", times=None, skip=skip, match=writes, args=NO))
    assert sandbox.run([EVENT_SCHEMA, *poisoned]).states == []
    sandbox.emulator.faults.clear()
    outcome = sandbox.run([EVENT_SCHEMA, *poisoned, *more], max_rejected_percent=60)
    assert outcome.states == reached(1, 2) if more else reached(1)
    assert_once(sandbox, 20 if more else 10)
    found = sorted(letter["record"]["event_id"] for letter in letters())
    assert found == [f"id{number}" for number in range(100, 110)]


@pytest.mark.parametrize("more", [[], SECOND], ids=["same input", "longer input"])
def test_records_rejected_here_by_an_earlier_run_are_one_letter_each(sandbox, letters, more):
    bad = [record(number, time=None) for number in range(100, 105)]
    for messages in ([*bad, state(1)], [*bad, state(1), *more]):
        outcome = sandbox.run([EVENT_SCHEMA, *messages], max_rejected_percent=100)
        assert outcome.error is None
    assert len(letters()) == 5


def local_ids(tmp_path):
    files = sorted((tmp_path / "out" / "events").glob("*/*.json"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return sorted(json.loads(line)["_id"] for line in lines)


@pytest.mark.parametrize("more", [[], SECOND], ids=["same input", "longer input"])
def test_the_local_destination_adopts_its_own_folder(sandbox, tmp_path, more):
    local = {"destination": "local", "local_path": str(tmp_path / "out")}
    assert sandbox.run([EVENT_SCHEMA, *FIRST], **local).states == reached(1)
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST, *more], **local)
    assert outcome.error is None
    assert outcome.states == (reached(1, 2) if more else reached(1))
    assert local_ids(tmp_path) == sorted(f"id{number}" for number in range(20 if more else 10))
    folders = [path.name for path in (tmp_path / "out" / "events").iterdir()]
    assert len(folders) == (2 if more else 1)
    assert not any(name.startswith(".") for name in folders)
