"""Runs with a mapping set per stream, fetched sets, variables, and what the log says of them."""

from __future__ import annotations

import json

import pytest
from singer_sdk.exceptions import ConfigValidationError
from target_aep.errors import MappingSetError, TargetError
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

SET = {
    "id": "set1",
    "version": 2,
    "mappings": [
        {"sourceType": "text/x.schema-path", "source": "event_id", "destination": "_id"},
        {"sourceType": "text/x.schema-path", "source": "time", "destination": "timestamp"},
        {"sourceType": "text/x.aep-xl", "source": 'concat("${KIND}", "!")',
         "destination": "eventType"},
    ],
}  # fmt: skip
USERS = {**EVENT_SCHEMA, "stream": "users"}


def serve_set(sandbox, status=200, body=SET):
    asked = []

    def alter(request, ask):
        if "/conversion/mappingSets/" not in request.path:
            return ask()
        asked.append(request)
        return Response(json.dumps(body), status, content_type="application/json")

    sandbox.front.alter = alter
    return asked


def test_a_set_is_fetched_once_and_used(sandbox):
    asked = serve_set(sandbox)
    messages = [EVENT_SCHEMA, record(1), USERS, {**record(2), "stream": "users"}, state(1)]
    mapping = {"id": "set1", "version": 2}
    outcome = sandbox.run(messages, mapping=mapping, variables={"KIND": "bought"})
    assert outcome.error is None
    rows = sandbox.emulator.inspection.rows(sandbox.dataset_id)
    assert {row["eventType"] for row in rows} == {"bought!"}
    (request,) = asked
    assert request.path == "/data/foundation/conversion/mappingSets/set1"
    assert request.args.to_dict() == {"version": "2"}
    assert request.headers["x-sandbox-name"] == "prod"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, {}, "this sandbox has no mapping set set1: check the id"),
        (403, {"title": "no"}, "the credential may not read the mapping set set1"),
        (200, {"a": 1}, "mapping set set1: expected an object with a non-empty list"),
        (200, {"mappings": [{"source": "a[", "destination": "b"}]}, "mapping 1: path 'a['"),
        (200, {"mappings": [{"source": "a", "destination": "nosuch"}]}, "has no such field"),
    ],
)
def test_a_set_that_can_not_be_had_or_used_ends_the_run(sandbox, status, body, words):
    serve_set(sandbox, status, body)
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)], mapping={"id": "set1"})
    assert isinstance(outcome.error, TargetError)
    assert words in str(outcome.error)
    assert outcome.states == []


def test_each_stream_has_its_own_set(tmp_path):
    config = {
        "destination": "local",
        "local_path": str(tmp_path / "out"),
        "mappings": {"users": [{"source": "event_name", "destination": "name"}]},
    }
    messages = [EVENT_SCHEMA, record(1), USERS, {**record(2), "stream": "users"}, state(1)]
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    (tmp_path / "in.jsonl").write_text(lines, "utf-8")
    target = TargetAEP(config=config)
    with (tmp_path / "in.jsonl").open("rb") as file:
        target.listen(file)
    rows = {
        path.parent.parent.name: json.loads(path.read_text("utf-8"))
        for path in (tmp_path / "out").glob("*/*/*.json")
    }
    assert rows["users"].keys() == {"name"}, "its set names no identities"
    assert rows["events"]["_id"] == "id1"


def test_the_log_tells_of_a_mapping_once_and_counts(sandbox):
    mapping = {
        "mappings": [
            *SET["mappings"][:2],
            {"sourceType": "STATIC", "source": "a", "destination": "eventType"},
            {"sourceType": "EXPRESSION", "source": "1 / 0 + time", "destination": "eventType"},
        ]
    }
    outcome = sandbox.run([EVENT_SCHEMA, record(1), record(2), state(1)], mapping=mapping)
    assert outcome.error is None
    assert outcome.log.count("eventType is the destination of mapping 3 too") == 1
    assert outcome.log.count("values were left empty by mapping 4 to eventType (2; first:") == 1


def test_mistakes_with_the_schema_are_told_before_any_batch(sandbox):
    mapping = [{"source": "a", "destination": "evnetType"}, {"source": "b", "destination": "_id.x"}]
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)], mapping=mapping)
    assert isinstance(outcome.error, MappingSetError)
    assert "mapping 1: destination evnetType: the schema has no such field; the nearest is" in str(
        outcome.error
    )
    assert "mapping 2: destination _id.x lies below _id" in str(outcome.error)
    assert sandbox.calls("POST", "/batches") == 0


def test_fetching_without_a_credential_is_refused():
    with pytest.raises(ConfigValidationError) as refusal:
        TargetAEP(config={"destination": "local", "mapping": {"id": "set1"}})
    assert [line.split(":")[0] for line in refusal.value.errors] == [
        "client_id",
        "client_secret",
        "org_id",
    ]
    assert "needed with destination=local too, to fetch the mapping set" in refusal.value.errors[0]
