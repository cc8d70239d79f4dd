"""`target-aep retry`: dead letters come in exactly once, whenever a retry is killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from emulators.aep.demo import ORDERS_DATASET, install_demo
from emulators.faults import Fault
from target_aep.api.promotion import Polling
from target_aep.api.retrying import RetryPolicy
from target_aep.errors import TargetError, UnfinishedRunError
from target_aep.loading import batch_commit, dead_letters
from target_aep.loading import stream_loading as loading
from target_aep.retry import letters as retry_letters
from target_aep.retry import plan as retry_plan
from target_aep.retry import work as retry_module
from target_aep.retry.letters import exclusively
from target_aep.retry.plan import PlannedRow, planned_ids, write_plan
from target_aep.retry.work import retry
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

GOOD = "2024-05-18T05:05:48.000Z"
FUTURE = "2124-05-18T05:05:48.000Z"
PROMPT = 60
"""Seconds; far less than any wait that a process could be held up by in these tests."""


class EagerTarget(TargetAEP):
    """The target with retries that hardly wait."""

    retry_policy = RetryPolicy(tries=4, base=0.001, cap=0.01, longest_wish=0.01)
    polling = Polling(first=0.001, longest=0.01)


def mapping(timestamp):
    fields = {"event_id": "_id", timestamp: "timestamp", "event_name": "eventType"}
    return {
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": source, "destination": destination}
            for source, destination in fields.items()
        ]
    }


BROKEN, FIXED = mapping("time"), mapping("at")


def event(number, *, at=GOOD, time="never"):
    return record(number, at=at, time=time)


def event_ids(*numbers):
    return sorted(f"id{number}" for number in numbers)


@pytest.fixture
def again(sandbox, caplog):
    """Retries in this process, and gives what it logged."""

    def run(**settings):
        caplog.clear()
        config = {"mapping": FIXED, "max_rejected_percent": 100, **settings}
        target = EagerTarget(config={**sandbox.config, **config})
        try:
            retry(target)
        finally:
            target.close()
        return caplog.text

    return run


@pytest.fixture
def load(sandbox):
    """Loads messages with the broken mapping."""

    def run(*records, at_state=1, **settings):
        settings = {"mapping": BROKEN, "max_rejected_percent": 100, **settings}
        outcome = sandbox.run([EVENT_SCHEMA, *records, state(at_state)], **settings)
        assert outcome.error is None

    return run


def marks(letters):
    return {letter["record"]["event_id"]: "retried" in letter for letter in letters()}


def test_a_fixed_mapping_brings_exactly_the_missing_ones(sandbox, load, letters, again):
    load(*(event(n, time=GOOD) for n in range(5)), *map(event, range(5, 12)))
    load(*map(event, range(12, 15)), at_state=2)
    assert sandbox.ids() == event_ids(*range(5))
    log = again()
    assert "10 letters are in, 0 still rejected, 0 without a record" in log
    assert sandbox.ids() == event_ids(*range(15))
    assert set(marks(letters).values()) == {True}
    batches = sandbox.calls("POST", "/import/batches")
    assert "0 letters are in, 0 still rejected, 0 without a record" in again()
    assert sandbox.calls("POST", "/import/batches") == batches
    for letter in letters():
        assert letter["retried"]["batch"]
        assert letter["retried"]["time"].endswith("Z")
        assert letter["reason"]


def test_letters_for_another_dataset_are_left_alone(sandbox, load, letters, again):
    other = install_demo(sandbox.emulator)[ORDERS_DATASET]
    load(event(1), event(2))
    load(event(1), event(3), dataset_id=other, at_state=2)
    log = again()
    assert "2 letters are in, 0 still rejected" in log
    assert f"2 letters of the stream 'events' are for the dataset {other} and are left alone" in log
    assert sandbox.ids() == event_ids(1, 2)
    waiting = [letter for letter in letters() if "retried" not in letter]
    assert [letter["record"]["event_id"] for letter in waiting] == ["id1", "id3"]
    assert {letter["dataset"] for letter in waiting} == {other}
    log = again(dataset_id=other)
    assert "2 letters are in, 0 still rejected" in log
    assert set(marks(letters).values()) == {True}


def test_what_can_not_be_mapped_still_gets_its_new_reason(sandbox, load, letters, again):
    load(event(1), event(2, at=None), event(3, at="1914-01-01T00:00:00Z"))
    before = {letter["record"]["event_id"]: letter for letter in letters()}
    assert "1 letters are in, 2 still rejected" in again()
    assert sandbox.ids() == ["id1"]
    after = {letter["record"]["event_id"]: letter for letter in letters()}
    assert marks(letters) == {"id1": True, "id2": False, "id3": False}
    assert after["id3"]["reason"] != before["id3"]["reason"]
    assert after["id3"]["state"] == before["id3"]["state"]


def test_too_many_that_are_rejected_again_are_an_error(load, again):
    load(event(1), event(2, at=None))
    with pytest.raises(UnfinishedRunError, match="1 letters were rejected again"):
        again(max_rejected_percent=5)


@pytest.mark.parametrize("percent", [5, 100], ids=["whole-batch", "partial"])
def test_rows_that_the_platform_refuses_again_stay(
    sandbox, load, letters, again, monkeypatch, percent
):
    load(*map(event, range(10)), *(event(n, at=FUTURE) for n in range(10, 14)))
    monkeypatch.setattr("target_aep.mapping.mapper.FUTURE_SKEW", timedelta(days=365_000))
    if percent == 5:
        with pytest.raises(UnfinishedRunError, match="4 letters were rejected again"):
            again(max_rejected_percent=percent)
    else:
        assert "10 letters are in, 4 still rejected" in again()
    assert sandbox.ids() == event_ids(*range(10))
    assert marks(letters) == {f"id{n}": n < 10 for n in range(14)}
    assert len(letters()) == 14
    for letter in letters()[10:]:
        assert letter["code"] != "LOCAL"
        assert letter["xdm"]["_id"] == letter["record"]["event_id"]
        assert letter["batch"]
    assert "0 letters are in, 4 still rejected" in again()
    assert len(letters()) == 14


def test_a_record_with_several_letters_is_loaded_once(sandbox, load, letters, again):
    load(event(1), event(2))
    load(event(2), event(3), at_state=2)
    assert "3 letters are in" in again()
    load(event(3), record(3, at=GOOD, time="another never"), at_state=3)
    batches = sandbox.calls("POST", "/import/batches")
    assert "2 letters are in" in again()
    assert sandbox.calls("POST", "/import/batches") == batches
    assert sandbox.ids() == event_ids(1, 2, 3)
    assert all("retried" in letter for letter in letters())


def test_many_letters_are_loaded_in_parts(sandbox, load, letters, again, monkeypatch):
    monkeypatch.setattr(retry_module, "LETTERS_AT_ONCE", 3)
    load(*map(event, range(7)), event(7, at=None))
    assert "7 letters are in, 1 still rejected" in again()
    assert sandbox.ids() == event_ids(*range(7))
    assert sum(marks(letters).values()) == 7


def test_streams_are_retried_each(sandbox, load, again):
    other = {**EVENT_SCHEMA, "stream": "others"}
    load(event(1), other, record(2, "others", at=GOOD, time="never"))
    assert "2 letters are in" in again()
    assert sandbox.ids() == event_ids(1, 2)


def test_letters_without_a_record_are_counted(load, tmp_path, again):
    load(event(1))
    letter = dead_letters.make_letter(stream="events", reason="r", code="UNLISTED", field=None)
    (tmp_path / "dead-letters/more.jsonl").write_text(json.dumps(letter) + "\n")
    assert "1 letters are in, 0 still rejected, 1 without a record" in again()


def test_a_repeated_commit_keeps_letters_and_marks(sandbox, load, letters, again):
    records = [*map(event, range(5)), event(5, at=None)]
    load(*records)
    again()
    load(*records)  # the run was killed before its STATE was kept
    assert len(letters()) == 6
    assert sum(marks(letters).values()) == 5
    again()
    load(*records, mapping=FIXED)  # and once more, after the mapping was put right
    assert sandbox.ids() == event_ids(*range(5))
    assert len(letters()) == 6


def test_nothing_to_retry(again, tmp_path):
    assert "There are no dead letters" in again()
    assert not (tmp_path / "dead-letters").exists()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.jsonl", "{broken\n", "a.jsonl can't be read as dead letters"),
        ("a.jsonl", "5\n", "a.jsonl can't be read as dead letters"),
        ("a.jsonl", '{"type": "RECORD"}\n', "line 1 is not one. Move other files out of"),
        ("a.jsonl", '{"stream": "events", "record": 5}\n', "line 1 is not one"),
        ("a.jsonl", '{"stream": "events"}\n{"stream": 5}\n', "line 2 is not one"),
        ("retry.plan", "{}\n", "retry.plan can't be read as the plan of a retry"),
        ("retry.plan", "", "retry.plan can't be read as the plan of a retry"),
    ],
)
def test_wrong_files_are_one_clear_line(sandbox, load, tmp_path, again, name, content, complaint):
    load(event(1))
    (tmp_path / "dead-letters" / name).write_text(content)
    with pytest.raises(TargetError, match=complaint) as caught:
        again()
    assert "\n" not in str(caught.value)
    assert sandbox.calls("POST", "/import/batches") == 0


def test_two_retries_at_once(load, tmp_path, again):
    load(event(1))
    with (
        exclusively(tmp_path / "dead-letters"),
        pytest.raises(TargetError, match="another retry is at work"),
    ):
        again()
    assert "1 letters are in" in again()


def test_dead_letters_that_are_no_folder(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(TargetError, match="dead_letter_path: can't read"), exclusively(path):
        pass


def test_a_batch_that_fails_leaves_the_plan_to_the_next_retry(sandbox, load, tmp_path, again):
    load(*map(event, range(3)))
    sandbox.emulator.faults.add(Fault("failed", times=3))
    with pytest.raises(TargetError, match="ended as failed"):
        again()
    assert (tmp_path / "dead-letters/retry.plan").exists()
    with pytest.raises(TargetError, match="run `retry` once with the settings of then"):
        again(destination="local", local_path=str(tmp_path / "out"))
    assert "3 letters are in" in again()
    assert sandbox.ids() == event_ids(0, 1, 2)
    assert not (tmp_path / "dead-letters/retry.plan").exists()


def test_rows_that_are_left_out_without_a_name_are_an_error(sandbox, load, letters, again):
    load(*map(event, range(5)))

    def leave_out(request, ask):
        answer = ask()
        if "/catalog/batches/" not in request.path:
            return answer
        shown = json.loads(answer.get_data())
        for document in shown.values():
            document["metrics"] = {"failedRecordCount": 2}
        return Response(json.dumps(shown))

    sandbox.front.alter = leave_out
    with pytest.raises(UnfinishedRunError, match="is in without 2 rows that"):
        again()
    assert [letter["rows"] for letter in letters() if letter["record"] is None] == [2]
    sandbox.front.alter = None
    assert "0 letters are in, 0 still rejected, 1 without a record" in again()


def test_a_letter_is_marked_only_when_its_row_is_in(sandbox, load, letters, again):
    load(*map(event, range(5)))
    sandbox.emulator.faults.add(Fault("failed", times=None))
    with pytest.raises(TargetError, match="ended as failed"):
        again(wait_for="accepted")
    assert not any(marks(letters).values())
    sandbox.emulator.faults.clear()
    again(wait_for="accepted")
    assert sandbox.ids() == event_ids(*range(5))
    assert all(marks(letters).values())


class Killed(BaseException):
    """Stands for a kill: nothing of the target handles it."""


STEPS = [
    (retry_module, "write_plan"),
    (dead_letters, "sync_folder"),
    (dead_letters, "encode_line"),
    (loading.StreamLoader, "commit"),
    (dead_letters.DeadLetters, "write"),
    (retry_letters, "rewrite_letters"),
    (batch_commit, "create_batch"),
    (batch_commit, "upload_file"),
    (batch_commit, "complete_batch"),
    (batch_commit, "await_promotion"),
    (batch_commit, "failed_rows"),
    (retry_module, "change_letters"),
    (retry_plan.RetryPlan, "settle"),
    (retry_plan.RetryPlan, "remove"),
    (retry_module, "rewrite_letters"),
]
STEP_NAMES = [f"{owner.__name__.rpartition('.')[2]}.{name}" for owner, name in STEPS]


@pytest.mark.parametrize(
    ("call", "is_after"),
    [(1, False), (1, True), (2, True)],
    ids=["before", "after", "after-second"],
)
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=STEP_NAMES)
def test_a_kill_at_any_step_loses_and_doubles_nothing(
    sandbox, load, letters, again, monkeypatch, tmp_path, owner, name, is_after, call
):
    load(*map(event, range(6)), *(event(n, at=FUTURE) for n in range(6, 9)))
    load(*map(event, range(9, 12)), at_state=2)
    monkeypatch.setattr("target_aep.mapping.mapper.FUTURE_SKEW", timedelta(days=365_000))
    step, calls = getattr(owner, name), []

    def killed(*args, **kwargs):
        calls.append(1)
        if len(calls) == call and not is_after:
            raise Killed
        result = step(*args, **kwargs)
        if len(calls) == call:
            raise Killed
        return result

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, killed)
        with contextlib.suppress(Killed, UnfinishedRunError):
            again(max_rejected_percent=5)
    assert calls or name in ("rewrite_letters", "failed_rows")
    again()
    assert sandbox.ids() == event_ids(*range(6), *range(9, 12))
    assert marks(letters) == {f"id{n}": n not in (6, 7, 8) for n in range(12)}
    again()
    assert sandbox.ids() == event_ids(*range(6), *range(9, 12))
    assert list((tmp_path / "dead-letters").glob("retry.*")) == []


PLANNED = [PlannedRow(f"letter{n}", f"id{n}", {"event_id": f"id{n}"}, {}) for n in range(3)]


def test_the_ids_of_a_plan_are_those_of_its_stream_and_dataset(tmp_path):
    assert planned_ids(tmp_path / "nowhere", "events") == set()
    assert planned_ids(tmp_path, "events") == set()
    plan = write_plan(tmp_path, "events", "D", iter(PLANNED))
    assert planned_ids(tmp_path, "events") == {"id0", "id1", "id2"}
    assert planned_ids(tmp_path, "events", "D") == {"id0", "id1", "id2"}
    assert planned_ids(tmp_path, "others") == set()
    assert planned_ids(tmp_path, "events", "E") == set()
    plan.remove()
    assert planned_ids(tmp_path, "events") == set()


def test_the_ids_of_a_plan_without_rows(tmp_path):
    write_plan(tmp_path, "events", "D", iter(()))
    assert planned_ids(tmp_path, "events") == set()


def test_the_ids_of_a_plan_whose_retry_ends_while_it_is_read(tmp_path, monkeypatch):
    plan = write_plan(tmp_path, "events", "D", iter(PLANNED))
    parse = retry_plan.deserialize_json

    def parse_last(line):
        plan.path.unlink(missing_ok=True)
        return parse(line)

    monkeypatch.setattr(retry_plan, "deserialize_json", parse_last)
    assert planned_ids(tmp_path, "events") == {"id0", "id1", "id2"}
    assert not plan.path.exists()


HEAD = '{"stream": "events", "dataset": "D", "state": {"retry": "1"}}\n'


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}\n",
        "[]\n",
        "\x00\n",
        HEAD + "{broken\n",
        HEAD + "5\n",
        HEAD + '["letter", "id"]\n',
        HEAD + '["letter", ["id"], {}, {}]\n',
        HEAD + '["letter", null, {}, {}]\n',
    ],
)
def test_the_ids_of_a_plan_that_is_none(tmp_path, content):
    (tmp_path / "retry.plan").write_text(content)
    with pytest.raises(TargetError, match=r"retry\.plan can't be read as the plan of a retry"):
        planned_ids(tmp_path, "events")


@pytest.fixture
def process(sandbox, tmp_path):
    """Starts `target-aep`, or a command of it, as a process."""

    def start(*arguments, command=("retry",), messages=subprocess.DEVNULL, **settings):
        settings = {"mapping": FIXED, "max_rejected_percent": 100, **settings}
        (tmp_path / "config.json").write_text(json.dumps({**sandbox.config, **settings}), "utf-8")
        return subprocess.Popen(
            [sys.executable, "-m", "target_aep", *command, *arguments],
            stdin=messages,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=os.environ,
        )

    return start


CONFIG = ("--config", "config.json")


def assert_all_in(sandbox, letters, process):
    with process(*CONFIG) as running:
        out, err = running.communicate(timeout=PROMPT)
    assert running.returncode == 0, err.decode()
    assert out == b""
    assert sandbox.ids() == event_ids(*range(8))
    assert marks(letters) == {f"id{n}": True for n in range(8)}


@pytest.mark.parametrize(
    ("call", "is_after", "number"),
    [
        ("GET", False, signal.SIGKILL),
        ("POST", False, signal.SIGKILL),
        ("POST", True, signal.SIGKILL),
        ("PUT", True, signal.SIGKILL),
        ("PUT", True, signal.SIGTERM),
        ("COMPLETE", False, signal.SIGKILL),
        ("COMPLETE", True, signal.SIGKILL),
        ("COMPLETE", True, signal.SIGINT),
    ],
)
def test_a_process_that_is_ended_at_a_request(
    sandbox, load, letters, process, call, is_after, number
):
    load(*map(event, range(8)))
    running = process(*CONFIG)

    def end_at(request, ask):
        kind = request.args.get("action", request.method)
        is_about_batches = "/batches" in request.path
        if not is_about_batches or kind != call or running.poll() is not None:
            return ask()
        answer = ask() if is_after else Response(status=503)
        running.send_signal(number)
        running.wait()
        return answer

    sandbox.front.alter = end_at
    with running:
        running.communicate(timeout=PROMPT)
    sandbox.front.alter = None
    assert running.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert_all_in(sandbox, letters, process)


@pytest.fixture
def load_in_process(process):
    """Loads messages with the broken mapping, as a user does."""

    def run(*records):
        lines = "".join(json.dumps(one) + "\n" for one in (EVENT_SCHEMA, *records, state(1)))
        with process(*CONFIG, command=(), messages=subprocess.PIPE, mapping=BROKEN) as running:
            _, err = running.communicate(lines.encode(), timeout=PROMPT)
        assert running.returncode == 0, err.decode()

    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_the_summary_of_the_last_run_and_the_plan(
    sandbox, load_in_process, letters, process, tmp_path, number
):
    load_in_process(*map(event, range(8)))
    summary = (tmp_path / "target-aep-run-summary.json").read_bytes()
    assert json.loads(summary)["recordSummary"]["failedRecordCount"] == 8
    running = process(*CONFIG)

    def end_it(request, ask):
        if request.method == "PUT" and running.poll() is None:
            running.send_signal(number)
            running.wait(PROMPT)  # the request is held until the process has gone
        return ask()

    sandbox.front.alter = end_it
    with running:
        _, err = running.communicate(timeout=PROMPT)
    sandbox.front.alter = None
    assert running.returncode == 128 + number
    log = err.decode()
    assert f"Received {signal.Signals(number).name}: ending; call it again" in log
    assert "RUN SUMMARY" not in log
    assert "Traceback" not in log
    assert planned_ids(tmp_path / "dead-letters", "events") == {f"id{n}" for n in range(8)}
    assert (tmp_path / "target-aep-run-summary.json").read_bytes() == summary
    assert_all_in(sandbox, letters, process)
    assert not (tmp_path / "dead-letters/retry.plan").exists()
    assert (tmp_path / "target-aep-run-summary.json").read_bytes() == summary


@pytest.mark.parametrize("seed", range(2))
def test_a_process_that_is_killed_at_random_instants(sandbox, load, letters, process, seed):
    load(*map(event, range(8)))
    dice = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(2):
        with process(*CONFIG) as running:
            try:
                running.communicate(timeout=dice.uniform(0.3, 2.5))
            except subprocess.TimeoutExpired:
                running.kill()
    assert_all_in(sandbox, letters, process)


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--config", "nowhere.json"), 2, "can't read it"),
        (("--nonsense",), 2, "No such option"),
        ((), 1, "client_id: needed to reach Experience Platform"),
        (CONFIG, 1, "can't be read as dead letters"),
        (("--help",), 0, "Load the dead letters again"),
    ],
)
def test_the_command_line(process, tmp_path, arguments, code, complaint):
    (tmp_path / "dead-letters").mkdir()
    (tmp_path / "dead-letters/a.jsonl").write_text("broken\n")
    with process(*arguments) as running:
        out, err = running.communicate(timeout=PROMPT)
    assert running.returncode == code
    assert complaint in (out + err).decode()
    assert "Traceback" not in err.decode()


@pytest.mark.parametrize("step", ["upload_file", "complete_batch"])
def test_a_repeated_run_leaves_the_rows_of_an_unfinished_retry_to_it(
    sandbox, load, letters, again, monkeypatch, tmp_path, step
):
    load(*map(event, range(6)))
    real = getattr(batch_commit, step)

    def killed(*args, **kwargs):
        real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(batch_commit, step, killed)
        with contextlib.suppress(Killed):
            again()
    assert (tmp_path / "dead-letters/retry.plan").exists()
    load(*map(event, range(6)), event(6), mapping=FIXED)
    again()
    assert sandbox.ids() == event_ids(*range(7))
    assert sum(marks(letters).values()) == 6
