"""Batches that an earlier run has left: adopted, waited for or replaced, each record in once."""

from __future__ import annotations

import io
import itertools
import json
from datetime import timedelta

import pytest
from emulators.faults import Fault
from target_aep.api.promotion import Polling
from target_aep.loading import dead_letters
from target_aep.loading.commit_key import commit_key
from target_aep.loading.dead_letters import DeadLetters, make_letter, read_letters
from target_aep.retry.work import retry
from target_aep.target import TargetAEP
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


def test_a_batch_ends_where_it_could_tell_of_no_further_state(sandbox, monkeypatch):
    monkeypatch.setattr("target_aep.loading.commit_progress.MOST_PASSED", 20)
    every = [message for number in range(50) for message in (record(number), state(number))]
    promoted(sandbox, every)
    assert sandbox.summary()["batches"] == {"success": 3}
    for part, number in ((every[:60], 29), (every[60:], 49)):
        assert sandbox.run([EVENT_SCHEMA, *part]).states[-1:] == reached(number)
    assert_once(sandbox, 50)


def poison(monkeypatch):
    """Half the rows of the first state are such that only the platform refuses them."""
    monkeypatch.setattr("target_aep.mapping.mapper.FUTURE_SKEW", timedelta(days=365_000))
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


PLACES = pytest.mark.parametrize("place", ["platform", "local"])


def ids_after(sandbox, tmp_path, place, *runs, **settings):
    """The `_id`s at a place after some runs, each with its messages and its STATEs."""
    if place == "local":
        settings |= {"destination": "local", "local_path": str(tmp_path / "out")}
    for messages, numbers in runs:
        outcome = sandbox.run([EVENT_SCHEMA, *messages], **settings)
        assert outcome.error is None
        assert outcome.states[-1:] == reached(*numbers)[-1:]
    return sandbox.ids() if place == "platform" else local_ids(tmp_path)


def ids(*numbers):
    return sorted(f"id{number}" for number in numbers)


@PLACES
def test_other_records_under_the_state_of_an_earlier_batch_are_loaded(sandbox, tmp_path, place):
    more = [*FIRST[:-1], *SECOND[:-1], state(1)]
    others = [*map(record, range(30, 40)), state(1)]
    runs = [(FIRST, [1]), (others, [1]), (others, [1]), (FIRST, [1])]
    assert ids_after(sandbox, tmp_path, place, *runs) == ids(*range(10), *range(30, 40))
    found = ids_after(sandbox, tmp_path, place, (more, [1]), (more, [1]))
    assert sorted(set(found)) == ids(*range(20), *range(30, 40))


@PLACES
def test_a_state_that_comes_several_times_is_not_taken_for_the_end(sandbox, tmp_path, place):
    runs = [[*map(record, range(start, start + 10)), state(1)] for start in range(0, 40, 10)]
    every = [message for part in runs for message in part]
    found = ids_after(sandbox, tmp_path, place, (every, [1]), (every, [1]), (runs[0], [1]))
    assert found == ids(*range(40))
    if place == "platform":
        assert sandbox.summary()["batches"] == {"success": 1}


def bookmarks(**at):
    return {"type": "STATE", "value": {"bookmarks": {name: {"at": n} for name, n in at.items()}}}


def test_what_another_stream_has_reached_does_not_matter(sandbox):
    users = {**EVENT_SCHEMA, "stream": "users"}
    events = [*map(record, range(10))]
    first = [*events, *(record(n, "users") for n in range(100, 105)), bookmarks(events=1, users=1)]
    second = [*events, *(record(n, "users") for n in range(100, 106)), bookmarks(events=1, users=2)]
    refusals = {"method": "POST", "path": "/data/foundation/import/batches", "query": {}}
    sandbox.emulator.faults.add(Fault("status", times=None, skip=1, match=refusals, args=NO))
    assert sandbox.run([EVENT_SCHEMA, users, *first]).states == []
    sandbox.emulator.faults.clear()
    outcome = sandbox.run([EVENT_SCHEMA, users, *second])
    assert outcome.error is None
    assert set(sandbox.ids()) == set(ids(*range(10), *range(100, 106)))
    assert sandbox.summary()["duplicates"] == 0


