"""Batches of Parquet files: the same rows and refusals as JSON, and what only files can have."""

from __future__ import annotations

import io
from datetime import date, datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from emulators.aep import AepEmulator, Promotion
from emulators.aep.testing import AepClient
from emulators.aep.xdm_schema import (
    array_of,
    boolean,
    date_time,
    event_schema,
    integer,
    long,
    map_of,
    number,
    string,
    struct,
)

SCHEMA = event_schema(
    "Typed",
    {
        "text": string(maxLength=5),
        "number": number(),
        "whole": integer(),
        "long": long(),
        "flag": boolean(),
        "day": {"type": "string", "format": "date", "meta:xdmType": "date"},
        "moment": date_time(),
        "tags": array_of(string()),
        "map": map_of(long()),
        "deep": struct({"er": struct({"x": string()})}),
    },
)
WHEN = datetime(2023, 5, 18, 5, 5, 48, 123000, timezone.utc)
ROW = {"_id": "1", "timestamp": WHEN}
MILLISECONDS = pa.timestamp("ms", "UTC")
IDENTITY = pa.struct(
    [("id", pa.string()), ("authenticatedState", pa.string()), ("primary", pa.bool_())]
)
TYPES = {
    "_id": pa.string(),
    "timestamp": MILLISECONDS,
    "identityMap": pa.map_(pa.string(), pa.list_(IDENTITY)),
    "text": pa.string(),
    "number": pa.float64(),
    "whole": pa.int32(),
    "long": pa.int64(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "moment": MILLISECONDS,
    "tags": pa.list_(pa.string()),
    "map": pa.map_(pa.string(), pa.int64()),
    "deep": pa.struct([("er", pa.struct([("x", pa.string())]))]),
}
EVERYTHING = {
    **ROW,
    "identityMap": {"N": [{"id": "i", "primary": True}]},
    "text": "é\x00",
    "number": 0.5,
    "whole": -3,
    "long": 2**52,
    "flag": False,
    "day": date(1969, 12, 31),
    "moment": datetime(1969, 12, 31, 23, 59, 59, 999000, timezone.utc),
    "tags": ["a", "b"],
    "map": {"a.b": 1, "c": 2},
    "deep": {"er": {"x": "y"}},
}


@pytest.fixture
def sandbox(serve, tmp_path):
    emulator = AepEmulator(tmp_path, promotion=Promotion(statuses=()))
    schema = emulator.provisioning.add_schema(SCHEMA)
    dataset = emulator.provisioning.add_dataset("Typed", schema.id).id
    yield emulator, AepClient(serve(emulator), emulator), dataset
    emulator.close()


def parquet(rows, **types):
    """A file; columns are those that rows use, and others of `types`."""
    used = [name for name in TYPES if any(name in row for row in rows)]
    schema = pa.schema(
        [(name, TYPES[name]) for name in used if name not in types] + [*types.items()]
    )
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), out)
    return out.getvalue()


def load(client, dataset, *files, **body):
    batch = client.create(dataset, inputFormat={"format": "parquet"}, **body).json()["id"]
    for number_of, content in enumerate(files):
        client.put(batch, dataset, f"f{number_of}.parquet", content).raise_for_status()
    client.act(batch, "COMPLETE").raise_for_status()
    return client.batch(batch)


def test_rows_come_out_as_json_has_them(sandbox):
    emulator, client, dataset = sandbox
    found = load(client, dataset, parquet([EVERYTHING, {**ROW, "_id": "2"}]), parquet([ROW]))
    assert found["status"] == "success"
    assert found["metrics"]["inputRecordCount"] == 3
    assert found["metrics"]["inputFileCount"] == 2
    time = "2023-05-18T05:05:48.123Z"
    assert list(emulator.inspection.rows(dataset)) == [
        {
            **EVERYTHING,
            "timestamp": time,
            "day": "1969-12-31",
            "moment": "1969-12-31T23:59:59.999Z",
        },
        {"_id": "2", "timestamp": time},
        {"_id": "1", "timestamp": time},
    ]
    assert emulator.inspection.summary(dataset)["distinctIds"] == 2


@pytest.mark.parametrize(("percent", "status"), [(40, "success"), (10, "failed")])
def test_rows_are_refused_as_those_of_json(sandbox, percent, status):
    emulator, client, dataset = sandbox
    bad = [
        {"_id": "no time"},
        {**ROW, "_id": "long", "text": "abcdef"},
    ]
    good = [{**ROW, "_id": str(number_of)} for number_of in range(4)]
    found = load(
        client,
        dataset,
        parquet([*good, *bad]),
        partialIngestionPercent=percent,
        enableErrorDiagnostics=True,
    )
    assert found["status"] == status
    assert found["metrics"]["failedRecordCount"] == 2
    stored = 4 if status == "success" else 0
    assert emulator.inspection.summary(dataset)["rows"] == stored
    failed = emulator.inspection.summary(dataset)["failedRows"]
    assert failed == {"INGEST-1555-400": 1, "DCVS-1105-400": 1}
    path = "row_errors/conversion_errors_0.json"
    lines = client.export(found["id"], "meta", path=path).text.splitlines()
    assert ['"no time"' in lines[0], '"long"' in lines[1]] == [True, True]


