"""Uploading files: whole, in parts, and previewed."""

from __future__ import annotations

import pytest
from emulators.aep import AepEmulator, Limits
from emulators.aep.testing import AepClient, ManualClock
from emulators.aep.xdm_schema import event_schema

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


def test_a_file_is_created_then_replaced(client, dataset, batch):
    assert client.put(batch, dataset, "day=1/a.json", LINE * 2).status_code == 201
    assert client.put(batch, dataset, "day=1/a.json", LINE).status_code == 200
    client.act(batch, "COMPLETE")
    [client.batch(batch) for _ in range(3)]
    metrics = client.batch(batch)["metrics"]
    assert (metrics["inputFileCount"], metrics["inputRecordCount"]) == (1, 1)
    listed = client.export(batch, "meta", path="input_files/fileMetaData1.json")
    assert listed.json() == {"path": "day=1/a.json"}


def test_uploads_are_refused(client, dataset, batch):
    path = client.file_path(batch, dataset, "a.json")
    assert client.call("PUT", path, data=LINE).status_code == 415
    assert client.call("PUT", path, files={"file": LINE}).status_code == 415
    assert client.put(batch, dataset, "a.json", b"x" * 1001).status_code == 413
    chunked = client.call("PUT", path, data=iter([b"x" * 600] * 2), headers=OCTETS)
    assert chunked.status_code == 413
    assert client.put("unknown", dataset, "a.json", LINE).status_code == 404
    assert client.put(batch, "unknown", "a.json", LINE).status_code == 404
    client.act(batch, "COMPLETE")
    assert client.put(batch, dataset, "a.json", LINE).status_code == 400
    assert client.batch(batch)["status"] == "loaded"


def test_a_batch_completed_during_an_upload_keeps_the_file_out(client, emulator, dataset, batch):
    client.put(batch, dataset, "a.json", LINE)

    def body():
        yield LINE
        client.act(batch, "COMPLETE")
        yield LINE

    path = client.file_path(batch, dataset, "late.json")
    assert client.call("PUT", path, data=body(), headers=OCTETS).status_code == 400
    emulator.lifecycle.settle()
    assert emulator.inspection.summary(dataset)["rows"] == 1


def large_file(client, batch, dataset, action):
    path = client.file_path(batch, dataset, "big.json")
    return client.call("POST", path, params={"action": action})


def put_part(client, batch, dataset, content_range, content):
    path = client.file_path(batch, dataset, "big.json")
    return client.call(
        "PATCH", path, data=content, headers={**OCTETS, "Content-Range": content_range}
    )


def received(client, batch, dataset):
    return client.call("HEAD", client.file_path(batch, dataset, "big.json"))


def test_a_large_file_comes_in_parts(client, emulator, dataset, batch):
    size, half = len(LINE), 20
    assert large_file(client, batch, dataset, "INITIALIZE").status_code == 201
    assert "Range" not in received(client, batch, dataset).headers
    assert put_part(client, batch, dataset, f"bytes {half}-{size - 1}", LINE[half:]).ok
    for _ in range(2):
        part = put_part(client, batch, dataset, f"bytes 0-{half - 1}/{size}", LINE[:half])
        assert part.status_code == 200
    assert part.json() == {"name": "big.json", "sizeInBytes": size}
    assert client.act(batch, "COMPLETE").status_code == 400
    assert large_file(client, batch, dataset, "COMPLETE").json()["sizeInBytes"] == size
    assert large_file(client, batch, dataset, "COMPLETE").ok
    assert received(client, batch, dataset).headers["Range"] == f"bytes=0-{size - 1}"
    assert client.act(batch, "COMPLETE").ok
    emulator.lifecycle.settle()
    assert list(emulator.inspection.rows(dataset)) == [ROW]


@pytest.mark.parametrize("second", ["bytes 5-9", "bytes 11-15"], ids=["overlap", "gap"])
def test_parts_must_fit_together(client, dataset, batch, second):
    large_file(client, batch, dataset, "INITIALIZE")
    assert put_part(client, batch, dataset, "bytes 0-9", b"x" * 10).ok
    assert put_part(client, batch, dataset, second, b"x" * 5).ok
    assert large_file(client, batch, dataset, "COMPLETE").status_code == 400


def test_bad_parts_are_refused(client, dataset, batch):
    assert put_part(client, batch, dataset, "bytes 0-0", b"x").status_code == 404
    assert received(client, batch, dataset).status_code == 404
    assert large_file(client, batch, dataset, "COMPLETE").status_code == 404
    large_file(client, batch, dataset, "INITIALIZE")
    assert put_part(client, batch, dataset, "bytes 0-1", b"x").status_code == 400
    assert put_part(client, batch, dataset, "lines 0-0", b"x").status_code == 400
    assert put_part(client, batch, dataset, "bytes 0-599", b"x" * 600).status_code == 413
    assert large_file(client, batch, dataset, "REMOVE").status_code == 400


def test_a_preview_parses_what_is_there(client, dataset, batch):
    client.put(batch, dataset, "a.json", LINE * 3)
    path = f"{BATCHES}/{batch}/datasets/{dataset}/preview"
    answer = client.call("GET", path, params={"format": "json", "nrow": 2}).json()["preview"]
    assert answer["columns"] == [{"cid": 0, "name": "_id"}, {"cid": 1, "name": "timestamp"}]
    assert answer["rows"] == [{"0": "a", "1": ROW["timestamp"]}] * 2
    assert client.call("GET", path, params={"format": "csv"}).status_code == 400
    client.put(batch, dataset, "a.json", b"broken")
    assert client.call("GET", path, params={"format": "json"}).status_code == 400
