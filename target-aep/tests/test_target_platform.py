"""Batches into the Experience Platform emulator, over sockets, when all is well."""

from __future__ import annotations

import gzip
import hashlib
import json
from urllib.parse import unquote

import pytest
from emulators.aep import AepEmulator, Limits, Promotion
from emulators.aep.demo import (
    ADOBE_SOURCE_DATASET,
    MIXPANEL_DATASET,
    ORDERS_DATASET,
    install_demo,
)
from target_aep.mapping.mapper import RecordMapper
from target_aep.nesting import DEEPEST, TOO_DEEP
from target_aep.xdm.schema import parse_schema
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response


def test_a_run_makes_one_batch_and_then_writes_the_last_state(sandbox):
    messages = [EVENT_SCHEMA, state(0)]
    for day in range(3):
        messages += [record(day * 10 + number) for number in range(10)] + [state(day + 1)]
    outcome = sandbox.run(messages)
    assert outcome.error is None
    assert outcome.states == reached(0, 3)
    summary = sandbox.summary()
    assert (summary["rows"], summary["duplicates"]) == (30, 0)
    assert summary["batches"] == {"success": 1}
    assert sandbox.emulator.tokens.mints == 1


def test_a_batch_closes_at_the_first_state_after_its_size(sandbox):
    messages = [EVENT_SCHEMA]
    for day in range(3):
        messages += [record(day * 10 + number) for number in range(10)] + [state(day)]
    outcome = sandbox.run(messages, batch_max_bytes=5000)
    assert outcome.states == reached(1, 2)
    assert sandbox.summary()["batches"] == {"success": 2}


def test_files_stay_under_their_size_and_several_are_uploaded(sandbox):
    messages = [EVENT_SCHEMA, *map(record, range(100)), state(1), *map(record, range(100, 150))]
    outcome = sandbox.run([*messages, state(2)], file_max_bytes=4000, max_concurrent_uploads=3)
    assert outcome.error is None
    assert sandbox.calls("PUT", "/files/events-") > 10
    assert sandbox.calls("POST", "/batches") == 2
    assert sandbox.summary()["rows"] == 150


def test_a_batch_that_is_still_collected_when_the_input_breaks_ends_at_the_last_state(sandbox):
    head = [EVENT_SCHEMA, *map(record, range(100)), state(1), *map(record, range(100, 110))]
    outcome = sandbox.run([*head, {"type": "STOP"}, state(2)], file_max_bytes=4000)
    assert "STOP" in str(outcome.error)
    assert outcome.states == reached(1)
    assert sandbox.summary()["rows"] == 100


def test_nothing_is_sent_of_what_no_state_covers_when_the_input_breaks(sandbox):
    outcome = sandbox.run([EVENT_SCHEMA, *map(record, range(100)), {"type": "STOP"}])
    assert "STOP" in str(outcome.error)
    assert outcome.states == []
    assert sandbox.calls("POST", "/import/batches") == 0
    assert sandbox.summary()["batches"] == {}


def test_a_batch_that_is_under_way_when_the_input_breaks_is_loaded_with_its_state(sandbox):
    head = [EVENT_SCHEMA, *map(record, range(100)), state(1), *map(record, range(100, 110))]
    outcome = sandbox.run([*head, {"type": "STOP"}], batch_max_bytes=4000)
    assert "STOP" in str(outcome.error)
    assert outcome.states == reached(1)
    assert sandbox.summary()["rows"] == 100


def test_a_state_with_nothing_pending_passes_at_once(sandbox):
    outcome = sandbox.run([EVENT_SCHEMA, state(1), state(2)])
    assert outcome.states == reached(1, 2)
    assert sandbox.summary()["batches"] == {}


def test_records_after_the_last_state_are_left_to_the_next_run(sandbox):
    head = [EVENT_SCHEMA, *map(record, range(60)), state(1)]
    outcome = sandbox.run([*head, *map(record, range(60, 200))], file_max_bytes=4000)
    assert outcome.states == reached(1)
    assert "140 records came after the last STATE" in str(outcome.error)
    again = sandbox.run([EVENT_SCHEMA, *map(record, range(60, 200)), state(2)])
    assert again.states == reached(2)
    summary = sandbox.summary()
    assert (summary["rows"], summary["duplicates"]) == (200, 0)


def test_a_tap_without_any_state_is_loaded_to_the_end(sandbox):
    outcome = sandbox.run([EVENT_SCHEMA, *map(record, range(5))])
    assert outcome.states == []
    assert sandbox.summary()["rows"] == 5