@pytest.mark.parametrize(
    ("name", "kind", "value", "expected"),
    [
        ("number", pa.string(), "1.5", 1.5),
        ("number", pa.int64(), 3, 3),
        ("number", pa.float32(), 0.5, 0.5),
        ("whole", pa.int64(), 7, 7),
        ("whole", pa.string(), "7", 7),
        ("moment", pa.int64(), 1000, "1970-01-01T00:00:01.000Z"),
        ("moment", pa.timestamp("us"), WHEN.replace(tzinfo=None), "2023-05-18T05:05:48.123Z"),
        ("moment", pa.string(), "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("day", pa.string(), "2020-01-01", "2020-01-01"),
    ],
)
def test_types_that_can_be_converted_are(sandbox, name, kind, value, expected):
    emulator, client, dataset = sandbox
    load(client, dataset, parquet([{**ROW, name: value}], **{name: kind}))
    (row,) = emulator.inspection.rows(dataset)
    assert row[name] == expected


def test_a_value_that_its_type_can_not_hold_is_a_bad_row(sandbox):
    _, client, dataset = sandbox
    found = load(client, dataset, parquet([{**ROW, "whole": 2**40}], whole=pa.int64()))
    assert found["status"] == "failed"
    assert found["metrics"]["failedRecordCount"] == 1


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("unknown", pa.string(), "a"),
        ("text", pa.int64(), 1),
        ("text", pa.binary(), b"a"),
        ("flag", pa.string(), "true"),
        ("whole", pa.float64(), 1.0),
        ("tags", pa.string(), "a"),
        ("tags", pa.list_(pa.int32()), [1]),
        ("map", pa.struct([("a", pa.int64())]), {"a": 1}),
        ("map", pa.map_(pa.string(), pa.bool_()), {"a": True}),
        ("deep", pa.map_(pa.string(), pa.string()), {"er": "x"}),
        ("deep", pa.struct([("other", pa.string())]), {"other": "x"}),
        ("moment", pa.float64(), 1.0),
    ],
)
def test_columns_that_do_not_fit_the_schema_fail_the_batch(sandbox, name, kind, value):
    emulator, client, dataset = sandbox
    content = parquet([{**ROW, name: value}], **{name: kind})
    found = load(client, dataset, parquet([ROW]), content, partialIngestionPercent=100)
    assert found["status"] == "failed"
    (error,) = found["errors"]
    assert error["description"].startswith(f"TypeCompatibilityException: the column {name}")
    assert "f1.parquet" in error["description"]
    assert emulator.inspection.summary(dataset)["rows"] == 0
    assert client.export(found["id"], "failed").json()["data"] == []


WHOLE = parquet([{**ROW, "text": str(number_of)} for number_of in range(500)])


@pytest.mark.parametrize(
    "content",
    [b"PAR1", WHOLE[:-20], WHOLE[20:], b'{"_id":"1"}\n', WHOLE[:4] + b"\xff" * 300 + WHOLE[304:]],
    ids=["short", "no footer", "no head", "json", "bad pages"],
)
def test_a_file_that_can_not_be_read_fails_the_batch(sandbox, content):
    emulator, client, dataset = sandbox
    found = load(client, dataset, content, partialIngestionPercent=100)
    assert found["status"] == "failed"
    (error,) = found["errors"]
    assert error["code"] == "INGEST-1401-400"
    assert "f0.parquet has corrupted data" in error["description"]
    assert emulator.inspection.summary(dataset)["rows"] == 0


@pytest.mark.parametrize("content", [b"", parquet([], _id=pa.string())], ids=["bytes", "rows"])
def test_a_file_without_rows_fails_the_batch(sandbox, content):
    _, client, dataset = sandbox
    assert [error["code"] for error in load(client, dataset, content)["errors"]] == ["106"]


def test_parquet_can_not_be_previewed_as_json(sandbox):
    _, client, dataset = sandbox
    batch = client.create(dataset, inputFormat={"format": "parquet"}).json()["id"]
    client.put(batch, dataset, "f.parquet", WHOLE)
    path = f"/data/foundation/import/batches/{batch}/datasets/{dataset}/preview"
    assert client.call("GET", path, params={"format": "json"}).status_code == 400
