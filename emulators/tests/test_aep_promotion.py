"""The walk of a completed batch through its statuses, and faults on the way."""

from __future__ import annotations

import json

import pytest
import requests
from emulators.aep import AepEmulator, Promotion
from emulators.aep.testing import AepClient, ManualClock
from emulators.aep.xdm_schema import event_schema
from emulators.faults import Fault

ROW = {"_id": "a", "timestamp": "2022-05-18T05:05:48Z"}
NO_TIME = {"_id": "b"}
COMPLETE = {"path": "/data/foundation/import/batches", "query": {"action": "COMPLETE"}}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def build(serve, clock):
    """A function that serves an emulator and returns it with a client and a dataset's id."""

    def build(diagnostics=False, **options):
        emulator = AepEmulator(now=clock, **options)
        schema = emulator.provisioning.add_schema(event_schema("events"))
        dataset = emulator.provisioning.add_dataset(
            "events", schema.id, enable_error_diagnostics=diagnostics
        )
        return emulator, AepClient(serve(emulator), emulator), dataset.id

    return build


def statuses(client, batch, count):
    return [client.batch(batch)["status"] for _ in range(count)]


def test_the_default_walk(build):
    emulator, client, dataset = build()
    batch = client.create(dataset).json()["id"]
    assert statuses(client, batch, 3) == ["loading"] * 3
    client.put(batch, dataset, "a.json", json.dumps(ROW).encode())
    client.act(batch, "COMPLETE")
    assert emulator.inspection.summary(dataset)["batches"] == {"loaded": 1}
    walking = client.batch(batch)
    assert walking["status"] == "loaded"
    assert "metrics" not in walking
    assert "completed" not in walking
    assert emulator.inspection.summary(dataset)["rows"] == 0
    assert statuses(client, batch, 3) == ["staging", "success", "success"]
    assert emulator.inspection.summary(dataset)["rows"] == 1
    done = client.batch(batch)
    assert done["errors"] == []
    assert done["started"] <= done["completed"]
    assert done["metrics"] == {
        "inputByteSize": 49,
        "inputFileCount": 1,
        "inputRecordCount": 1,
        "failedRecordCount": 0,
        "outputRecordCount": 1,
        "outputByteSize": 50,
        "outputFileCount": 1,
        "partitionCount": 1,
    }


def test_listing_batches_counts_as_a_poll(build):
    _, client, dataset = build()
    batch = client.load(dataset, [ROW], externalId="mine")
    shown = [client.batches(externalId="mine")[batch]["status"] for _ in range(3)]
    assert shown == ["loaded", "staging", "success"]


def test_every_status_can_be_part_of_the_walk(build):
    walk = ("loading", "loaded", "queued", "staging", "staged", "processing", "retrying")
    _, client, dataset = build(promotion=Promotion(statuses=walk, polls_per_status=2))
    batch = client.load(dataset, [ROW])
    expected = [status for status in walk for _ in range(2)]
    assert statuses(client, batch, 15) == [*expected, "success"]


def test_the_clock_can_drive_the_walk(build, clock):
    promotion = Promotion(polls_per_status=None, seconds_per_status=60)
    emulator, client, dataset = build(promotion=promotion)
    batch = client.load(dataset, [ROW])
    assert statuses(client, batch, 5) == ["loaded"] * 5
    clock.time += 60
    assert statuses(client, batch, 2) == ["staging"] * 2
    clock.time += 60
    assert emulator.inspection.summary(dataset)["rows"] == 1
    assert statuses(client, batch, 1) == ["success"]


def test_success_and_failure_can_be_spelled_otherwise(build):
    promotion = Promotion(statuses=(), success_status="active", failure_status="failure")
    _, client, dataset = build(promotion=promotion)
    assert client.batch(client.load(dataset, [ROW]))["status"] == "active"
    failed = client.load(dataset, [NO_TIME])
    assert client.batch(failed)["status"] == "failure"
    assert client.export(failed, "failed").json()["data"]


@pytest.mark.parametrize("status", ["deleted", "archived", "retained", "inactive"])
def test_retention_takes_rows_out(build, status):
    emulator, client, dataset = build()
    batch = client.load(dataset, [ROW])
    emulator.lifecycle.settle()
    url = f"{client.url}/__emulator__/batches/{batch}/status"
    assert requests.post(url, json={"status": "sunny"}, timeout=10).status_code == 400
    assert requests.post(url, json={"status": status}, timeout=10).status_code == 204
    assert client.batch(batch)["status"] == status
    assert emulator.inspection.summary(dataset)["rows"] == 0


def test_settling_over_http(build):
    _, client, dataset = build()
    batch = client.load(dataset, [ROW])
    assert requests.post(f"{client.url}/__emulator__/settle", timeout=10).status_code == 204
    assert statuses(client, batch, 1) == ["success"]


def test_a_slow_and_a_retried_batch(build):
    emulator, client, dataset = build()
    emulator.faults.add(Fault("slow", args={"steps": 2}), Fault("retrying", args={"steps": 1}))
    batch = client.load(dataset, [ROW])
    shown = statuses(client, batch, 6)
    assert shown == ["loaded", "staging", "staging", "staging", "retrying", "success"]
    assert statuses(client, client.load(dataset, [ROW]), 3) == ["loaded", "staging", "success"]


def test_a_repeated_complete_takes_no_fault(build):
    emulator, client, dataset = build()
    batch = client.load(dataset, [ROW])
    emulator.faults.add(Fault("stalled", match=COMPLETE))
    client.act(batch, "COMPLETE")
    assert statuses(client, batch, 3)[-1] == "success"


def test_a_stalled_batch(build):
    emulator, client, dataset = build()
    emulator.faults.add(Fault("stalled", match=COMPLETE))
    batch = client.load(dataset, [ROW])
    assert statuses(client, batch, 4) == ["loaded", "staging", "stalled", "stalled"]
    assert emulator.inspection.summary(dataset)["rows"] == 0


def test_a_batch_failed_on_demand(build):
    emulator, client, dataset = build()
    emulator.faults.add(Fault("failed", args={"code": "MAPPER-3700-400", "description": "no"}))
    batch = client.load(dataset, [ROW])
    assert statuses(client, batch, 3)[-1] == "failed"
    assert client.batch(batch)["errors"] == [
        {"code": "MAPPER-3700-400", "description": "no", "rows": []}
    ]
    assert emulator.inspection.summary(dataset)["rows"] == 0


def test_big_batches_are_validated_in_the_background(build):
    promotion = Promotion(statuses=(), inline_bytes=0)
    emulator, client, dataset = build(promotion=promotion)
    batch = client.load(dataset, [{**ROW, "_id": str(number)} for number in range(3000)])
    emulator.lifecycle.wait()
    assert client.batch(batch)["status"] == "success"
    assert emulator.inspection.summary(dataset)["distinctIds"] == 3000
