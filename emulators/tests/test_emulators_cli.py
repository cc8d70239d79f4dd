"""The commands, run as processes."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys

import pytest
import requests
from emulators.mixpanel.cli import DEFAULT_SERVICE_ACCOUNT

MODULE = [sys.executable, "-m", "emulators"]
PROJECT = 1234567
DEFAULT_AUTH = tuple(DEFAULT_SERVICE_ACCOUNT.split(":"))


@contextlib.contextmanager
def emulator_process(*arguments):
    """A Mixpanel emulator process on a free port, and its URL."""
    command = [*MODULE, "mixpanel", "--port", "0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr.readline().startswith("project ")  # how to log in
            line = process.stderr.readline()
            assert line.startswith("mixpanel emulator listening on http://127.0.0.1:"), line
            yield process, line.split()[-1]
        finally:
            process.terminate()


def run(*arguments):
    return subprocess.run(  # noqa: PLW1510 - the tests look at the status
        [*MODULE, *arguments], capture_output=True, timeout=60
    )


def export(url, auth, **parameters):
    return requests.get(f"{url}/api/2.0/export", params=parameters, auth=auth, timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(number):
    with emulator_process() as (process, url):
        requests.post(f"{url}/__emulator__/faults", json={"kind": "hang"}, timeout=5)
        with pytest.raises(requests.ReadTimeout):
            requests.get(
                f"{url}/api/2.0/export",
                params={
                    "project_id": PROJECT,
                    "from_date": "2024-01-01",
                    "to_date": "2024-01-01",
                },
                auth=DEFAULT_AUTH,
                timeout=0.2,
            )
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_adobe_samples_in_a_project_of_pacific_time():
    with emulator_process(
        "--adobe-samples",
        *("--time-basis", "project", "--timezone", "US/Pacific"),
        *("--api-secret", "s1", "--oauth-token", "t1", "--project-id", "7"),
        *("--service-account", "robot:secret"),
    ) as (_, url):
        days = {"from_date": "2022-05-17", "to_date": "2022-05-17"}
        body = export(url, ("s1", ""), **days).text
        assert [json.loads(line)["properties"]["time"] for line in body.splitlines()] == [
            1652825148
        ]
        assert export(url, ("robot", "secret"), project_id=7, **days).text == body
        assert export(url, DEFAULT_AUTH, project_id=7, **days).status_code == 401


def test_generated_events_are_kept_and_not_made_again(tmp_path):
    arguments = ["--generate-days", "2", "--events-per-day", "50", "--seed", "3"]
    arguments += ["--data-dir", str(tmp_path), "--no-limits"]
    counts = []
    for _ in range(2):
        with emulator_process(*arguments) as (_, url):
            count_url = f"{url}/__emulator__/projects/{PROJECT}/events/count"
            counts.append(requests.get(count_url, timeout=5).json()["count"])
    assert counts[0] == counts[1]
    assert 50 <= counts[0] <= 100


def test_limits_by_default():
    with emulator_process() as (_, url):
        day = {"project_id": PROJECT, "from_date": "2024-01-01", "to_date": "2024-01-01"}
        statuses = {export(url, DEFAULT_AUTH, **day).status_code for _ in range(61)}
    assert statuses == {200, 429}


def test_generate_writes_json_lines():
    arguments = ["--days", "2", "--events-per-day", "10", "--start", "2024-01-01"]
    arguments += ["--now", "2024-02-01T00:00:00Z", "--time-basis", "project"]
    result = run("generate", *arguments, "--timezone", "Asia/Kolkata")
    assert (result.returncode, result.stderr) == (0, b"")
    lines = result.stdout.split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line).keys() for line in lines] == [{"event", "properties"}] * 20
    late = run("generate", "--late", "5", "--now", "2024-02-01")
    assert len(late.stdout.splitlines()) == 5


def test_generate_stops_when_nobody_reads():
    command = [*MODULE, "generate", "--days", "1000", "--events-per-day", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["segment"],
        ["mixpanel", "--timezone", "Moon/Crater"],
        ["mixpanel", "--timezone", "/etc/passwd"],
        ["mixpanel", "--service-account", "no-secret"],
        ["mixpanel", "--time-basis", "moon"],
        ["generate", "--start", "yesterday"],
        ["generate", "--now", "later"],
    ],
)
def test_bad_arguments(arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert b"usage:" in result.stderr
    assert b"Traceback" not in result.stderr