def test_a_stream_that_the_state_does_not_know_is_loaded_up_to_it(sandbox):
    other = {"type": "STATE", "value": {"bookmarks": {"other": {"at": 1}, "events": {}}}}
    outcome = sandbox.run([EVENT_SCHEMA, record(1), other, record(2)])
    assert "1 records came after the last STATE" in str(outcome.error)
    assert outcome.states == [other["value"]]
    assert sandbox.ids() == ["id1"]


def test_a_dataset_can_be_chosen_by_name_and_by_stream(sandbox):
    orders = install_demo(sandbox.emulator)[ORDERS_DATASET]
    mapping = [
        {"source": "key", "destination": "_id"},
        {"source": "at", "destination": "timestamp"},
        {"source": "total", "destination": "_acmeretail.orders.total"},
        {"source": "lines", "destination": "_acmeretail.orders.lines"},
    ]
    schema = {"type": "SCHEMA", "stream": "orders", "schema": {"properties": {"key": {}}}}
    order = {"at": 1716008748000, "total": "12.5", "lines": [{"sku": "A", "qty": "2"}]}
    by_name = {"dataset_id": None, "dataset_name": ORDERS_DATASET}
    by_stream = {"dataset_id": None, "datasets": {"orders": orders}}
    for key, choice in (("o1", by_name), ("o2", by_stream)):
        row = {"type": "RECORD", "stream": "orders", "record": {**order, "key": key}}
        settings = {name: value for name, value in choice.items() if value is not None}
        sandbox.config.pop("dataset_id", None)
        assert sandbox.run([schema, row], mapping=mapping, **settings).error is None
    first, second = sandbox.emulator.inspection.rows(orders)
    assert first == {**second, "_id": first["_id"]}
    assert first["timestamp"] == "2024-05-18T05:05:48.000Z"
    assert first["_acmeretail"]["orders"] == {"total": 12.5, "lines": [{"sku": "A", "qty": 2}]}


def test_adobe_source_loads_into_its_dataset(sandbox):
    dataset = install_demo(sandbox.emulator)[ADOBE_SOURCE_DATASET]
    outcome = sandbox.run(
        [EVENT_SCHEMA, record(1, insert_id="i"), state(1)],
        dataset_id=dataset,
        mapping="adobe-source",
    )
    assert outcome.states == reached(1)
    (row,) = sandbox.emulator.inspection.rows(dataset)
    assert row["_acmeretail"]["event_name"] == "Viewed"
    assert "identityMap" not in row


def test_half_a_surrogate_pair_does_not_stop_the_load(sandbox):
    line = record(1, properties={"note": "half \ud83d of it"})
    assert sandbox.run([EVENT_SCHEMA, line, state(1)]).error is None
    (row,) = sandbox.emulator.inspection.rows(sandbox.dataset_id)
    assert row["_acmeretail"]["mixpanel"]["properties"]["note"] == "half � of it"


def test_records_that_can_not_be_valid_go_to_the_dead_letters(sandbox, letters):
    bad = [record(1, event_id=None), record(2, time="2124-01-01T00:00:00Z")]
    good = [record(number) for number in range(10, 110)]
    outcome = sandbox.run([EVENT_SCHEMA, *bad, *good, state(1)])
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert sandbox.summary()["rows"] == 100
    assert [(letter["field"], letter["record"]) for letter in letters()] == [
        ("_id", bad[0]["record"]),
        ("timestamp", bad[1]["record"]),
    ]
    assert {letter["code"] for letter in letters()} == {"LOCAL"}


def test_too_many_rejects_end_the_run_after_all_is_accounted_for(sandbox, letters):
    outcome = sandbox.run([EVENT_SCHEMA, record(1), record(2, event_id=None), state(1)])
    assert "1 of 2 records were rejected" in str(outcome.error)
    assert outcome.states == reached(1)
    assert sandbox.ids() == ["id1"]
    assert len(letters()) == 1


def test_only_rejects_make_no_batch(sandbox, letters):
    outcome = sandbox.run(
        [EVENT_SCHEMA, record(1, event_id=None), state(1)], max_rejected_percent=100
    )
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert len(letters()) == 1
    assert sandbox.summary()["batches"] == {}


