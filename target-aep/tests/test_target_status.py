"""`target-aep status`: the last batches, and the rows that they left out."""

from __future__ import annotations

import json
import re

import pytest
from emulators.aep.testing import AepClient
from emulators.faults import Fault
from preview_running import make_runner
from target_aep.api.redaction import Redactor
from target_aep.batch_status.summary import summarise
from target_aep.batch_status.table import table
from target_messages import EVENT_SCHEMA, record, state
from werkzeug.wrappers import Response

MESSAGES = [EVENT_SCHEMA, *map(record, range(5)), state(1)]
META = "/data/foundation/export"
CATALOG = "/data/foundation/catalog/batches"


@pytest.fixture
def status(sandbox, tmp_path, monkeypatch, capsys, caplog):
    run = make_runner(tmp_path, monkeypatch, capsys, caplog)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*args, **settings):
        config = {**sandbox.config, **settings}
        return run("status", *args, config={k: v for k, v in config.items() if v is not None})

    return call


@pytest.fixture
def client(sandbox):
    return AepClient(sandbox.config["platform_url"], sandbox.emulator)


def good(number):
    return {"_id": f"id{number}", "timestamp": "2024-05-18T05:05:48.000Z"}


def bad(number):
    return {"_id": f"id{number}", "timestamp": "never", "eventType": "x" * 300}


def documents(result):
    return [json.loads(line) for line in result.lines]


def alter_batches(sandbox, **changes):
    """Let Catalog tell something else of its batches; None leaves a key out."""

    def alter(request, ask):
        answer = ask()
        if request.path.startswith(CATALOG) and answer.status_code == 200:
            shown = {
                key: {k: v for k, v in {**value, **changes}.items() if v is not None}
                for key, value in json.loads(answer.get_data()).items()
            }
            return Response(json.dumps(shown))
        return answer

    sandbox.front.alter = alter


def test_a_loaded_batch_is_a_line_with_its_commit(sandbox, status):
    sandbox.run(MESSAGES)
    result = status()
    assert result.status == 0
    title, header, line, commit = result.lines
    assert title == f"Dataset Mixpanel events ({sandbox.dataset_id})"
    assert " ".join(header.split()) == "created (UTC) took status rows in failed size batch"
    pattern = r"\d{4}-\d\d-\d\d \d\d:\d\d +\d+s  success +5 +0 +\d.* [k]?B  \S{20,}"
    assert re.fullmatch(pattern, line)
    assert re.fullmatch(r"    commit [0-9a-f]{32}", commit)


def test_json_has_everything(sandbox, status):
    sandbox.run(MESSAGES)
    (batch,) = documents(status("--json"))
    assert batch["dataset"] == sandbox.dataset_id
    assert (batch["status"], batch["rows"], batch["failed"], batch["sent"]) == ("success", 5, 0, 5)
    assert batch["attempt"] == 1
    assert batch["external_id"] == f"target-aep-{batch['commit']}-1"
    assert batch["created"].endswith("Z")
    assert batch["seconds"] >= 0
    assert batch["errors"] == []


def test_no_batches(status):
    result = status()
    assert result.status == 0
    assert result.lines[1:] == ["  no batches yet"]
    assert status("--json").out == ""


def test_a_narrow_terminal_has_the_batch_below(sandbox, status, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    sandbox.run(MESSAGES)
    lines = status().lines
    assert max(map(len, lines[1:])) <= 70
    assert lines[1].endswith("size")
    assert lines[3].startswith("    batch ")


def test_why_a_batch_failed_and_whose_it_is(sandbox, status, client):
    first = client.load(sandbox.dataset_id, [bad(1), bad(2)], enableErrorDiagnostics=True)
    result = status()
    assert result.status == 0
    assert re.search(r"failed +- +2 +707 B", result.out)
    assert "failed: nothing of it is in the dataset" in result.out
    assert re.search(r"\S+ \(2 rows\): ", result.out)
    assert "not made by target-aep, but with the same credential" in result.out
    (batch,) = documents(status("--json"))
    assert (batch["id"], batch["rows"], batch["commit"]) == (first, None, None)
    assert any(error["rows"] == 2 for error in batch["errors"])


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ("loading", "open: its files are being uploaded"),
        ("processing", "on its way: complete"),
        ("retrying", "tries again after a fault of its own"),
        ("stalled", "ask Adobe's support"),
        ("aborted", "given up by the program"),
        ("abandoned", "never completed"),
        ("inactive", "was reverted or replaced"),
        ("archived", "archived"),
        ("somehow", "somehow"),
    ],
)
def test_each_status_in_words(sandbox, status, client, shown, words):
    batch = client.load(sandbox.dataset_id, [good(1)])
    alter_batches(sandbox, status=shown, completed=None)
    listing, rows = status(), status("--rows", batch)
    assert (listing.status, rows.status) == (0, 0)
    assert words in " ".join(listing.out.split())
    assert words in rows.out


