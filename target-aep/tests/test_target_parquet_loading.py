"""`file_format=parquet` from the record to the dataset: what JSON brings in, Parquet does."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone

import pyarrow.parquet as pq
import pytest
from emulators.aep.demo import mixpanel_schema
from emulators.aep.xdm_schema import event_schema, string, struct
from emulators.faults import Fault
from emulators.generator import generate
from target_aep.errors import UnfinishedRunError
from target_aep.loading.json_lines import encode_line
from target_aep.retry.work import retry
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, reached, record, state

PARQUET = {"file_format": "parquet"}
COMPLETE = {"method": "POST", "query": {"action": "COMPLETE"}}
UPLOAD = {"method": "PUT", "path": "/data/foundation/import/batches/"}
MESSAGES = [EVENT_SCHEMA, *map(record, range(40)), state(1)]
PROMPT = 120
KILLED = -9


def rows_of(sandbox, dataset=None):
    return list(sandbox.emulator.inspection.rows(dataset or sandbox.dataset_id))


def soon():
    """A time that the target lets pass and Experience Platform does not."""
    return (datetime.now(timezone.utc) + timedelta(minutes=5)).isoformat()


def formats(client):
    batches = sorted(client.batches().values(), key=lambda batch: batch["created"])
    return [batch["inputFormat"]["format"] for batch in batches]


def another_dataset(sandbox, name, schema):
    schema_id = sandbox.emulator.provisioning.add_schema(schema).id
    return sandbox.emulator.provisioning.add_dataset(name, schema_id).id


def types(value):
    """A value with the types of JSON in the place of its leaves."""
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [types(item) for item in value]
    return "number" if type(value) in (int, float) else type(value).__name__


def test_every_value_is_what_json_brings_in(sandbox, client):
    past = datetime.now(timezone.utc) - timedelta(days=9)
    events = enumerate(generate(11, 3, 300, now=past))
    records = [
        record(number, event_name=event["event"], properties=event["properties"])
        for number, event in events
    ]
    records[0]["record"]["properties"]["$city"] = "a\ud800b\u2028\x7f\x00"
    messages = [EVENT_SCHEMA, *records, state(1)]
    other = another_dataset(sandbox, "JSON", mixpanel_schema("_acmeretail"))
    assert sandbox.run(messages, dataset_id=other).error is None
    assert sandbox.run(messages, **PARQUET).error is None
    assert formats(client) == ["json", "parquet"]
    expected = {row["_id"]: row for row in rows_of(sandbox, other)}
    found = {row["_id"]: row for row in rows_of(sandbox)}
    assert len(expected) == len(records)
    assert found == expected
    assert types(found) == types(expected)
    size = {
        batch["inputFormat"]["format"]: batch["metrics"]["inputByteSize"]
        for batch in client.batches().values()
    }
    assert size["parquet"] < size["json"] / 4


def test_rows_that_experience_platform_refuses_are_in_the_dead_letters(sandbox, letters):
    late = [record(number, time=soon()) for number in range(100, 102)]
    messages = [EVENT_SCHEMA, *map(record, range(60)), *late, state(1)]
    outcome = sandbox.run(messages, **PARQUET)
    assert outcome.states == reached(1)
    assert outcome.error is None
    assert {letter["record"]["event_id"] for letter in letters()} == {"id100", "id101"}
    assert sandbox.summary()["rows"] == 60


def test_a_batch_that_fails_for_some_rows_is_made_again_without_them(sandbox, letters, client):
    late = [record(number, time=soon()) for number in range(100, 110)]
    outcome = sandbox.run([EVENT_SCHEMA, *map(record, range(60)), *late, state(1)], **PARQUET)
    assert outcome.states == reached(1)
    assert "10 rows are in" in outcome.log
    assert "with Adobe's reasons; the others are loaded again" in outcome.log
    assert len(letters()) == 10
    assert sandbox.summary()["rows"] == 60
    assert formats(client) == ["parquet", "parquet"]


FREE_FORM = event_schema(
    "Free", {"_acmeretail": struct({"free": {"type": "object"}, "typed": string()})}
)
FREE = {
    "mappings": [
        {"sourceType": "ATTRIBUTE", "source": source, "destination": destination}
        for source, destination in {
            "event_id": "_id",
            "time": "timestamp",
            "free": "_${TENANT_ID}.free",
        }.items()
    ]
}


@pytest.mark.parametrize("share", [2, 40])
def test_rows_without_a_place_in_parquet_are_kept_and_can_be_retried(sandbox, letters, share):
    dataset = another_dataset(sandbox, "Free", FREE_FORM)
    free = [record(number, free={"any": [number]}) for number in range(100, 100 + share)]
    messages = [EVENT_SCHEMA, *map(record, range(60)), *free, state(1)]
    settings = {"dataset_id": dataset, "mapping": FREE}
    for _ in range(2):  # a run that is repeated finds them aside
        outcome = sandbox.run(messages, **settings, **PARQUET)
        assert outcome.states == reached(1)
        assert isinstance(outcome.error, UnfinishedRunError) == (share == 40)
    kept = letters()
    assert len(kept) == share
    assert {letter["code"] for letter in kept} == {"LOCAL"}
    reason = "_acmeretail.free: the schema has no such field with a type"
    assert {letter["reason"] for letter in kept} == {reason}
    assert len(rows_of(sandbox, dataset)) == 60
    target = TargetAEP(config={**sandbox.config, **settings})
    retry(target)
    target.abandon()
    assert len(rows_of(sandbox, dataset)) == 60 + share
    assert sandbox.emulator.inspection.summary(dataset)["duplicates"] == 0


def test_nothing_is_sent_where_all_rows_have_no_place(sandbox, letters, client):
    dataset = another_dataset(sandbox, "Free", FREE_FORM)
    messages = [EVENT_SCHEMA, *(record(n, free={"a": n}) for n in range(3)), state(1)]
    outcome = sandbox.run(messages, dataset_id=dataset, mapping=FREE, **PARQUET)
    assert outcome.states == reached(1)
    assert len(letters()) == 3
    assert formats(client) == []


@pytest.mark.parametrize("first", ["json", "parquet"])
@pytest.mark.parametrize("second", ["json", "parquet"])
@pytest.mark.parametrize("match", [UPLOAD, COMPLETE], ids=["upload", "complete"])
def test_a_batch_that_a_run_has_left_counts_in_either_format(sandbox, client, first, second, match):
    refusal = {"status": 403, "body": "no"}
    sandbox.emulator.faults.add(
        Fault("reset", times=None, match=match, after_effect=True)
        if match == COMPLETE
        else Fault("status", times=None, match=match, args=refusal)
    )
    assert sandbox.run(MESSAGES, file_format=first).error is not None
    sandbox.emulator.faults.clear()
    outcome = sandbox.run(MESSAGES, file_format=second)
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert Counter(sandbox.ids()) == Counter({f"id{number}": 1 for number in range(40)})
    assert formats(client) == ([first] if match == COMPLETE else [first, second])


KILLED_WHILE_WRITING = """
import os, signal, sys
from target_aep.loading import parquet_files
from target_aep.__main__ import main
def struck(*_):
    os.kill(os.getpid(), signal.SIGKILL)
