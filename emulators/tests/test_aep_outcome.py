"""What becomes of a batch's rows: thresholds, errors, diagnostics files, the dataset."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests
from emulators.aep import AepEmulator, Limits, Promotion
from emulators.aep.model import Batch, StoredFile
from emulators.aep.promotion import promote
from emulators.aep.row_validator import RowValidator
from emulators.aep.rows import read_rows
from emulators.aep.testing import AepClient, ManualClock
from emulators.aep.xdm_schema import event_schema
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("good", "bad", "percent", "status"),
    [
        (19, 1, 5, "success"),
        (18, 2, 5, "failed"),
        (19, 1, None, "failed"),
        (19, 1, 0, "failed"),
        (0, 3, 100, "success"),
        (1, 1, 50.0, "success"),
        (20, 0, None, "success"),
    ],
)
def test_the_share_of_bad_rows_decides(build, good, bad, percent, status):
    emulator, client, dataset = build(promotion=Promotion(statuses=()))
    options = {} if percent is None else {"partialIngestionPercent": percent}
    batch = client.load(dataset, [ROW] * good + [NO_TIME] * bad, **options)
    found = client.batch(batch)
    assert found["status"] == status
    stored = good if status == "success" else 0
    assert found["metrics"]["inputRecordCount"] == good + bad
    assert found["metrics"]["failedRecordCount"] == bad
    assert found["metrics"]["outputRecordCount"] == stored
    summary = emulator.inspection.summary(dataset)
    assert summary["rows"] == stored
    assert summary["failedRows"] == ({"INGEST-1555-400": bad} if bad else {})


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_fails_the_batch(build, content):
    _, client, dataset = build(promotion=Promotion(statuses=()))
    batch = client.load(dataset, [content])
    assert client.batch(batch)["status"] == "failed"
    assert [error["code"] for error in client.batch(batch)["errors"]] == ["106"]


def test_a_batch_without_files_fails(build):
    _, client, dataset = build(promotion=Promotion(statuses=()))
    batch = client.create(dataset).json()["id"]
    client.act(batch, "COMPLETE")
    assert [error["code"] for error in client.batch(batch)["errors"]] == ["106"]


def test_other_formats_are_told_to_be_unsupported(build):
    _, client, dataset = build(promotion=Promotion(statuses=()))
    batch = client.load(dataset, [ROW], inputFormat={"format": "csv"})
    assert client.batch(batch)["status"] == "failed"
    assert "JSON and Parquet only" in client.batch(batch)["errors"][0]["description"]


@pytest.mark.parametrize("pretty", [[ROW, ROW], ROW, [ROW, NO_TIME]], ids=["array", "one", "bad"])
def test_multi_line_json(build, pretty):
    emulator, client, dataset = build(promotion=Promotion(statuses=()))
    batch = client.load(
        dataset,
        [json.dumps(pretty, indent=2).encode()],
        inputFormat={"format": "json", "isMultiLineJson": True},
        partialIngestionPercent=50,
    )
    assert client.batch(batch)["status"] == "success"
    rows = pretty if isinstance(pretty, list) else [pretty]
    assert list(emulator.inspection.rows(dataset)) == [row for row in rows if row is not NO_TIME]


def test_unreadable_multi_line_json_is_one_corrupt_row(build):
    emulator, client, dataset = build(promotion=Promotion(statuses=()))
    client.load(dataset, [b"[{"], inputFormat={"format": "json", "isMultiLineJson": True})
    assert emulator.inspection.summary(dataset)["failedRows"] == {"INGEST-1401-400": 1}


def test_errors_without_diagnostics(build):
    _, client, dataset = build(promotion=Promotion(statuses=()))
    batch = client.load(dataset, [ROW, NO_TIME], partialIngestionPercent=50)
    found = client.batch(batch)
    assert [error["code"] for error in found["errors"]] == ["INGEST-1211-400"]
    assert found["metrics"]["failedRecordCount"] == 1
    assert client.export(batch, "meta", path="row_errors").status_code == 404


@pytest.mark.parametrize("by_dataset", [False, True])
def test_errors_with_diagnostics(build, by_dataset):
    _, client, dataset = build(diagnostics=by_dataset, promotion=Promotion(statuses=()))
    options = {} if by_dataset else {"enableErrorDiagnostics": True}
    rows = [ROW, NO_TIME, NO_TIME, b'{"_id": '] * 2
    batch = client.load(dataset, rows, partialIngestionPercent=80, **options)
    errors = client.batch(batch)["errors"]
    assert "6 errors" in errors[0]["description"]
    assert "2 rows" in errors[0]["description"]
    assert [(error["code"], error.get("recordCount")) for error in errors] == [
        ("INGEST-1212-400", None),
        ("INGEST-1401-400", 2),
        ("INGEST-1555-400", 4),
    ]


def test_row_errors_are_listed_and_read(build):
    _, client, dataset = build(promotion=Promotion(statuses=()))
    options = {"partialIngestionPercent": 80, "enableErrorDiagnostics": True}
    corrupt = b'{"_id": "\xe2\x80\xa8\xff'
    batch = client.load(dataset, [ROW, NO_TIME, corrupt], **options)
    listing = client.export(batch, "meta", path="row_errors").json()
    names = [file["name"] for file in listing["data"]]
    assert names == ["conversion_errors_0.json", "parsing_errors_0.json"]
    assert listing["_page"] == {"limit": 100, "count": 2}
    contents = []
    for file in listing["data"]:
        link = file["_links"]["self"]["href"]
        content = requests.get(link, headers=client.headers, timeout=10).content
        assert file["length"] == str(len(content))
        contents.append([json.loads(line) for line in content.splitlines()])
    [[converted], [parsed]] = contents
    assert converted["_id"] == "b"
    assert converted["_filename"] == "rows.json"
    assert converted["_errors"][0]["code"] == "INGEST-1555-400"
    assert "timestamp" in converted["_errors"][0]["message"]
    assert parsed["_corrupt_record"] == corrupt.decode("utf-8", "replace")
    assert parsed["_errors"][0]["code"] == "INGEST-1401-400"
    assert client.export(batch, "meta", path="row_errors/other.json").status_code == 404
    assert client.export(batch, "meta", path="elsewhere").status_code == 404
    folders = client.export(batch, "meta").json()["data"]
    assert [folder["name"] for folder in folders] == ["row_errors", "input_files"]


def test_row_error_files_are_paged(build):
    limits = Limits(row_error_file_bytes=1)
    _, client, dataset = build(limits=limits, promotion=Promotion(statuses=()))
    rows = [{"_id": str(number)} for number in range(230)]
    batch = client.load(dataset, rows, partialIngestionPercent=100, enableErrorDiagnostics=True)
    assert client.export(batch, "meta", path="row_errors", limit=101).status_code == 400
    url, found, pages = "row_errors", [], 0
    page = client.export(batch, "meta", path=url).json()
    while True:
        pages += 1
        found += [file["name"] for file in page["data"]]
        following = page.get("_links", {}).get("next")
        if following is None:
            break
        page = requests.get(following["href"], headers=client.headers, timeout=10).json()
    assert pages == 3
    assert found == [f"conversion_errors_{number}.json" for number in range(230)]
    last = client.export(batch, "meta", path="row_errors", start=225, limit=10).json()
    assert last["_page"] == {"limit": 10, "count": 5}


def test_the_rows_of_a_failed_batch(build):
    _, client, dataset = build(promotion=Promotion(statuses=()))
    good = client.load(dataset, [ROW])
    assert client.export(good, "failed").json()["data"] == []
    batch = client.load(dataset, [ROW, {"timestamp": "yesterday"}])
    listing = client.export(batch, "failed").json()
    assert [file["name"] for file in listing["data"]] == ["conversion_errors_0.json"]
    answer = client.export(batch, "failed", path="conversion_errors_0.json")
    assert len(answer.content) == int(listing["data"][0]["length"])
    row = answer.json()
    assert row["timestamp"] == "yesterday"
    keywords = [error["keyword"] for error in row["_validationErrors"]]
    assert keywords == ["required", "format"]
    assert row["_validationErrors"][1]["pointerToViolation"] == "#/timestamp"
    assert client.export(batch, "failed", path="other.json").status_code == 404


def test_duplicates_are_kept_and_counted(build):
    emulator, client, dataset = build(promotion=Promotion(statuses=()))
    for _ in range(2):
        client.batch(client.load(dataset, [ROW, {**ROW, "_id": "b"}, ROW]))
    url = f"{client.url}/__emulator__/datasets/{dataset}"
    summary = requests.get(url, timeout=10).json()
    assert summary == emulator.inspection.summary(dataset)
    counts = {name: summary[name] for name in ("rows", "distinctIds", "duplicates")}
    assert counts == {"rows": 6, "distinctIds": 2, "duplicates": 4}
    page = requests.get(f"{url}/rows", params={"start": 1, "limit": 3}, timeout=10).json()
    assert [row["_id"] for row in page] == ["b", "a", "a"]
    everything = requests.get(f"{url}/rows.jsonl", timeout=10).content
    assert len(everything) == summary["bytes"]
    assert [json.loads(line)["_id"] for line in everything.splitlines()] == list("abaaba")
    assert requests.get(f"{client.url}/__emulator__/datasets", timeout=10).json() == [summary]
    assert requests.get(f"{url}x", timeout=10).status_code == 404


ODD_ROWS = st.lists(
    st.binary(min_size=1).filter(lambda line: b"\n" not in line and line.strip())
    | st.integers(1, 1000).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth)
    | st.dictionaries(st.text(), st.none() | st.text() | st.integers()).map(
        lambda row: json.dumps({**ROW, **row}).encode()
    ),
    min_size=1,
)


@settings(deadline=None)
@given(ODD_ROWS)
def test_every_row_is_stored_or_kept_with_its_errors(lines):
    body = event_schema("events", {"a": {"type": "object"}})
    validator = RowValidator(body, 1_700_000_000)
    with TemporaryDirectory() as folder:
        (Path(folder) / "files").mkdir()
        (Path(folder) / "files" / "rows").write_bytes(b"\n".join(lines))
        batch = Batch(
            "b", "d", "prod", "b", "client", 0, 0, {"format": "json"}, {}, True, 100,
            files={"rows.json": StoredFile("rows", 1)},
        )  # fmt: skip
        outcome = promote(batch, Path(folder), validator, Limits(), threading.Event())
        stored = list(read_rows([Path(folder)]))
        rejected = [
            json.loads(line)
            for file in (Path(folder) / "row_errors").iterdir()
            for line in file.read_bytes().splitlines()
        ]
    assert outcome.metrics["inputRecordCount"] == len(lines)
    assert outcome.metrics["outputRecordCount"] == len(stored)
    assert outcome.metrics["failedRecordCount"] == len(rejected) == sum(outcome.codes.values())
    assert len(stored) + len(rejected) == len(lines)
    assert all(row["_errors"][0]["code"] in outcome.codes for row in rejected)