def test_an_attempt_and_what_it_replaces(sandbox, status):
    sandbox.emulator.faults.add(Fault("stalled"))
    sandbox.run(MESSAGES)
    newest, replaced = documents(status("--json"))
    assert newest["attempt"] == 2
    assert newest["replaces"] == [replaced["id"]]
    assert replaced["status"] == "inactive"
    assert f"attempt 2, replaces {replaced['id']}" in " ".join(status().out.split())


def test_the_limit_takes_the_newest_over_pages(sandbox, status, client):
    made = [client.create(sandbox.dataset_id).json()["id"] for _ in range(3)]
    assert len(documents(status("--json", "--limit", "2"))) == 2
    assert {batch["id"] for batch in documents(status("--json"))} == set(made)


def test_more_than_a_page(sandbox, status):
    def alter(request, ask):
        if request.path != CATALOG:
            return ask()
        start, limit = int(request.args["start"]), int(request.args["limit"])
        assert limit <= 100
        shown = {f"b{n}": {"status": "success"} for n in range(start, min(start + limit, 130))}
        return Response(json.dumps(shown))

    sandbox.front.alter = alter
    assert len(documents(status("--json", "--limit", "500"))) == 130
    assert len(documents(status("--json", "--limit", "120"))) == 120


def test_datasets_of_all_streams_once(sandbox, status):
    box = {"events": sandbox.dataset_id, "again": sandbox.dataset_id}
    result = status(dataset_id=None, datasets=box)
    assert result.out.count("Dataset ") == 1


def test_a_dataset_by_name_and_by_option(sandbox, status):
    named = status(dataset_id=None, dataset_name="Mixpanel events")
    chosen = status("--dataset", sandbox.dataset_id, dataset_id=None)
    assert named.out == chosen.out
    assert named.lines[0] == f"Dataset Mixpanel events ({sandbox.dataset_id})"


@pytest.mark.parametrize(
    ("args", "settings", "message"),
    [
        ((), {"dataset_id": None}, "no dataset is named: set dataset_id or dataset_name"),
        ((), {"dataset_id": None, "dataset_name": "x"}, "is called 'x'"),
        ((), {"dataset_id": "nope"}, "dataset nope does not exist in this sandbox"),
        (("--dataset", "nope"), {}, "check --dataset and sandbox_name"),
        (("--rows", "nope"), {}, "batch nope does not exist in this sandbox: check its id"),
        ((), {"client_secret": "wrong"}, "IMS refused the credential"),
        ((), {"destination": "local", "dataset_id": None}, "status is about batches in Experience"),
    ],
)
def test_what_cant_be_had_ends_with_1_and_a_line(status, args, settings, message):
    result = status(*args, **settings)
    assert result.status == 1
    assert result.out == ""
    assert message in result.log


def test_rejected_rows_cut_in_the_table_and_whole_in_json(sandbox, status, client):
    rows = [*map(good, range(40)), bad(40), bad(41)]
    body = {"enableErrorDiagnostics": True, "partialIngestionPercent": 50}
    batch = client.load(sandbox.dataset_id, rows, **body)
    result = status("--rows", batch)
    assert result.status == 0
    assert result.lines[0] == f"Batch {batch} is success"
    assert "  2 rejected rows" in result.lines
    assert max(map(len, result.lines)) <= 120
    assert result.lines[-1].endswith("…")
    listed = documents(status("--rows", batch, "--json"))
    assert sorted(each["row"]["_id"] for each in listed) == ["id40", "id41"]
    assert all(each["code"] and each["message"] for each in listed)
    assert all(len(each["row"]["eventType"]) == 300 for each in listed)
    one = status("--rows", batch, "--limit", "1")
    assert one.lines[-1] == "There are more than these 1: --limit shows them"


