"""Creating batches, uploading files, ending batches."""

from __future__ import annotations

import pytest
import requests
from emulators.aep import AepEmulator, Limits, Promotion
from emulators.aep.testing import AepClient, ManualClock
from emulators.aep.xdm_schema import event_schema
from emulators.faults import Fault

BATCHES = "/data/foundation/import/batches"
ROW = {"_id": "a", "timestamp": "2022-05-18T05:05:48Z"}
LINE = b'{"_id": "a", "timestamp": "2022-05-18T05:05:48Z"}\n'
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def emulator(clock):
    limits = Limits(file_bytes=1000, part_bytes=500, batches_per_minute=50, files_per_batch=2)
    emulator = AepEmulator(sandboxes=("prod", "dev"), limits=limits, now=clock)
    for sandbox in ("prod", "dev"):
        schema = emulator.provisioning.add_schema(event_schema("events"), sandbox=sandbox)
        emulator.provisioning.add_dataset("events", schema.id, sandbox=sandbox)
    return emulator


@pytest.fixture
def client(serve, emulator):
    return AepClient(serve(emulator), emulator)


@pytest.fixture
def dataset(client):
    return next(iter(client.call("GET", "/data/foundation/catalog/dataSets").json()))


@pytest.fixture
def batch(client, dataset):
    return client.create(dataset).json()["id"]


def test_a_new_batch(client, dataset):
    answer = client.create(
        dataset,
        externalId="mine",
        enableErrorDiagnostics=True,
        partialIngestionPercent=5,
        tags={"team": ["a", "b"]},
        inputFormat={"format": "JSON"},
    )
    assert answer.status_code == 201
    batch = answer.json()
    assert batch["status"] == "loading"
    assert batch["relatedObjects"] == [{"type": "dataSet", "id": dataset}]
    assert batch["tags"] == {
        "team": ["a", "b"],
        "acp_enableErrorDiagnostics": True,
        "acp_partialIngestionPercent": 5,
    }
    assert batch["inputFormat"] == {"format": "json"}
    assert client.batch(batch["id"])["externalId"] == "mine"
    assert client.batches(externalId="mine").keys() == {batch["id"]}


def test_the_external_id_is_the_batch_id_unless_given(client, batch):
    assert client.batch(batch)["externalId"] == batch


def test_an_external_id_is_unique_whatever_became_of_its_batch(client, dataset):
    first = client.create(dataset, externalId="mine").json()["id"]
    client.act(first, "ABORT")
    assert client.create(dataset, externalId="mine").status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"datasetId": "unknown"},
        {"datasetId": None},
        {"datasetId": 1},
        {"inputFormat": None},
        {"inputFormat": {"format": "xml"}},
        {"inputFormat": {"format": "csv", "isMultiLineJson": True}},
        {"inputFormat": {"format": "json", "isMultiLineJson": "yes"}},
        {"externalId": ""},
        {"externalId": 5},
        {"partialIngestionPercent": 101},
        {"partialIngestionPercent": "5"},
        {"partialIngestionPercentage": True},
        {"enableErrorDiagnostics": "true"},
        {"tags": {"a": "b"}},
        {"tags": []},
        {"replay": []},
        {"replay": {"predecessors": ["unknown"]}},
        {"replay": {"predecessorsByExternalId": ["unknown"]}},
    ],
    ids=str,
)
def test_a_bad_batch_is_refused(client, dataset, change):
    assert client.create(dataset, **change).status_code == 400
    assert client.batches() == {}


@pytest.mark.parametrize(
    "sent",
    [{"data": "{}"}, {"data": "{", "headers": {"Content-Type": "application/json"}}, {"json": []}],
    ids=["type", "syntax", "array"],
)
def test_a_body_must_be_a_json_object(client, sent):
    answer = client.call("POST", BATCHES, **sent)
    assert answer.status_code == 400
    assert answer.json()["title"] == "BadRequestError"


def test_the_other_spelling_can_be_switched_off(serve):
    emulator = AepEmulator(percent_names=("partialIngestionPercentage",))
    schema = emulator.provisioning.add_schema(event_schema("events"))
    dataset = emulator.provisioning.add_dataset("events", schema.id).id
    client = AepClient(serve(emulator), emulator)
    assert client.create(dataset, partialIngestionPercent=5).json()["tags"] == {}
    tags = client.create(dataset, partialIngestionPercentage=5).json()["tags"]
    assert tags == {"acp_partialIngestionPercent": 5}


def test_batches_a_minute_are_limited(client, dataset, clock):
    statuses = [client.create(dataset).status_code for _ in range(51)]
    assert statuses == [201] * 50 + [429]
    assert client.create(dataset).json()["error_code"] == "429050"
    clock.time += 61
    assert client.create(dataset).status_code == 201


def test_batches_a_day_are_only_counted(client, dataset, serve, clock):
    emulator = AepEmulator(limits=Limits(batches_per_day=1), now=clock)
    schema = emulator.provisioning.add_schema(event_schema("events"))
    dataset = emulator.provisioning.add_dataset("events", schema.id).id
    client = AepClient(serve(emulator), emulator)
    client.create(dataset)
    client.create(dataset)
    usage = requests.get(f"{client.url}/__emulator__/usage", timeout=10).json()
    assert usage == [{"sandbox": "prod", "day": "2023-11-14", "batches": 2, "overSoftLimit": True}]


