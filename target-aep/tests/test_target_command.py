"""The command itself, as a process: settings, input mistakes, signals, secrets."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from emulators.faults import Fault
from singer_sdk.exceptions import ConfigValidationError
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, reached, record, state

LOCAL = {"destination": "local"}
PLATFORM = {
    "client_id": "id",
    "client_secret": "a-secret-value",
    "org_id": "X@AdobeOrg",
    "dataset_id": "d",
    "ims_url": "http://127.0.0.1:9",
    "platform_url": "http://127.0.0.1:9",
}


CLASH = [
    {"sourceType": "STATIC", "source": "a", "destination": "b"},
    {"source": "c", "destination": "b.d"},
]


def command(tmp_path, config):
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    return [sys.executable, "-m", "target_aep", "--config", "config.json"]


def run(tmp_path, config, lines="", env=None):
    return subprocess.run(
        command(tmp_path, config),
        input=lines,
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, **(env or {})},
        timeout=60,
        check=False,
    )


def jsonl(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages)


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


BATCH = {
    "type": "BATCH",
    "stream": "events",
    "encoding": {"format": "jsonl"},
    "manifest": ["file:///none/a%20b"],
}


def errors(result):
    return [line for line in result.stderr.splitlines() if "| ERROR" in line]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({**PLATFORM, "colour": "red"}, "colour"),
        ({**PLATFORM, "destination": "cloud"}, "cloud"),
        ({**PLATFORM, "batch_max_bytes": 0}, "batch_max_bytes"),
        ({**PLATFORM, "file_max_bytes": 256_000_000}, "file_max_bytes: must stay under 256 MB"),
        ({**PLATFORM, "max_rejected_percent": 101}, "max_rejected_percent"),
        ({**PLATFORM, "client_secret": None}, "client_secret: needed"),
        ({**PLATFORM, "org_id": "X"}, "org_id: must end in @AdobeOrg"),
        ({**PLATFORM, "sandbox_name": "Prod"}, "sandbox_name"),
        ({**PLATFORM, "dataset_id": None}, "dataset_id: set"),
        ({**PLATFORM, "dataset_name": "n"}, "not both"),
        ({**PLATFORM, "platform_url": "platform.adobe.io"}, "platform_url: must be a URL"),
        ({**PLATFORM, "ims_url": "https://user:pass@host"}, "ims_url: must be a URL"),
        ({**PLATFORM, "mapping": "none.json"}, "mapping: can't read the file none.json"),
        ({**PLATFORM, "mapping": "config.json"}, "mapping: mapping set config.json"),
        ({**PLATFORM, "mapping": "text.txt"}, "mapping: the file text.txt is not JSON"),
        ({**PLATFORM, "mapping": "{"}, "mapping: the text in it is not JSON"),
        ({**PLATFORM, "mapping": [{"source": "a"}]}, "mapping: mapping set inline, mapping 1:"),
        ({**PLATFORM, "mapping": CLASH}, "mapping: mapping set inline, mapping 2: destination"),
        ({**PLATFORM, "mapping": [{"source": "a[", "destination": "b"}]}, "mapping: mapping set"),
        ({**PLATFORM, "mapping": '{"a":' * 50_000}, "mapping: the text in it is not JSON"),
        ({**PLATFORM, "identities": [{"field": "a"}]}, "namespace"),
        ({**PLATFORM, "identities": [{"field": "a[", "namespace": "N"}]}, "identities: entry 1"),
        ({**PLATFORM, "client_secret": 123456789}, "client_secret: must be a text, in quotes"),
        ({**PLATFORM, "client_id": ["123456789"]}, "client_id: must be a text, in quotes"),
        ({**PLATFORM, "org_id": {"a": "123456789"}}, "org_id: must be a text, in quotes"),
        ({**PLATFORM, "dead_letter_path": "text.txt/x"}, "dead_letter_path: the folder"),
        ({**PLATFORM, "ingestion": "streaming"}, "ingestion: streaming is not available"),
        ({**LOCAL, "file_format": "parquet"}, "file_format: parquet takes the types of its"),
        ({**LOCAL, "local_path": "text.txt"}, "local_path: the folder text.txt"),
        ({**LOCAL, "schema_path": "none.json"}, "schema_path: can't read none.json"),
        ({**LOCAL, "schema_path": "text.txt"}, "schema_path: text.txt is not JSON"),
        ({**LOCAL, "schema_path": "config.json"}, "schema_path: config.json"),
    ],
)
def test_a_mistake_in_the_settings_is_one_line_that_names_it(tmp_path, monkeypatch, config, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("no json", "utf-8")
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ConfigValidationError) as refusal:
        TargetAEP(config=config)
    (line,) = refusal.value.errors
    assert words in line
    assert "\n" not in line
    assert "a-secret-value" not in line
    assert "123456789" not in line


def test_mistakes_in_the_settings_end_the_process_before_any_request(tmp_path):
    config = {**PLATFORM, "org_id": "X", "mapping": "none.json"}
    result = run(tmp_path, config, jsonl(EVENT_SCHEMA, record(1)))
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "a-secret-value" not in result.stderr
    first, second, _ = errors(result)
    assert "org_id: must end in @AdobeOrg" in first
    assert "mapping: can't read the file none.json" in second


@pytest.mark.parametrize("content", [None, "no json"])
def test_a_config_file_that_can_not_be_read(tmp_path, content):
    if content:
        (tmp_path / "config.json").write_text(content, "utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "target_aep", "--config", "config.json"],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "--config" in result.stderr


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (jsonl(EVENT_SCHEMA) + '{"type": "RECORD"\n', "line 2 of the input: not JSON"),
        (jsonl(EVENT_SCHEMA, [1]), "line 2 of the input: not a Singer message"),
        (jsonl(EVENT_SCHEMA, {"stream": "x"}), "line 2 of the input: a message without type"),
        (jsonl(record(1)), "line 1 of the input: A record for stream 'events'"),
        (jsonl(EVENT_SCHEMA, {"type": "RECORD", "stream": "events"}), "without record"),
        (jsonl({**record(1), "record": None}), "a RECORD whose record is not an object"),
        (jsonl({**record(1), "record": [1]}), "a RECORD whose record is not an object"),
        (jsonl({**record(1), "stream": ["events"]}), "a RECORD whose stream is not a text"),
        (jsonl({"type": ["RECORD"]}), "a message whose type is not a text"),
        (jsonl({**EVENT_SCHEMA, "schema": None}), "a SCHEMA whose schema is not an object"),
        (jsonl({**EVENT_SCHEMA, "schema": "x"}), "a SCHEMA whose schema is not an object"),
        (jsonl({**EVENT_SCHEMA, "schema": {"properties": None}}), "properties is not an object"),
        (jsonl({**EVENT_SCHEMA, "schema": {}}), "without properties"),
        (jsonl({**EVENT_SCHEMA, "key_properties": "id"}), "not a list of texts"),
        (jsonl({"type": "STATE", "value": None}), "a STATE whose value is not an object"),
        (jsonl(state(deep(500))), "line 1 of the input: a STATE that is nested too deeply"),
        (jsonl({**BATCH, "encoding": None}), "a BATCH whose encoding is not an object"),
        (jsonl({**BATCH, "manifest": [1]}), "a BATCH whose manifest is not a list of texts"),
        (jsonl({**BATCH, "encoding": {"format": "parquet"}}), "format 'parquet' are not available"),
        (jsonl({**BATCH, "encoding": {}}), "format None are not available"),
        (jsonl({**BATCH, "encoding": {"format": "jsonl", "compression": "xz"}}), "only gzip"),
        (jsonl(BATCH), "BATCH file file:///none/a%20b can't be read: No such file or directory"),
        (jsonl({**BATCH, "manifest": ["odd://x/y"]}), "BATCH file odd://x/y can't be read"),
        ("\xff\n".encode("latin-1"), "line 1 of the input: not JSON"),
        ('{"a":' * 50_000 + "\n", "line 1 of the input: nested too deeply"),
        (jsonl(EVENT_SCHEMA, {"type": "ODD"}), "unknown message type 'ODD'"),
        (jsonl({"type": "SCHEMA", "stream": "events"}), "line 1 of the input: a SCHEMA without"),
        (jsonl(EVENT_SCHEMA, {"type": "STATE"}), "a STATE without value"),
    ],
)
def test_a_mistake_in_the_input_names_its_line(tmp_path, monkeypatch, capsys, lines, words):
    monkeypatch.chdir(tmp_path)
    target = TargetAEP(config=LOCAL)
    content = lines if isinstance(lines, bytes) else lines.encode()
    with pytest.raises(Exception, match=r".") as mistake:
        target.listen(io.BytesIO(content))
    assert words in target.explain(mistake.value)
    target.abandon()
    assert capsys.readouterr().out == ""


def test_what_came_after_the_last_state_before_a_bad_line_is_not_claimed(tmp_path):
    lines = jsonl(EVENT_SCHEMA, state(0), record(1), state(1), record(2)) + "oops secret\n"
    result = run(tmp_path, LOCAL, lines + jsonl(record(3), state(3)))
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    (line,) = errors(result)
    assert "line 6 of the input: not JSON" in line
    assert "1 records came after the last STATE" in result.stderr
    assert "secret" not in result.stderr
    assert [json.loads(line) for line in result.stdout.splitlines()] == reached(0, 1)
    (file,) = tmp_path.glob("aep-output/events/*/events-00001.json")
    assert [json.loads(row)["_id"] for row in file.read_text("utf-8").splitlines()] == ["id1"]


def test_local_writes_the_files_and_then_the_state(tmp_path):
    result = run(tmp_path, LOCAL, jsonl(EVENT_SCHEMA, record(1), record(2), state(1)))
    assert result.returncode == 0, result.stderr
    assert [json.loads(line) for line in result.stdout.splitlines()] == reached(1)
    (file,) = tmp_path.glob("aep-output/events/*/events-00001.json")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [row["_id"] for row in rows] == ["id1", "id2"]
    assert not list(tmp_path.glob("aep-output/events/.*"))


def test_settings_come_from_the_environment_too(tmp_path):
    env = {
        "TARGET_AEP_DESTINATION": "local",
        "TARGET_AEP_LOCAL_PATH": "there",
        "TARGET_AEP_MAX_REJECTED_PERCENT": "0.5",
    }
    result = subprocess.run(
        [sys.executable, "-m", "target_aep", "--config", "ENV"],
        input=jsonl(EVENT_SCHEMA, record(1)),
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, **env},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.glob("there/events/*/events-00001.json"))


def test_messages_come_from_a_file_too(tmp_path):
    (tmp_path / "in.jsonl").write_text(jsonl(EVENT_SCHEMA, record(1)), "utf-8")
    result = subprocess.run(
        [*command(tmp_path, LOCAL), "--input", "in.jsonl"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("where", ["reading", "waiting for the promotion"])
def test_a_signal_claims_nothing(sandbox, tmp_path, signum, code, where):
    config = {**sandbox.config}
    if where == "waiting for the promotion":
        sandbox.emulator.faults.add(Fault("slow", args={"steps": 1_000_000}))
    with subprocess.Popen(
        command(tmp_path, config),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        encoding="utf-8",
    ) as process:
        process.stdin.write(jsonl(EVENT_SCHEMA, state(0), record(1), state(1)))
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == reached(0)[0]
        if where == "waiting for the promotion":
            process.stdin.close()
            for line in process.stderr:
                if "is staging" in line:
                    break
        process.send_signal(signum)
        assert process.stdout.read() == ""
        assert process.wait(20) == code


def test_no_secret_reaches_the_output_at_debug_level(sandbox, tmp_path):
    sandbox.emulator.faults.add(Fault("throttle"), Fault("expired_token", skip=3))
    result = run(
        tmp_path,
        sandbox.config,
        jsonl(EVENT_SCHEMA, record(1), state(1)),
        env={"TARGET_AEP_LOGLEVEL": "DEBUG"},
    )
    assert result.returncode == 0, result.stderr
    assert "emulator-secret" not in result.stdout + result.stderr
    assert "Bearer" not in result.stderr


def test_the_readme_shows_the_settings_as_about_does():
    about = json.loads(
        subprocess.run(
            [sys.executable, "-m", "target_aep", "--about", "--format", "json"],
            capture_output=True,
            check=True,
        ).stdout
    )
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    for name, setting in about["settings"]["properties"].items():
        if name.startswith("stream_map"):
            continue
        assert f"| `{name}` " in readme
        assert setting["description"] in readme
    secrets = {name for name, s in about["settings"]["properties"].items() if s.get("writeOnly")}
    assert secrets == {"client_id", "client_secret", "org_id"}


def test_a_misspelled_command_is_told():
    done = subprocess.run(
        [sys.executable, "-m", "target_aep", "plna"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such command: plna; did you mean plan?" in done.stderr
