"""The real command in a process of its own: exit codes, one-line errors, pipes and signals."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

SECRET = "Zr8uVq2LxTn4Pw6y"
USERNAME = "loader.5f3a.mp-service-account"


@pytest.fixture
def started(world, tmp_path):
    """A function that starts the command with settings; all are ended at the test's end."""
    processes = []

    def start(*arguments, level="DEBUG", file_blocks="unlimited", **config):
        path = tmp_path / f"config{len(processes)}.json"
        path.write_text(json.dumps(world.config(**config)))
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("TAP_")
        }
        limited = ["/bin/sh", "-c", f'ulimit -f {file_blocks}; exec "$@"', "sh"]
        process = subprocess.Popen(
            [*limited, sys.executable, "-m", "tap_mixpanel_export", "--config", path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "LOGLEVEL": level},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def many(world, event):
    """More output than a pipe holds."""
    pad = "x" * 2000
    world.add(event("first", "2024-03-18T10:00:00"))
    world.add(*(event(f"e{n}", "2024-03-19T10:00:00", pad=pad) for n in range(400)))
    return world


def messages(text):
    return [json.loads(line) for line in text.splitlines()]


def record_count(err):
    """What the metric of that name says."""
    (line,) = (line for line in err.splitlines() if '"record_count"' in line)
    return json.loads(line[line.index("{") :])["value"]


@pytest.mark.usefixtures("many")
def test_a_run_writes_singer_messages_only_and_no_secret(started):
    process = started(end_date="2024-03-19", user_agent="tester/1")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    kinds = [message["type"] for message in messages(out)]
    assert kinds.count("RECORD") == 401
    assert set(kinds) == {"SCHEMA", "RECORD", "STATE"}
    token = base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode()
    for secret in (SECRET, token, USERNAME):
        assert secret not in out + err
    assert "DEBUG" in err
    assert "from_date" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run_with_the_last_state_true(many, started, number, code):
    process = started(end_date="2024-03-19", level="INFO")
    read = []
    for line in process.stdout:
        read.append(line)
        if "first" not in line and json.loads(line)["type"] == "RECORD":
            break  # the second window is under way, and the pipe is full
    process.send_signal(number)
    out = process.stdout.read()  # communicate() would miss what the loop has read ahead
    err = process.stderr.read()
    assert process.wait(timeout=60) == code
    assert "Traceback" not in err
    written = messages("".join(read) + out)
    records = sum(message["type"] == "RECORD" for message in written)
    assert record_count(err) == records < 401
    state = [message["value"] for message in written if message["type"] == "STATE"][-1]
    assert state["bookmarks"]["events"]["sweep"]["next_day"] == "2024-03-19"
    assert not any(many.state_dir.rglob("*.spool"))
    many.clock.set(time.time())
    resumed = many.run(state, end_date="2024-03-19")
    assert len(resumed.ids()) == 400


def test_an_unexpected_kill_leaves_a_spool_that_the_next_run_removes(many, started):
    process = started(end_date="2024-03-19")
    for line in process.stdout:
        if json.loads(line)["type"] == "RECORD" and "first" not in line:
            break
    process.kill()
    process.wait()
    assert len(many.leftovers()) == 1
    assert many.run(end_date="2024-03-19").error is None
    assert many.leftovers() == []


def test_a_full_disk_is_one_line_and_the_state_stays_true(many, started):
    process = started(end_date="2024-03-19", level="INFO", file_blocks=4)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = error_lines(err)
    assert "state_dir: cannot write to" in line
    state = [message["value"] for message in messages(out) if message["type"] == "STATE"][-1]
    assert state["bookmarks"]["events"]["sweep"]["next_day"] == "2024-03-19"
    assert many.leftovers() == []


@pytest.mark.usefixtures("many")
def test_a_target_that_went_away_ends_the_run_with_one_line(started):
    process = started(end_date="2024-03-19", level="INFO")
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 1
    (line,) = error_lines(err)
    assert line.endswith("stdout was closed by its reader")
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_the_connection_test_reports_to_stdout_and_writes_no_messages(world, started):
    world.clock.set(time.time())
    process = started("--test", level="INFO", app_url=world.url)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    verdicts = [line.split()[0] for line in out.splitlines()]
    assert verdicts == ["ok", "ok", "skip", "warn", "skip", "ok"]
    assert error_lines(err) == []


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"events": {"event_id": None}}, "stream_maps: "),
        ({"events": {"x": "bad syntax ("}}, "stream_maps: Failed to parse expression bad syntax"),
        ({"events": {"x": "nobody + 1"}}, "the expression nobody + 1 failed on the event with"),
        ({"events": {"__key_properties__": ["nope"]}}, "stream_maps: Invalid key properties"),
        ({"events": {"x": 5}}, "stream_maps.events: "),
        ({"events": {"x": "x = 1"}}, "stream_maps: Unexpected mapping type"),
        ({"events": {"x": ""}}, "stream_maps: cannot be set up (IndexError: "),
        ({"events": {"__else__": "x"}}, "stream_maps.events: {'__else__': 'x'} is not valid"),
        ({"event": {"x": "event_name"}}, "no stream is called 'event'; this tap's only stream is"),
        ({"events": {"$email": None}}, "stream_maps.events: there is no column '$email' to take"),
        ({"events": {"x": "1/0"}}, "the expression 1/0 failed on the event with event_id "),
        ({"events": {"x": "int(distinct_id)"}}, "ValueError; mend it so that it holds for every"),
        ({"events": {"x": "properties['nope']"}}, ": KeyError; mend it"),
        ({"events": {"x": "int(properties['$insert_id'])"}}, ": ValueError; mend it"),
        ({"events": {"__filter__": "1/0"}}, ": ZeroDivisionError; mend it"),
    ],
)
@pytest.mark.usefixtures("many")
def test_wrong_stream_maps_are_one_line(started, maps, words):
    process = started(level="INFO", stream_maps=maps)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = error_lines(err)
    assert words in line
    assert "Traceback" not in err
    assert "'ada'" not in err
    assert "'first'" not in err


