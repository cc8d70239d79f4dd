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


def promoted(sandbox, messages=FIRST):
    assert sandbox.run([EVENT_SCHEMA, *messages]).error is None


def broken_off(sandbox, *faults, messages=FIRST, **options):
    sandbox.emulator.faults.add(*faults)
    outcome = sandbox.run([EVENT_SCHEMA, *messages], **options)
    assert outcome.error is not None
    assert outcome.states == []
    sandbox.emulator.faults.clear()


def on_its_way(sandbox, messages=FIRST):
    broken_off(sandbox, Fault("slow", args={"steps": 10}), polling=leaping(), messages=messages)


def left_open(sandbox, messages=FIRST):
    refusals = (Fault("status", times=None, match=match, args=NO) for match in (UPLOAD, ABORT))
    broken_off(sandbox, *refusals, messages=messages)


def completed_unheard(sandbox, messages=FIRST):
    broken_off(
        sandbox, Fault("reset", times=None, match=COMPLETE, after_effect=True), messages=messages
    )


def never_completed(sandbox, messages=FIRST):
    broken_off(sandbox, Fault("reset", times=None, match=COMPLETE), messages=messages)


def aborted(sandbox, messages=FIRST):
    broken_off(sandbox, Fault("status", times=None, match=UPLOAD, args=NO), messages=messages)


def abandoned(sandbox, messages=FIRST):
    left_open(sandbox, messages)
    (batch,) = sandbox.emulator._lake.batches.values()
    sandbox.emulator.lifecycle.force(batch, "abandoned")


def failed(sandbox, messages=FIRST):
    broken_off(sandbox, Fault("failed", times=None), messages=messages)


def stalled(sandbox, messages=FIRST):
    broken_off(sandbox, Fault("stalled", times=None), messages=messages)


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


LONGER = [*FIRST, *SECOND]


@ALL_LEFT
def test_a_run_that_ends_before_an_earlier_one_did_doubles_nothing(sandbox, leave):
    leave(sandbox, LONGER)
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert sandbox.run([EVENT_SCHEMA, *SECOND]).states == reached(2)
    assert_once(sandbox, 20)


@ALL_LEFT
def test_so_does_one_that_then_begins_where_the_earlier_one_had_begun(sandbox, leave):
    leave(sandbox, LONGER)
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert sandbox.run([EVENT_SCHEMA, *LONGER]).states[-1:] == reached(2)
    assert_once(sandbox, 20)


@pytest.mark.parametrize("leave", [promoted, on_its_way, completed_unheard])
def test_what_lies_within_an_earlier_batch_is_sent_nowhere(sandbox, leave):
    leave(sandbox, LONGER)
    for part, number in ((FIRST, 1), (SECOND, 2)):
        assert sandbox.run([EVENT_SCHEMA, *part]).states == reached(number)
    assert_once(sandbox, 20)
    assert sandbox.summary()["batches"] == {"success": 1}


def test_a_batch_of_smaller_size_within_an_earlier_one_is_sent_nowhere(sandbox):
    promoted(sandbox, LONGER)
    assert sandbox.run([EVENT_SCHEMA, *LONGER], batch_max_bytes=1).states == reached(1, 2)
    assert_once(sandbox, 20)


def test_after_more_states_than_a_batch_tells_rows_are_still_not_lost(sandbox):
    every = [message for number in range(300) for message in (record(number), state(number))]
    promoted(sandbox, every)
    assert sandbox.run([EVENT_SCHEMA, *every[:100]]).states == reached(49)
    assert sandbox.run([EVENT_SCHEMA, *every[100:]]).states == reached(299)
    assert_once(sandbox, 300)
    (batch,) = sandbox.emulator._lake.batches.values()
    assert len(batch.tags["targetAepPasses"]) == 200


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


@pytest.mark.parametrize("adopts", [True, False], ids=["promoted", "given up"])
def test_rejected_records_within_an_earlier_batch_are_one_letter_each(
    sandbox, letters, monkeypatch, adopts
):
    late = [record(number, time="2124-01-01T00:00:00Z") for number in range(200, 205)]
    unmapped = [record(number, time=None) for number in (300, 301)]
    first = [*poison(monkeypatch)[:-1], unmapped[0], state(1)]
    second = [*SECOND[:-1], *late, unmapped[1], state(2)]
    if adopts:
        promoted_unheard(sandbox, [*first, *second])
    else:
        left_open(sandbox, [*first, *second])
    for part, number in ((first, 1), (second, 2)):
        outcome = sandbox.run([EVENT_SCHEMA, *part], max_rejected_percent=100)
        assert outcome.states == reached(number)
        assert outcome.error is None
    assert_once(sandbox, 20)
    found = sorted(letter["record"]["event_id"] for letter in letters())
    assert found == [f"id{n}" for n in (*range(100, 110), *range(200, 205), 300, 301)]


def promoted_unheard(sandbox, messages):
    """The batch is in, and the run ends before it has read its row errors."""
    sandbox.emulator.faults.add(Fault("reset", times=None, match=COMPLETE, after_effect=True))
    settings = {"max_rejected_percent": 100}
    assert sandbox.run([EVENT_SCHEMA, *messages], **settings).states == []
    sandbox.emulator.faults.clear()


UNBOOKED = [
    {"type": "STATE", "value": {"bookmarks": {"events": {}}}},
    {"type": "STATE", "value": {"bookmarks": {"others": {"at": 1}}}},
]


@pytest.mark.parametrize("state_message", [*UNBOOKED, None], ids=["empty", "others", "none"])
def test_records_of_a_stream_that_no_state_resumes_are_known_by_their_content(
    sandbox, state_message
):
    ends = [state_message] if state_message else []
    for messages in (FIRST[:-1], FIRST[:-1], SECOND[:-1]):
        outcome = sandbox.run([EVENT_SCHEMA, *messages, *ends])
        assert outcome.error is None
        assert outcome.states == [end["value"] for end in ends]
    assert_once(sandbox, 20)
    assert sandbox.summary()["batches"] == {"success": 2}


def test_more_records_under_the_state_of_an_earlier_batch_are_told(sandbox):
    promoted(sandbox)
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST[:-1], *SECOND[:-1], state(1)])
    assert outcome.states == reached(1)
    assert "was sent 10 rows for the same STATE, this run has 20" in outcome.log


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


def test_the_local_destination_knows_what_lies_within_an_earlier_folder(sandbox, tmp_path):
    local = {"destination": "local", "local_path": str(tmp_path / "out")}
    for messages, number in ((LONGER, 2), (FIRST, 1), (SECOND, 2)):
        assert sandbox.run([EVENT_SCHEMA, *messages], **local).states == reached(number)
    assert local_ids(tmp_path) == sorted(f"id{number}" for number in range(20))
    assert len(list((tmp_path / "out" / "events").iterdir())) == 1