def test_rows_of_a_batch_that_failed_as_a_whole(sandbox, status, client):
    batch = client.load(sandbox.dataset_id, [bad(1), b"{not json"], enableErrorDiagnostics=True)
    listed = documents(status("--rows", batch, "--json"))
    assert len(listed) == 2
    assert {type(each["row"]) for each in listed} == {dict, str}


def test_rows_that_only_the_failed_listing_has(sandbox, status, client):
    batch = client.load(sandbox.dataset_id, [bad(1)], enableErrorDiagnostics=True)
    match = {"path": f"{META}/batches/{batch}/meta"}
    fault = Fault("status", times=None, match=match, args={"status": 404, "body": {}})
    sandbox.emulator.faults.add(fault)
    result = status("--rows", batch, "--json")
    assert result.status == 0
    assert documents(result)[0]["row"]["_id"] == "id1"


def test_no_rejected_rows(sandbox, status, client):
    batch = client.load(sandbox.dataset_id, [good(1)])
    result = status("--rows", batch)
    assert (result.status, result.lines[-1]) == (0, "  no rejected rows")


def test_diagnostics_that_were_off(sandbox, status, client):
    rows = [*map(good, range(40)), bad(40)]
    batch = client.load(sandbox.dataset_id, rows, partialIngestionPercent=50)
    result = status("--rows", batch)
    assert result.status == 1
    assert "error diagnostics were off for this batch" in result.log
    assert '"enableErrorDiagnostics": true' in result.log


def test_a_batch_whose_diagnostics_are_gone(sandbox, status, client):
    batch = client.load(sandbox.dataset_id, [bad(1)])
    fault = Fault("status", times=None, match={"path": META}, args={"status": 404, "body": {}})
    sandbox.emulator.faults.add(fault)
    alter_batches(sandbox, completed=1_600_000_000_000)
    result = status("--rows", batch)
    assert result.status == 1
    assert "keeps rejected rows for 30 days, and the batch is" in result.log


def test_rows_that_data_access_refuses(sandbox, status, client):
    batch = client.load(sandbox.dataset_id, [bad(1)], enableErrorDiagnostics=True)
    args = {"status": 403, "body": {"error_code": "403025", "message": "Profile is not valid"}}
    sandbox.emulator.faults.add(Fault("status", times=None, match={"path": META}, args=args))
    result = status("--rows", batch)
    assert result.status == 1
    assert "the rejected rows can't be read: GET" in result.log
    assert "role for the sandbox" in result.log


def test_an_answer_that_repeats_secrets_shows_none(sandbox, status, client):
    secret = sandbox.config["client_secret"]
    client.load(sandbox.dataset_id, [good(1)])
    errors = [{"code": "X", "description": f"said {secret}"}, {"code": None}, "text"]
    alter_batches(sandbox, errors=errors, externalId=secret, createdClient=secret)
    for result in (status(), status("--json")):
        assert result.status == 0
        assert secret not in result.out + result.log
        assert "said ***" in result.out


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"metrics": [], "errors": {}, "tags": [], "replay": []},
        {"created": "x", "completed": 1e400, "metrics": {"inputByteSize": "n/a"}},
        {"created": 10**30, "started": -5, "completed": 0, "status": None},
        {"status": "success", "metrics": {"inputRecordCount": 5, "failedRecordCount": 2}},
    ],
)
def test_a_document_with_anything_missing_makes_a_line(document):
    batch = summarise({"id": "b", **document}, Redactor())
    assert len(list(table([batch], 120))) >= 2
    if "metrics" in document and document.get("status"):
        assert batch.rows == 3


@pytest.mark.parametrize(
    ("seconds", "size", "shown"),
    [
        (59, 999, ("59s", "999 B")),
        (61, 1_000, ("1m01s", "1.0 kB")),
        (3_600, 2_500_000, ("1h00m", "2.5 MB")),
        (100_000, 3 * 10**12, ("27h46m", "3.0 TB")),
    ],
)
def test_durations_and_sizes(seconds, size, shown):
    document = {"id": "b", "created": 0, "completed": seconds * 1000, "size": size}
    line = list(table([summarise(document, Redactor())], 120))[1]
    assert all(text in line for text in shown)