def test_a_header_that_cannot_be_read_does_not_bring_the_address_into_the_log(started):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = started(
            api_url=f"http://127.0.0.1:{port}",
            end_date="2024-03-18",
            where='properties["email"] == "ada@example.org"',
        )
        connection, _ = listener.accept()
        with connection:
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nNo colon here\r\nContent-Length: 0\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            _, err = process.communicate(timeout=60)
    assert b"ada%40example.org" in received
    assert "from_date" not in err
    assert "example.org" not in err
    assert "Traceback" not in err


def error_lines(err):
    return [line for line in err.splitlines() if "ERROR" in line]


def test_mistakes_are_one_line_each_and_exit_1(world, started):
    process = started(level="INFO", region="XX", start_dat="2024", window_days=0)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert "Traceback" not in err
    lines = error_lines(err)
    for setting in ("region: ", "start_dat: ", "window_days: "):
        assert sum(setting in line for line in lines) == 1
    assert len(lines) == 3
    assert world.requests() == []


def test_a_refusal_is_one_line_and_exit_1(world, started):
    world.refuse(403, {"error": "no permission"}, times=None)
    process = started(level="INFO")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    (line,) = error_lines(err)
    assert "Mixpanel answered 403: no permission; give the account" in line
    assert [message["type"] for message in messages(out)] == ["SCHEMA", "STATE"]


def test_mistakes_with_test_are_lines_too(started):
    process = started("--test", level="INFO", project_id=None)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    (line,) = error_lines(err)
    assert "project_id: is missing" in line


def test_unreadable_files_are_lines_too(started, tmp_path):
    broken = tmp_path / "state.json"
    broken.write_text("{")
    foreign = tmp_path / "foreign.json"
    foreign.write_text('{"bookmarks": {"users": {}}}')
    cases = [
        (("--state", str(broken)), "state.json: is not JSON"),
        (("--catalog", str(broken)), "state.json: is not JSON"),
        (("--state", str(foreign)), "another tap's (it holds users)"),
        (("--config", str(broken)), "state.json: is not JSON"),
        (("--config", str(tmp_path / "none")), "none: cannot be read"),
    ]
    running = [(started(*arguments, level="INFO"), words) for arguments, words in cases]
    for process, words in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert out == ""
        (line,) = error_lines(err)
        assert words in line
        assert "Traceback" not in err


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
    code = EARLY_SIGNAL.format(
        package="tap_mixpanel_export", module="tap_mixpanel_export.tap", name=name
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 128 + signal.Signals[name]
    assert done.stderr == b""