def test_rows_that_the_platform_leaves_out_go_to_the_dead_letters(sandbox, letters, monkeypatch):
    # The platform checks more than the target can see: here, the target takes any event type.
    schema = next(
        schema
        for schema in sandbox.emulator._lake.schemas.values()
        if schema.title == MIXPANEL_DATASET
    )
    seen_by_target = parse_schema(schema.body)
    monkeypatch.setattr("target_aep.api.sandbox.parse_schema", lambda _document: seen_by_target)
    stricter = {**schema.body["properties"], "eventType": {"type": "string", "maxLength": 200}}
    sandbox.emulator.provisioning.add_schema({**schema.body, "properties": stricter})
    messages = [EVENT_SCHEMA, *map(record, range(40)), record(40, event_name="x" * 300), state(1)]
    outcome = sandbox.run(messages)
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert sandbox.summary()["rows"] == 40
    (letter,) = letters()
    assert letter["xdm"]["_id"] == "id40"
    assert letter["batch"]
    assert letter["code"]


@pytest.fixture
def batch_message(tmp_path):
    """A BATCH message of records in a file, whose name needs escaping in a URL."""

    def write(numbers, compression="gzip"):
        lines = [json.dumps(record(number)["record"]) + "\n" for number in numbers]
        content = "".join(lines).encode()
        path = tmp_path / f"some events {compression}"
        path.write_bytes(gzip.compress(content) if compression == "gzip" else content)
        return {
            "type": "BATCH",
            "stream": "events",
            "encoding": {"format": "jsonl", "compression": compression},
            "manifest": [path.as_uri()],
        }

    return write


@pytest.mark.parametrize("compression", ["gzip", "none", None])
def test_the_files_of_a_batch_message_are_loaded_too(sandbox, batch_message, compression):
    message = batch_message(range(3), compression)
    outcome = sandbox.run([EVENT_SCHEMA, message, record(3), state(1)])
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert sandbox.ids() == ["id0", "id1", "id2", "id3"]


def test_stream_maps_hold_for_the_files_of_a_batch_message(sandbox, batch_message):
    texts = {name: {"type": "string"} for name in record(1)["record"] if name != "properties"}
    schema = {**EVENT_SCHEMA, "schema": {"properties": {**texts, "properties": {}}}}
    maps = {"events": {"__filter__": "event_id != 'id1'", "event_name": "md5(event_name)"}}
    messages = [schema, batch_message(range(3)), record(3), state(1)]
    assert sandbox.run(messages, stream_maps=maps).error is None
    assert sandbox.ids() == ["id0", "id2", "id3"]
    names = {row["eventType"] for row in sandbox.emulator.inspection.rows(sandbox.dataset_id)}
    assert names == {hashlib.md5(b"Viewed").hexdigest()}  # noqa: S324 - what the stream map does


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}\n[1]\n", "line 2: not a record"),
        (b"{}\noops\n", "line 2: not JSON"),
        (gzip.compress(b"{}\n" * 1000, mtime=0)[:-9], "can't be read"),
    ],
)
def test_a_file_of_a_batch_message_that_is_not_whole_is_one_line(
    sandbox, batch_message, tmp_path, content, words
):
    message = batch_message([], "gzip" if content[:1] == b"\x1f" else "none")
    (tmp_path / unquote(message["manifest"][0]).rpartition("/")[2]).write_bytes(content)
    schema = {**EVENT_SCHEMA, "key_properties": []}
    outcome = sandbox.run([schema, message, state(1)])
    assert "some%20events" in str(outcome.error)
    assert words in str(outcome.error)
    assert outcome.states == []


@pytest.mark.parametrize(
    "maps",
    [{"events": {"__alias__": "ev"}}, {"ev": {"__source__": "events"}, "events": None}],
)
def test_a_renamed_stream_is_found_in_the_state_under_its_first_name(sandbox, maps):
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1), record(2)], stream_maps=maps)
    assert "1 records came after the last STATE" in str(outcome.error)
    assert outcome.states == reached(1)
    assert sandbox.ids() == ["id1"]


@pytest.mark.parametrize(
    "value", [{}, {"bookmarks": {"events": {"at": 1.25}}}, {"at": [1e-7, 12345678901234567890.5]}]
)
def test_a_state_comes_out_as_it_went_in(sandbox, value):
    outcome = sandbox.run([EVENT_SCHEMA, record(1), {"type": "STATE", "value": value}])
    assert outcome.error is None
    assert outcome.states == [value]


