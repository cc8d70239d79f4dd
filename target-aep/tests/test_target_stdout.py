"""A stdout that takes nothing: what is said depends on what is loaded by then; a closed stdin."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from target_messages import EVENT_SCHEMA, record, state

PROMPT = 60
CLOSED = ["sh", "-c", 'exec "$@" >&-', "sh"]
CLOSED_INPUT = ["sh", "-c", 'exec "$@" <&-', "sh"]


def jsonl(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.fixture
def run(tmp_path):
    """Runs the target with a stdout; gives its exit code and its only ERROR line."""
    (tmp_path / "config.json").write_text('{"destination": "local"}', "utf-8")

    def run(lines, stdout=None, shell=()):
        ended = subprocess.run(
            [*shell, sys.executable, "-m", "target_aep", "--config", "config.json"],
            input=lines,
            stdout=stdout,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=tmp_path,
            timeout=PROMPT,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        (error,) = [line for line in ended.stderr.splitlines() if "| ERROR" in line]
        return ended.returncode, error

    return run


@pytest.fixture
def unread():
    """The end of a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


@pytest.mark.skipif(os.name != "posix", reason="closed by a shell")
def test_a_stdout_that_is_closed_at_the_start_is_told_at_once(run, tmp_path):
    code, error = run(jsonl(EVENT_SCHEMA, record(1), state(1)), shell=CLOSED)
    assert code == 1
    assert error.endswith("| stdout is closed: send it to a file or a pipe")
    assert not list(tmp_path.glob("aep-output/**"))


@pytest.mark.skipif(os.name != "posix", reason="closed by a shell")
def test_a_stdin_that_is_closed_at_the_start_is_told_at_once(run):
    code, error = run("", shell=CLOSED_INPUT)
    assert code == 1
    assert error.endswith("| stdin is closed: pipe a tap into it, or name its output with --input")


@pytest.mark.parametrize("opening", [[], [EVENT_SCHEMA]])
def test_an_opening_state_that_is_lost_claims_no_records(run, unread, opening):
    code, error = run(jsonl(*opening, state(0), record(1), state(1)), stdout=unread)
    assert code == 1
    assert "can't write to stdout (Broken pipe), so the STATE is lost. Nothing was loaded" in error
    assert "Errno" not in error


def test_a_later_state_that_is_lost_tells_that_records_are_loaded(run, unread, tmp_path):
    code, error = run(jsonl(EVENT_SCHEMA, record(1), state(1)), stdout=unread)
    assert code == 1
    assert "can't write to stdout (Broken pipe), so the STATE is lost. The records before" in error
    assert list(tmp_path.glob("aep-output/events/*/events-00001.json"))