def test_another_sandbox_has_neither_dataset_nor_batch(client, dataset, batch):
    client.headers["x-sandbox-name"] = "dev"
    assert client.create(dataset).status_code == 400
    assert client.act(batch, "COMPLETE").status_code == 404
    assert client.put(batch, dataset, "a.json", LINE).status_code == 404
    assert client.batches() == {}


def test_complete_can_be_repeated(client, dataset, batch):
    client.put(batch, dataset, "a.json", LINE)
    answers = [client.act(batch, "complete") for _ in range(2)]
    [client.batch(batch) for _ in range(3)]
    answers.append(client.act(batch, "COMPLETE"))
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 3
    assert client.batch(batch)["metrics"]["outputRecordCount"] == 1


def test_an_aborted_batch_is_over(client, dataset, batch):
    client.put(batch, dataset, "a.json", LINE)
    assert client.act(batch, "ABORT").status_code == 200
    assert client.act(batch, "ABORT").status_code == 200
    assert client.batch(batch)["status"] == "aborted"
    assert client.act(batch, "COMPLETE").status_code == 400
    assert client.put(batch, dataset, "b.json", LINE).status_code == 400


def test_a_completed_batch_cannot_be_aborted(client, dataset):
    batch = client.load(dataset, [ROW])
    assert client.act(batch, "ABORT").status_code == 400
    assert client.act(batch, "FAIL").status_code == 400


def test_the_client_can_fail_a_batch(client, batch):
    assert client.act(batch, "FAIL").status_code == 200
    assert client.batch(batch)["status"] == "failed"
    assert client.batch(batch)["errors"]


def test_reverting_takes_the_rows_out(client, emulator, dataset):
    batch = client.load(dataset, [ROW])
    assert client.act(batch, "REVERT").status_code == 400
    emulator.lifecycle.settle()
    assert emulator.inspection.summary(dataset)["rows"] == 1
    assert client.act(batch, "REVERT").status_code == 200
    assert client.act(batch, "REVERT").status_code == 200
    assert client.batch(batch)["status"] == "inactive"
    assert emulator.inspection.summary(dataset)["rows"] == 0


def test_unknown_actions_and_batches(client, batch):
    assert client.act(batch, "EXPLODE").status_code == 400
    assert client.call("POST", f"{BATCHES}/{batch}").status_code == 400
    assert client.act("unknown", "COMPLETE").status_code == 404


def test_an_incomplete_batch_is_abandoned(serve, clock):
    emulator = AepEmulator(promotion=Promotion(abandon_seconds=3600), now=clock)
    schema = emulator.provisioning.add_schema(event_schema("events"))
    dataset = emulator.provisioning.add_dataset("events", schema.id).id
    client = AepClient(serve(emulator), emulator)
    batch = client.create(dataset).json()["id"]
    clock.time += 3601
    assert client.batch(batch)["status"] == "abandoned"
    assert client.act(batch, "COMPLETE").status_code == 400
    assert client.put(batch, dataset, "a.json", LINE).status_code == 400


@pytest.mark.parametrize("by", ["predecessors", "predecessorsByExternalId"])
@pytest.mark.parametrize("prefix", ["", "$"])
def test_a_replay_replaces_its_predecessors_at_once(client, emulator, dataset, by, prefix):
    old = client.load(dataset, [ROW, {**ROW, "_id": "b"}], externalId="old")
    emulator.lifecycle.settle()
    named = old if by == "predecessors" else "old"
    new = client.load(dataset, [ROW], replay={by: [prefix + named], "reason": "replace"})
    assert emulator.inspection.summary(dataset)["rows"] == 2
    emulator.lifecycle.settle()
    assert client.batch(old)["status"] == "inactive"
    assert client.batch(new)["replay"]["reason"] == "replace"
    assert [row["_id"] for row in emulator.inspection.rows(dataset)] == ["a"]


def test_a_failed_replay_leaves_its_predecessors(client, emulator, dataset):
    old = client.load(dataset, [ROW])
    emulator.lifecycle.settle()
    client.load(dataset, [b"broken"], replay={"predecessors": [old]})
    emulator.lifecycle.settle()
    assert client.batch(old)["status"] == "success"
    assert emulator.inspection.summary(dataset)["rows"] == 1


def test_too_many_files_hit_the_guardrail(client, emulator, dataset, batch):
    for number in range(3):
        client.put(batch, dataset, f"{number}.json", LINE)
    client.act(batch, "COMPLETE")
    emulator.lifecycle.settle()
    failed = client.batch(batch)
    assert failed["status"] == "failed"
    assert failed["errors"][0]["description"].startswith("Batch ingestion guardrails hit:")


def test_a_promotion_fault_waits_for_a_completion(client, emulator, dataset):
    emulator.faults.add(Fault("stalled"))
    aborted = client.create(dataset).json()["id"]
    client.act(aborted, "ABORT")
    stalled = client.load(dataset, [ROW])
    emulator.lifecycle.settle()
    assert client.batch(aborted)["status"] == "aborted"
    assert client.batch(stalled)["status"] == "stalled"