def test_a_schema_that_changes_ends_no_batch(sandbox):
    other = {**EVENT_SCHEMA, "schema": {"properties": {"x": {}}}, "key_properties": []}
    messages = []
    for number in range(6):
        messages += [(EVENT_SCHEMA, other)[number % 2], record(number)]
    outcome = sandbox.run([*messages, state(1)])
    assert outcome.error is None
    assert sandbox.summary()["rows"] == 6
    assert sandbox.summary()["batches"] == {"success": 1}


def test_the_key_is_that_of_the_last_schema(sandbox):
    other = {**EVENT_SCHEMA, "key_properties": ["other_key"]}
    assert "other_key" in str(sandbox.run([EVENT_SCHEMA, record(1), other, record(2)]).error)


def test_the_share_of_rejects_is_that_of_the_whole_run(sandbox):
    bad = [EVENT_SCHEMA, record(0, event_id=None), record(1), state(1)]
    outcome = sandbox.run([*bad, *map(record, range(2, 100)), state(2)], batch_max_bytes=1)
    assert outcome.error is None
    assert outcome.states == reached(1, 2)


def test_activate_version_is_ignored_for_any_stream(sandbox):
    messages = [{"type": "ACTIVATE_VERSION", "stream": name, "version": 1} for name in ("a", None)]
    outcome = sandbox.run([EVENT_SCHEMA, *messages, record(1), messages[0], state(1)])
    assert outcome.error is None
    assert "ACTIVATE_VERSION" not in outcome.log
    assert sandbox.ids() == ["id1"]


@pytest.mark.parametrize("levels", [100, 500, 800])
def test_a_record_that_is_nested_deeply_is_loaded_or_rejected(sandbox, letters, levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    messages = [EVENT_SCHEMA, record(1, properties=value), record(2), state(1)]
    outcome = sandbox.run(messages, max_rejected_percent=50)
    assert outcome.error is None
    assert outcome.states == reached(1)
    rejected = [letter["record"]["event_id"] for letter in letters()]
    assert sorted([*sandbox.ids(), *rejected]) == ["id1", "id2"]
    assert rejected == ["id1"] * (levels > DEEPEST)
    assert {letter["reason"] for letter in letters()} <= {TOO_DEEP}


def test_a_record_that_the_stack_does_not_hold_is_rejected(sandbox, letters, monkeypatch):
    def overflow(*_arguments):
        raise RecursionError

    monkeypatch.setattr(RecordMapper, "_put_identities", overflow)
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)], max_rejected_percent=100)
    assert outcome.error is None
    (letter,) = letters()
    assert (letter["reason"], letter["field"]) == ("nested too deeply", None)
    assert letter["record"] == record(1)["record"]


@pytest.mark.parametrize(
    ("mapping", "asked"),
    [
        ([{"source": "event_id", "destination": "_id"}], 0),
        (
            {
                "mappings": [{"source": "event_id", "destination": "_${TENANT_ID}.x"}],
                "missingFields": "leave_out",
            },
            1,
        ),
    ],
)
def test_the_tenant_is_asked_for_only_if_it_is_needed_and_not_told(sandbox, mapping, asked):
    def alter(request, ask):
        if "/schemas/" not in request.path:
            return ask()
        return Response(json.dumps({"properties": {"_id": {}, "timestamp": {}}}))

    assert sandbox.run([EVENT_SCHEMA, state(1)]).error is None
    assert sandbox.calls("GET", "/stats") == 0
    sandbox.front.alter = alter
    assert sandbox.run([EVENT_SCHEMA, state(1)], mapping=mapping).error is None
    assert sandbox.calls("GET", "/stats") == asked


def test_accepted_does_not_wait_for_the_promotion(sandbox):
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)], wait_for="accepted")
    assert outcome.states == reached(1)
    assert sandbox.calls("GET", "/catalog/batches/") == 0


def test_a_token_is_renewed_before_it_ends(sandbox, serve, tmp_path):
    short = AepEmulator(
        tmp_path / "short", limits=Limits(token_seconds=0), promotion=Promotion(statuses=())
    )
    install_demo(short)
    url = serve(short)
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)], ims_url=url, platform_url=url)
    assert outcome.error is not None
    assert "401013" in str(outcome.error)
    assert short.tokens.mints > 1
    short.close()


@pytest.mark.parametrize("status", ["success", "active"])
def test_both_spellings_of_success_count(sandbox, status):
    sandbox.emulator.lifecycle._spelling["success"] = status
    assert sandbox.run([EVENT_SCHEMA, record(1), state(1)]).states == reached(1)