@PLACES
def test_a_mapping_that_was_mended_before_the_run_was_repeated(sandbox, letters, tmp_path, place):
    bad = [record(number, time=None, event_name="late") for number in range(5)]
    messages = [*bad, *map(record, range(5, 10)), state(1)]
    mended = [
        {"source": "event_id", "destination": "_id"},
        {"sourceType": "STATIC", "source": "2024-05-18T05:05:48Z", "destination": "timestamp"},
    ]
    settings = {"max_rejected_percent": 100}
    for _ in range(2):
        ids_after(sandbox, tmp_path, place, (messages, [1]), **settings)
        assert len(letters()) == 5
    found = ids_after(sandbox, tmp_path, place, (messages, [1]), mapping=mended, **settings)
    assert found == ids(*range(5, 10))
    assert [letter.get("retried") for letter in letters()] == [None] * 5


@PLACES
def test_all_rejected_and_then_mended_is_marked_in_the_letters(sandbox, letters, tmp_path, place):
    messages = [*(record(number, time=None) for number in range(5)), state(1)]
    settings = {"max_rejected_percent": 100}
    ids_after(sandbox, tmp_path, place, (messages, [1]), **settings)
    mended = [
        {"source": "event_id", "destination": "_id"},
        {"sourceType": "STATIC", "source": "2024-05-18T05:05:48Z", "destination": "timestamp"},
    ]
    for _ in range(2):
        found = ids_after(sandbox, tmp_path, place, (messages, [1]), mapping=mended, **settings)
        assert found == ids(*range(5))
        assert all(letter["retried"]["_id"] in found for letter in letters())
        assert len(letters()) == 5


@PLACES
def test_a_mapping_that_was_broken_before_the_run_was_repeated(sandbox, letters, tmp_path, place):
    ids_after(sandbox, tmp_path, place, (FIRST, [1]))
    broken = [
        {"source": "event_id", "destination": "_id"},
        {"source": "when", "destination": "timestamp"},
    ]
    assert ids_after(sandbox, tmp_path, place, (FIRST, [1]), mapping=broken) == ids(*range(10))
    assert letters() == []


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


def test_row_errors_within_an_earlier_batch_are_one_letter_each(sandbox, letters, monkeypatch):
    first = poison(monkeypatch)
    for messages in ([*first, *SECOND], first, SECOND):
        outcome = sandbox.run([EVENT_SCHEMA, *messages], max_rejected_percent=100)
        assert outcome.error is None
    assert_once(sandbox, 20)
    found = sorted(letter["record"]["event_id"] for letter in letters())
    assert found == [f"id{number}" for number in range(100, 110)]


def test_row_errors_within_an_earlier_batch_that_can_not_be_read_are_told(
    sandbox, letters, monkeypatch
):
    first = poison(monkeypatch)
    promoted_unheard(sandbox, [*first, *SECOND])

    def no_export(request, ask):
        return Response("no", status=403) if "/export/" in request.path else ask()

    sandbox.front.alter = no_export
    outcome = sandbox.run([EVENT_SCHEMA, *first], max_rejected_percent=100)
    assert "whose reasons could not be read" in str(outcome.error)
    assert outcome.states == reached(1)
    assert [letter["code"] for letter in letters()] == ["UNREADABLE"]


