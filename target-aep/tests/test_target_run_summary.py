"""The summary at the end of a run: its line, its file, its numbers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from emulators.faults import Fault
from hypothesis import given
from hypothesis import strategies as st
from target_aep.loading.stream_loading import LoadedBatch
from target_aep.run_summary import Run, RunError, StreamRun, in_words, publish, summarise
from target_messages import EVENT_SCHEMA, record, state

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
MARK = "RUN SUMMARY: "
PROMPT = 60
COUNTS = st.integers(0, 10**6)
BATCHES = st.builds(LoadedBatch, st.text(), COUNTS, COUNTS, COUNTS, st.booleans())
STREAMS = st.builds(
    StreamRun,
    st.text(),
    st.text(),
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    st.lists(BATCHES).map(tuple),
)


def a_run(*streams, error=None):
    return Run(streams, START, 7, Path("letters"), error, START + timedelta(seconds=12.5))


@given(st.lists(STREAMS))
def test_every_number_is_the_sum_over_the_streams(streams):
    summary = summarise(a_run(*streams))
    batches = [batch for stream in streams for batch in stream.batches]
    records = summary["recordSummary"]
    assert records["inputRecordCount"] == sum(stream.received for stream in streams)
    assert records["outputRecordCount"] == sum(stream.loaded for stream in streams)
    assert records["failedRecordCount"] == sum(stream.rejected for stream in streams)
    assert records["createdRecordCount"] == sum(b.rows for b in batches if b.is_new)
    assert summary["sizeSummary"]["outputBytes"] == sum(batch.size for batch in batches)
    assert summary["fileSummary"]["outputFileCount"] == sum(batch.files for batch in batches)
    assert [len(one["batchIds"]) for one in summary["streams"]] == [
        len(stream.batches) for stream in streams
    ]
    json.dumps(summary)


@given(st.lists(STREAMS))
def test_the_records_read_are_those_in_failed_and_skipped(streams):
    summary = summarise(a_run(*streams))
    for counts in (summary["recordSummary"], *summary["streams"]):
        parts = ("outputRecordCount", "failedRecordCount", "skippedRecordCount")
        assert counts["inputRecordCount"] == sum(counts[part] for part in parts)
        skipped = sum(one["details"]["recordCount"] for one in counts["skippedInfo"])
        assert counts["skippedRecordCount"] == skipped


def info(code, message, count):
    return {"code": code, "message": message, "details": {"recordCount": count}}


def test_a_run_has_the_shape_of_a_flow_run():
    batch = LoadedBatch("B1", rows=8, files=1, size=900, is_new=True)
    adopted = LoadedBatch("B0", rows=3, files=1, size=400, is_new=False)
    stream = StreamRun("events", "D", 18, 11, 2, 2, 1, 1, 3, (adopted, batch))
    records = {
        "inputRecordCount": 18,
        "outputRecordCount": 11,
        "createdRecordCount": 8,
        "skippedRecordCount": 5,
        "failedRecordCount": 2,
        "warningRecordCount": 1,
        "skippedInfo": [
            info("REPEATED", "2 records had an _id that their batch had already", 2),
            info(
                "LEFT",
                "3 records are left to the next run: no STATE that was written passes them",
                3,
            ),
        ],
        "failedInfo": [
            info(
                "LOCAL",
                "1 records can't be valid XDM and were not sent; each is in letters with its "
                "reason",
                1,
            ),
            info(
                "PLATFORM",
                "1 records were refused by Experience Platform; each is in letters with its reason",
                1,
            ),
        ],
    }
    assert summarise(a_run(stream, error=RunError("SomeError", "do that"))) == {
        "durationSummary": {"startedAtUTC": 1767225600000, "completedAtUTC": 1767225612500},
        "sizeSummary": {"inputBytes": 7, "outputBytes": 1300},
        "recordSummary": records,
        "fileSummary": {"inputFileCount": 3, "outputFileCount": 2},
        "statusSummary": {
            "status": "failed",
            "errors": [{"code": "SomeError", "message": "do that"}],
        },
        "streams": [
            {
                "stream": "events",
                "datasetId": "D",
                **records,
                "batchIds": ["B0", "B1"],
            }
        ],
    }
    words = in_words(a_run(stream))
    assert "Loaded 11 records in 2 batches, rejected 2, left out 2 that came twice" in words
    assert "left 3 to the next run; 3 of those loaded were in already" in words
    assert "18 records were read in 12 s and 1.3 kB are in as 2 files" in words


def test_a_size_of_a_megabyte_is_one():
    batch = LoadedBatch("B1", rows=8, files=1, size=1_260_000, is_new=True)
    assert "1.3 MB are in" in in_words(a_run(StreamRun("events", batches=(batch,))))


def test_a_file_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    publish({"a": 1}, tmp_path / "file" / "x.json")
    assert "run_summary_path: can't write" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_file_of_the_run_before_is_replaced_and_nothing_else_left(tmp_path):
    path = tmp_path / "new" / "summary.json"
    publish({"a": 1}, path)
    publish({"b": "grün \udcfc"}, path)
    assert json.loads(path.read_text("utf-8"))["b"].startswith("grün")
    assert list(path.parent.iterdir()) == [path]


def start(tmp_path, config):
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "target_aep", "--config", "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=dict(os.environ),
        encoding="utf-8",
    )


def run(tmp_path, config, messages):
    """The exit code, the summary of the log and file, the log; stdout must hold STATEs only."""
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    with start(tmp_path, config) as process:
        out, log = process.communicate(lines, timeout=PROMPT)
    assert all("bookmarks" in json.loads(line) for line in out.splitlines())
    return process.returncode, the_summary(tmp_path, log), log


def the_summary(tmp_path, log, name="target-aep-run-summary.json"):
    (line,) = [line for line in log.splitlines() if MARK in line]
    summary = json.loads(line.partition(MARK)[2])
    assert json.loads((tmp_path / name).read_text("utf-8")) == summary
    return summary


def skipped(summary):
    infos = summary["recordSummary"]["skippedInfo"]
    return {one["code"]: one["details"]["recordCount"] for one in infos}


def records_of(summary):
    return {name: n for name, n in summary["recordSummary"].items() if isinstance(n, int)}


MESSAGES = [
    EVENT_SCHEMA,
    *map(record, range(5)),
    record(4),
    record(5, time="soon"),
    record(6, event_name="x" * 20_000),
    state(1),
]
COUNTED = {
    "inputRecordCount": 8,
    "outputRecordCount": 6,
    "createdRecordCount": 6,
    "skippedRecordCount": 1,
    "failedRecordCount": 1,
    "warningRecordCount": 1,
}


def test_a_run_that_ends_well(sandbox, tmp_path):
    before = time.time() * 1000
    config = {**sandbox.config, "max_rejected_percent": 50}
    code, summary, log = run(tmp_path, config, MESSAGES)
    assert code == 0, log
    assert records_of(summary) == COUNTED
    assert skipped(summary) == {"REPEATED": 1}
    assert summary["statusSummary"] == {"status": "success", "errors": []}
    (failure,) = summary["recordSummary"]["failedInfo"]
    assert (failure["code"], failure["details"]) == ("LOCAL", {"recordCount": 1})
    duration = summary["durationSummary"]
    assert before <= duration["startedAtUTC"] <= duration["completedAtUTC"]
    sent = sum(len(json.dumps(message) + "\n") for message in MESSAGES)
    assert summary["sizeSummary"]["inputBytes"] == sent
    assert summary["sizeSummary"]["outputBytes"] > 20_000
    assert summary["fileSummary"] == {"inputFileCount": 1, "outputFileCount": 1}
    (stream,) = summary["streams"]
    assert stream["datasetId"] == sandbox.dataset_id
    (batch,) = stream["batchIds"]
    assert f"batch {batch} loaded" in log
    assert "Loaded 6 records in 1 batches, rejected 1" in log


def test_a_repeated_run_creates_nothing(sandbox, tmp_path):
    config = {**sandbox.config, "max_rejected_percent": 50}
    _, first, _ = run(tmp_path, config, MESSAGES)
    code, again, log = run(tmp_path, config, MESSAGES)
    assert code == 0
    assert records_of(again) == {**COUNTED, "createdRecordCount": 0}
    assert "6 of those loaded were in already" in log
    assert again["streams"][0]["batchIds"] == first["streams"][0]["batchIds"]


def test_a_local_run_has_a_summary_too(tmp_path):
    path = tmp_path / "runs" / "last.json"
    config = {"destination": "local", "run_summary_path": str(path), "max_rejected_percent": 50}
    lines = "".join(json.dumps(message) + "\n" for message in MESSAGES)
    with start(tmp_path, config) as process:
        _, log = process.communicate(lines, timeout=PROMPT)
    summary = the_summary(tmp_path, log, "runs/last.json")
    assert process.returncode == 0
    assert records_of(summary) == COUNTED
    (file,) = tmp_path.glob("aep-output/*/*/*.json")
    assert summary["sizeSummary"]["outputBytes"] == file.stat().st_size
    assert summary["streams"][0]["datasetId"] is None


def test_a_run_with_complaints_is_a_failed_one_with_right_counts(sandbox, tmp_path):
    code, summary, log = run(tmp_path, {**sandbox.config, "max_rejected_percent": 1}, MESSAGES)
    assert code == 1
    assert records_of(summary) == COUNTED
    assert summary["statusSummary"]["status"] == "failed"
    (error,) = summary["statusSummary"]["errors"]
    assert error["code"] == "UnfinishedRunError"
    assert "max_rejected_percent" in error["message"]
    assert log.count("Loaded 6 records") == 1


def test_a_run_that_fails_says_why_without_secrets(sandbox, tmp_path):
    secret = sandbox.config["client_secret"]
    body = json.dumps({"error": f"invalid_client {secret}"})
    args = {"status": 400, "body": body}
    fault = Fault("status", times=None, match={"path": "/ims/token/v3"}, args=args)
    sandbox.emulator.faults.add(fault)
    code, summary, log = run(tmp_path, sandbox.config, MESSAGES)
    assert code == 1
    (error,) = summary["statusSummary"]["errors"]
    assert error["code"] == "PlatformError"
    assert "check client_id and client_secret" in error["message"]
    assert secret not in log
    assert records_of(summary)["outputRecordCount"] == 0
    assert "Loaded 0 records" in log


def test_a_line_that_is_not_a_message_is_told_of(tmp_path):
    code, summary, _ = run(tmp_path, {"destination": "local"}, [EVENT_SCHEMA, record(1), ["x"]])
    assert code == 1
    assert "line 3 of the input" in summary["statusSummary"]["errors"][0]["message"]
    assert records_of(summary)["inputRecordCount"] == 1
    assert skipped(summary) == {"LEFT": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_an_end_too(tmp_path, number):
    with start(tmp_path, {"destination": "local"}) as process:
        for message in (EVENT_SCHEMA, record(1), record(2, event_id=None)):
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        assert any("can't become valid XDM" in line for line in process.stderr)
        process.send_signal(number)
        _, rest = process.communicate(timeout=PROMPT)
    assert process.returncode == 128 + number
    summary = the_summary(tmp_path, rest)
    (error,) = summary["statusSummary"]["errors"]
    assert error["code"] == signal.Signals(number).name
    assert records_of(summary)["outputRecordCount"] == 0
    assert skipped(summary) == {"LEFT": 2}
    assert "Loaded 0 records in 0 batches" in rest
    assert "left 2 to the next run" in rest


def test_a_folder_that_cannot_be_is_refused_before_anything(tmp_path):
    (tmp_path / "file").write_text("")
    config = {"destination": "local", "run_summary_path": "file/summary.json"}
    with start(tmp_path, config) as process:
        _, log = process.communicate("", timeout=PROMPT)
    assert process.returncode == 1
    assert "run_summary_path: the folder file can't be written" in log
