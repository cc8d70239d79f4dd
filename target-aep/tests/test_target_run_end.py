"""What a run loads and claims where its input ends: no more than STATEs and records allow."""

from __future__ import annotations

import io
import json

import pytest
from singer_sdk.exceptions import MissingKeyPropertiesError, SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError
from target_aep.errors import UnfinishedRunError
from target_aep.run_end import NO_BOOKMARK, NO_STATE
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, reached, record, state

OTHERS_SCHEMA = {**EVENT_SCHEMA, "stream": "others"}
BATCH = {
    "type": "BATCH",
    "stream": "events",
    "encoding": {"format": "jsonl"},
    "manifest": ["file:///none"],
}
KEYLESS = {"type": "RECORD", "stream": "events", "record": {"event_name": "Viewed"}}


def jsonl(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.fixture
def load(tmp_path, monkeypatch, capsys):
    """Loads lines; gives the error in words or None, the STATEs, and the `_id`s by stream."""
    monkeypatch.chdir(tmp_path)

    def load(lines):
        target = TargetAEP(config={"destination": "local"})
        error = None
        try:
            target.listen(io.StringIO(lines))
        except (UnfinishedRunError, SingerSDKError, SingerError) as caught:
            error = target.explain(caught)
            target.abandon()
        states = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        ids = {}
        for path in sorted(tmp_path.glob("aep-output/*/*/*.json")):
            rows = map(json.loads, path.read_text("utf-8").splitlines())
            ids.setdefault(path.parent.parent.name, []).extend(row["_id"] for row in rows)
        assert not list(tmp_path.glob("aep-output/*/.*"))
        return error, states, ids

    return load


def test_what_came_after_the_last_state_is_left_of_every_stream(load):
    lines = jsonl(
        EVENT_SCHEMA,
        OTHERS_SCHEMA,
        record(1),
        record(1, "others"),
        state(1),
        record(2),
        record(2, "others"),
    )
    error, states, ids = load(lines)
    assert "Stream 'events': 1 records came after the last STATE" in error
    assert "Stream 'others': 1 records came after the last STATE" in error
    assert states == reached(1)
    assert ids == {"events": ["id1"], "others": ["id1"]}


def test_a_stream_that_came_after_the_last_state_only_is_left_as_a_whole(load):
    lines = jsonl(EVENT_SCHEMA, OTHERS_SCHEMA, record(1), state(1), record(2, "others"))
    error, states, ids = load(lines)
    assert "Stream 'others': 1 records" in error
    assert (states, ids) == (reached(1), {"events": ["id1"]})


def test_a_stream_that_no_state_names_is_loaded_up_to_the_last_one(load, caplog):
    lines = jsonl(OTHERS_SCHEMA, record(1, "others"), record(2, "others"), state(1))
    assert load(lines) == (None, reached(1), {"others": ["id1", "id2"]})
    assert caplog.text.count(NO_BOOKMARK % "others") == 1


def test_without_any_state_all_is_loaded_with_a_warning(load, caplog):
    lines = jsonl(EVENT_SCHEMA, OTHERS_SCHEMA, record(1), record(2, "others"))
    assert load(lines) == (None, [], {"events": ["id1"], "others": ["id2"]})
    assert caplog.text.count(NO_STATE) == 1


@pytest.mark.parametrize("messages", [[record(1), state(1)], [state(1)], []])
def test_no_warning_without_a_cause(load, caplog, messages):
    load(jsonl(EVENT_SCHEMA, *messages))
    assert NO_STATE not in caplog.text
    assert NO_BOOKMARK % "events" not in caplog.text


@pytest.mark.parametrize("end", ['{"type": "REC', "oops\n"])
def test_without_any_state_nothing_of_an_input_that_ends_early_is_loaded(load, caplog, end):
    error, states, ids = load(jsonl(EVENT_SCHEMA, record(1)) + end)
    assert "line 3 of the input" in error
    assert (states, ids) == ([], {})
    assert NO_STATE not in caplog.text
    assert "1 records came after" in error + caplog.text


MISTAKES = [
    ("oops\n", "not JSON. Does something else than the tap's messages come from its stdout"),
    (jsonl([1]), "not a Singer message"),
    (jsonl({"type": "ODD"}), "unknown message type 'ODD'"),
    (jsonl(record(3, "unknown")), "A record for stream 'unknown'"),
    (jsonl({**BATCH, "stream": "unknown"}), "BATCH file file:///none can't be read"),
    (jsonl(BATCH), "BATCH file file:///none can't be read"),
    (
        jsonl(KEYLESS),
        "a RECORD of the stream 'events' without event_id, which its SCHEMA's key_properties name",
    ),
    (jsonl({"type": "STATE"}), "a STATE without value"),
    (jsonl({"type": "SCHEMA", "stream": "events"}), "a SCHEMA without schema"),
    ('{"a":' * 50_000 + "\n", "nested too deeply"),
]


@pytest.mark.parametrize(("mistake", "words"), MISTAKES)
def test_a_mistake_in_the_input_is_like_the_death_of_the_tap(load, caplog, mistake, words):
    before = jsonl(EVENT_SCHEMA, record(1), state(1), record(2))
    error, states, ids = load(before + mistake + jsonl(record(4), state(4)))
    assert error.startswith(f"line 5 of the input: {words}")
    assert "\n" not in error
    assert "1 records came after the last STATE" in caplog.text
    assert (states, ids) == (reached(1), {"events": ["id1"]})


def test_a_record_without_its_key_has_the_exception_of_the_sdk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = TargetAEP(config={"destination": "local"})
    with pytest.raises(MissingKeyPropertiesError):
        target.listen(io.StringIO(jsonl(EVENT_SCHEMA, KEYLESS)))
    target.abandon()


def test_a_mistake_that_is_all_there_is(load):
    error, states, ids = load("oops\n")
    assert error.startswith("line 1 of the input: not JSON")
    assert (states, ids) == ([], {})


@pytest.mark.parametrize("blank", ["\n", "\r\n", "  \n"])
def test_blank_lines_are_counted_and_skipped(load, blank):
    lines = jsonl(EVENT_SCHEMA) + blank + jsonl(record(1)) + blank + jsonl(state(1))
    assert load(lines + blank.rstrip("\n")) == (None, reached(1), {"events": ["id1"]})
    assert load(lines + "oops\n")[0].startswith("line 6 of the input")


def test_a_state_before_any_schema_is_passed_on(load):
    # Taps on the SDK begin a run with the STATE that they were given.
    assert load(jsonl(state(0), EVENT_SCHEMA, record(1), state(1))) == (
        None,
        reached(0, 1),
        {"events": ["id1"]},
    )