@pytest.mark.parametrize("messages", [FIRST, LONGER], ids=["shorter", "same"])
def test_a_batch_that_stalls_while_it_is_waited_for_is_replaced(sandbox, messages):
    on_its_way(sandbox, LONGER)
    (batch,) = sandbox.emulator._lake.batches
    replaced = []

    def alter(request, ask):
        if request.method == "POST" and request.path.endswith("/import/batches"):
            body = json.loads(request.get_data())
            replaced.extend(body.get("replay", {}).get("predecessors", []))
            request.environ["wsgi.input"] = io.BytesIO(request.get_data())
        answer = ask()
        if "/catalog/batches/" not in request.path:
            return answer
        shown = json.loads(answer.get_data())
        stalled_one = {
            name: {**shown[name], "status": "stalled"} for name in shown if name == batch
        }
        return Response(json.dumps({**shown, **stalled_one}))

    sandbox.front.alter = alter
    assert sandbox.run([EVENT_SCHEMA, *messages]).error is None
    assert replaced == [batch]


def test_an_open_batch_that_can_not_be_given_up_ends_the_run_soon(sandbox):
    left_open(sandbox)
    sandbox.emulator.faults.add(Fault("status", times=None, match=ABORT, args=NO))
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST])
    assert outcome.states == []
    assert "it can't be given up" in str(outcome.error)
    assert sandbox.calls("GET", "/catalog/batches/") < 20


def test_a_batch_whose_status_is_refused_ends_the_run_soon(sandbox):
    def alter(request, ask):
        if "/catalog/batches/" in request.path:
            return Response('{"error_code": "403025"}', status=403)
        return ask()

    sandbox.front.alter = alter
    outcome = sandbox.run([EVENT_SCHEMA, *FIRST])
    assert outcome.states == []
    assert "give the credential access to Catalog" in str(outcome.error)
    sandbox.front.alter = None
    assert sandbox.run([EVENT_SCHEMA, *FIRST]).states == reached(1)
    assert_once(sandbox, 10)


def test_rows_that_are_named_a_few_at_a_time_do_not_make_batches_without_end(
    sandbox, letters, monkeypatch
):
    poisoned = poison(monkeypatch)
    bad = {"time": "2124-01-01T00:00:00Z"}
    more = [record(number, **bad) for number in range(110, 130)]

    def alter(request, ask):
        answer = ask()
        if "/export/" not in request.path or "row_errors/" not in request.args.get("path", ""):
            return answer
        return Response(answer.get_data().split(b"\n")[0] + b"\n")

    sandbox.front.alter = alter
    outcome = sandbox.run([EVENT_SCHEMA, *poisoned[:-1], *more, state(1)])
    assert "10 batches of these records have failed" in str(outcome.error)
    assert outcome.states == []
    assert sandbox.summary()["batches"] == {"failed": 10}
    assert len(letters()) == 10


def test_letters_of_a_shorter_reason_leave_no_file_of_the_longer_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(dead_letters._write_whole, "__defaults__", (1000,))
    letters, key = DeadLetters(tmp_path / "d", "events"), commit_key("d", "events", {"at": 1})
    records = [
        make_letter(
            stream="events", reason="long " * 40, code="LOCAL", field=None, record={"n": number}
        )
        for number in range(8)
    ]
    assert letters.write(key, "rejected", records).written == 8
    for path in letters.files(key):
        dead_letters.rewrite_letters(path, lambda letter: {**letter, "reason": "short"})
    assert letters.write(key, "rejected", records).written == 8
    kept = [letter["record"]["n"] for path in letters.files(key) for letter in read_letters(path)]
    assert sorted(kept) == list(range(8))


def test_after_a_retry_a_repeated_run_counts_nothing_as_rejected(sandbox, letters, monkeypatch):
    poisoned = [*poison(monkeypatch)[:-1], record(200, time=None), state(1)]
    assert sandbox.run([EVENT_SCHEMA, *poisoned], max_rejected_percent=60).error is None
    mended = [
        {"source": "event_id", "destination": "_id"},
        {"sourceType": "STATIC", "source": "2024-05-18T05:05:48Z", "destination": "timestamp"},
    ]
    retry(TargetAEP(config={**sandbox.config, "mapping": mended}))
    assert all("retried" in letter for letter in letters())
    outcome = sandbox.run([EVENT_SCHEMA, *poisoned])
    assert outcome.error is None
    assert "Loaded 21 records" in outcome.log
    assert "rejected 0" in outcome.log
