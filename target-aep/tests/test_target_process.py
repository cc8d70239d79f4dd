"""The target as a process: how it ends, whatever happens, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from emulators.faults import Fault
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response

LOCAL = {"destination": "local"}
PROMPT = 60
"""Seconds; far less than any wait that a process could be held up by in these tests."""


def start(tmp_path, config, **env):
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "target_aep", "--config", "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, **env},
    )


def run(tmp_path, config, lines, **env):
    with start(tmp_path, config, **env) as process:
        out, err = process.communicate(lines, timeout=PROMPT)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err.decode()


def jsonl(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def errors(log):
    return [line for line in log.splitlines() if "| ERROR" in line]


def hidden(tmp_path):
    return list(tmp_path.glob("aep-output/*/.*"))


CUTS = [record(4, note="grün"), state(2), {"type": "STATE", "value": {"bookmarks": {}}}]


@pytest.mark.parametrize("message", CUTS)
@pytest.mark.parametrize("left", [1, 0.5, -1])
def test_a_line_that_is_cut_means_that_the_tap_died(tmp_path, message, left):
    whole = json.dumps(message, ensure_ascii=False).encode()
    cut = whole[: int(len(whole) * left) if left == 0.5 else left]
    if message == CUTS[0] and left == 0.5:
        cut = whole[: whole.index("ü".encode()) + 1]  # through a character
    lines = jsonl(EVENT_SCHEMA, record(1), state(1), record(2)) + cut
    code, states, log = run(tmp_path, LOCAL, lines)
    assert code == 1
    assert states == reached(1)
    (error,) = errors(log)
    assert "1 records came after the last STATE" in error
    assert "line 5 of the input is not whole: the tap died" in error
    (file,) = tmp_path.glob("aep-output/events/*/events-00001.json")
    assert [json.loads(line)["_id"] for line in file.read_text().splitlines()] == ["id1"]


def test_a_last_line_without_its_newline_is_a_line(tmp_path):
    lines = jsonl(EVENT_SCHEMA, record(1), state(1)).rstrip()
    assert run(tmp_path, LOCAL, lines)[:2] == (0, reached(1))


def test_an_error_that_nobody_foresaw_is_one_line(tmp_path):
    config = {**LOCAL, "stream_maps": {"events": {"x": "datetime"}}, "stream_map_config": {}}
    lines = jsonl(EVENT_SCHEMA, state(0), record(1), state(1))
    code, states, log = run(tmp_path, config, lines)
    assert code == 1
    assert states == reached(0)
    (error,) = errors(log)
    assert "line 3 of the input: " in error
    assert "Traceback" not in log
    assert not hidden(tmp_path)
    assert "Traceback" in run(tmp_path, config, lines, TARGET_AEP_LOGLEVEL="DEBUG")[2]


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"x": "1 / 0"}, "line 3 of the input: stream_maps: the expression 1 / 0 failed on the"),
        ({"x": "int(distinct_id)"}, "on the record: ValueError; mend it so that it holds for"),
        ({"x": "nobody + 1"}, "the expression nobody + 1 failed on the record: NameNotDefined"),
        ({"__filter__": "int(distinct_id)"}, "the expression int(distinct_id) failed"),
        ({"x": "bad ("}, "line 1 of the input: stream_maps: Failed to parse expression bad ("),
        ({"x": ""}, "stream_maps: can't be used for the stream 'events' (IndexError"),
        ({"__else__": "x"}, "stream_maps.events: this object has a form that is not known"),
    ],
)
def test_a_mistake_in_the_stream_maps_names_them_and_no_value(tmp_path, maps, words):
    config = {**LOCAL, "stream_maps": {"events": maps}}
    lines = jsonl(EVENT_SCHEMA, state(0), record(1, distinct_id="ada@example.org"), state(1))
    code, states, log = run(tmp_path, config, lines)
    assert code == 1
    assert states in (reached(0), [])
    assert words in errors(log)[0]
    assert "ada" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("stays", ["waits", "hangs"])
def test_an_upload_under_way_does_not_hold_up_the_end(sandbox, tmp_path, stays):
    second = threading.Event()

    def alter(request, ask):
        if request.method != "PUT":
            return ask()
        if not request.path.endswith("00001.json"):
            second.set()
            if stays == "waits":
                return Response("", status=429, headers={"Retry-After": "600"})
            sandbox.emulator.faults.add(Fault("hang", args={"seconds": 600}))
            return ask()
        second.wait(PROMPT)  # both are under way before one is refused
        return Response("no", status=403)

    sandbox.front.alter = alter
    lines = jsonl(EVENT_SCHEMA, *map(record, range(40)), state(1))
    code, states, log = run(tmp_path, {**sandbox.config, "file_max_bytes": 4000}, lines)
    assert (code, states) == (1, [])
    assert len(errors(log)) == 1
    assert sandbox.summary()["batches"] == {"aborted": 1}


def test_a_closed_stdout_ends_with_one_line(tmp_path):
    with start(tmp_path, LOCAL) as process:
        process.stdout.close()
        process.stdin.write(jsonl(EVENT_SCHEMA, record(1), state(1)))
        process.stdin.close()
        log = process.stderr.read().decode()
        assert process.wait(PROMPT) == 1
    (error,) = errors(log)
    assert "can't write to stdout" in error
    assert "Traceback" not in log
    assert "Exception ignored" not in log


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, by Linux")
def test_a_stdout_on_a_full_disk_ends_with_one_line_too(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LOCAL), "utf-8")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "target_aep", "--config", "config.json"],
            input=jsonl(EVENT_SCHEMA, record(1), state(1)),
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            timeout=PROMPT,
            check=False,
        )
    assert ended.returncode == 1
    (error,) = errors(ended.stderr.decode())
    assert "can't write to stdout" in error
    assert "No space left on device" in error


def test_a_signal_leaves_no_hidden_folder(tmp_path):
    with start(tmp_path, LOCAL) as process:
        process.stdin.write(jsonl(EVENT_SCHEMA, record(1), record(2, event_id=None)))
        process.stdin.flush()
        assert any(b"can't become valid XDM" in line for line in process.stderr)
        assert hidden(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PROMPT) == 143
    assert not hidden(tmp_path)


def test_a_failure_leaves_no_hidden_folder(tmp_path):
    code, _, _ = run(tmp_path, LOCAL, jsonl(EVENT_SCHEMA, record(1)) + b"oops\n")
    assert code == 1
    assert not hidden(tmp_path)


def test_netrc_is_never_used_and_a_proxy_is(sandbox, tmp_path):
    seen = []

    def alter(request, ask):
        seen.append((request.path, request.headers.get("Authorization"), request.host))
        return ask()

    sandbox.front.alter = alter
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("default login joe password hunter2\n")
    (home / ".netrc").chmod(0o600)
    proxy = sandbox.config["platform_url"]
    config = {**sandbox.config, "platform_url": "http://platform.invalid"}
    env = {"HOME": str(home), "HTTP_PROXY": proxy, "http_proxy": proxy, "NO_PROXY": "127.0.0.1"}
    code, states, log = run(tmp_path, config, jsonl(EVENT_SCHEMA, record(1), state(1)), **env)
    assert (code, states) == (0, reached(1)), log
    sent = {path: authorization for path, authorization, _ in seen}
    assert sent.pop("/ims/token/v3") is None
    assert all(authorization.startswith("Bearer ") for authorization in sent.values())
    assert {host for path, _, host in seen if "/data/" in path} == {"platform.invalid"}


@pytest.mark.parametrize("where", ["PUT", "/ims/"])
def test_a_server_that_repeats_secrets_does_not_get_them_logged(sandbox, tmp_path, where):
    tokens = []

    def alter(request, ask):
        if where in (request.method, request.path[:5]):
            said = f"{dict(request.headers)}\n{request.get_data().decode()}"
            return Response(json.dumps({"message": said, "error": said}), status=403)
        answer = ask()
        if "/ims/" in request.path:
            tokens.append(json.loads(answer.get_data())["access_token"])
        return answer

    sandbox.front.alter = alter
    lines = jsonl(EVENT_SCHEMA, record(1), state(1))
    code, _, log = run(tmp_path, sandbox.config, lines, TARGET_AEP_LOGLEVEL="DEBUG")
    assert code == 1
    assert "***" in log
    secrets = [sandbox.config[name] for name in ("client_id", "client_secret", "org_id")]
    used = tokens if where == "PUT" else []
    assert not [secret for secret in (*secrets, *used) if secret in log]


EARLY_SIGNAL = """
import builtins, os, signal
import {package}.__main__ as command

real_import = builtins.__import__

def signalled(name, *args, **kwargs):
    if name == "{module}":
        os.kill(os.getpid(), signal.{name})
    return real_import(name, *args, **kwargs)

builtins.__import__ = signalled
command.main()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_comes_while_it_starts_ends_it(name):
    code = EARLY_SIGNAL.format(package="target_aep", module="target_aep.target", name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 128 + signal.Signals[name]
    assert done.stderr == b""