parquet_files._Writer.{method} = struck
sys.argv = ["target-aep", "--config", "config.json"]
main()
"""


def target_process(folder, config, code=None):
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    command = ["-c", code] if code else ["-m", "target_aep", "--config", "config.json"]
    lines = "".join(json.dumps(message) + "\n" for message in MESSAGES).encode()
    return subprocess.run(
        [sys.executable, *command],
        input=lines,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        timeout=PROMPT,
        check=False,
    )


@pytest.mark.parametrize("method", ["write", "close"])
def test_a_run_that_is_killed_while_it_writes_parquet_is_repeated(sandbox, tmp_path, method):
    config = {**sandbox.config, **PARQUET}
    killed = target_process(tmp_path, config, KILLED_WHILE_WRITING.format(method=method))
    assert killed.returncode == KILLED
    assert killed.stdout == b""
    assert rows_of(sandbox) == []
    finished = target_process(tmp_path, config)
    assert finished.returncode == 0, finished.stderr
    assert [json.loads(line) for line in finished.stdout.splitlines()] == reached(1)
    assert Counter(sandbox.ids()) == Counter({f"id{number}": 1 for number in range(40)})
    assert [path for path in tmp_path.glob("target-aep-*") if path.is_dir()] == []


@pytest.fixture
def local(tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps(mixpanel_schema("_acmeretail")), "utf-8")
    return {"destination": "local", "schema_path": "schema.json"}


def test_local_files_are_those_that_would_be_uploaded(sandbox, tmp_path, local):
    finished = target_process(tmp_path, {**local, **PARQUET})
    assert finished.returncode == 0, finished.stderr
    (path,) = tmp_path.glob("aep-output/events/*/[!.]*")
    assert path.name == "events-00001.parquet"
    sent = []
    sandbox.front.alter = lambda request, ask: _keep(request, sent) or ask()
    assert sandbox.run(MESSAGES, **PARQUET).error is None
    assert sent == [path.read_bytes()]
    assert b"1 files" in finished.stderr
    assert f'"outputBytes": {path.stat().st_size}'.encode() in finished.stderr


def _keep(request, sent):
    if request.method == "PUT":
        sent.append(request.get_data())
        request.environ["wsgi.input"] = io.BytesIO(sent[-1])


@pytest.mark.parametrize("first", ["json", "parquet"])
def test_a_local_batch_of_either_format_is_found_again(tmp_path, local, first):
    assert target_process(tmp_path, {**local, "file_format": first}).returncode == 0
    second = "json" if first == "parquet" else "parquet"
    finished = target_process(tmp_path, {**local, "file_format": second})
    assert finished.returncode == 0, finished.stderr
    assert b"of an earlier run holds these records" in finished.stderr
    (path,) = tmp_path.glob("aep-output/events/*/[!.]*")
    assert path.suffix == f".{first}"
    assert [json.loads(line) for line in finished.stdout.splitlines()] == reached(1)


def test_parquet_without_a_schema_is_refused_with_the_way_out(tmp_path):
    finished = target_process(tmp_path, {"destination": "local", **PARQUET})
    assert finished.returncode == 1
    assert b"set schema_path to the file" in finished.stderr
    assert not (tmp_path / "aep-output").exists()


MEASURED = r"""
import json, re, sys
from pathlib import Path
from target_aep.loading.parquet_files import write_parquet
from target_aep.xdm.schema import parse_schema
files = [Path(name) for name in sys.argv[2:]]
write_parquet(files, parse_schema(json.loads(Path(sys.argv[1]).read_text())), Path("."), 200 << 20)
print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_memory_does_not_grow_with_the_commit(tmp_path):
    few, many = tmp_path / "few-00001.json", tmp_path / "many-00001.json"
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(mixpanel_schema("_acmeretail")), "utf-8")
    rest = {f"property {number}": f"{number}" * 50 for number in range(40)}
    row = {"_id": "x", "_acmeretail": {"mixpanel": {"otherProperties": rest}}}
    few.write_bytes(encode_line(row) * (70_000_000 // len(encode_line(row))))
    many.write_bytes(few.read_bytes() * 2)
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURED, schema, name],
                cwd=tmp_path,
                capture_output=True,
                check=True,
                timeout=PROMPT,
            ).stdout
        )
        for name in (few.name, many.name)
    ]
    assert peaks[1] < peaks[0] * 1.15
    assert peaks[1] < 260_000
    assert pq.read_metadata(tmp_path / "many-00001.parquet").num_row_groups == 5
