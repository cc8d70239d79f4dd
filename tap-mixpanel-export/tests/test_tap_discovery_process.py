"""`--discover` as a process: a catalog on stdout and nothing else, or one line and exit code 1."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.fixture
def command(make_world, event, tmp_path):
    """A function that runs the command; the process lives in real time."""
    world = make_world(real_time=True)
    odd = {"half \ud83d": 1, "": 2, "a.b[0]": 3}
    world.add(event("a", "2024-03-18T10:00:00", **{"$browser": "Safari", **odd}))

    def run(*arguments, **settings):
        dates = {"start_date": "2024-03-18", "end_date": "2024-03-18"}
        config = world.config(**{"app_url": world.url, **dates, **settings})
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        return subprocess.run(
            [sys.executable, "-m", "tap_mixpanel_export", "--config", path, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("layout", ["object", "columns"])
def test_a_catalog_that_the_next_run_takes(command, tmp_path, layout):
    found = command("--discover", properties_layout=layout)
    assert found.returncode == 0
    (tmp_path / "catalog.json").write_text(found.stdout)
    columns = json.loads(found.stdout)["streams"][0]["schema"]["properties"]
    assert ("mp_browser" in columns) == (layout == "columns")
    run = command("--catalog", tmp_path / "catalog.json", properties_layout=layout)
    assert run.returncode == 0
    messages = [json.loads(line) for line in run.stdout.splitlines()]
    (record,) = [each["record"] for each in messages if each["type"] == "RECORD"]
    place = record if layout == "columns" else record["properties"]
    assert place["mp_browser" if layout == "columns" else "$browser"] == "Safari"


def test_a_list_that_cannot_be_had_is_left_out(command):
    found = command("--discover", service_account_secret="wrong-secret")
    assert found.returncode == 0
    listed = json.loads(found.stdout)["streams"][0]["schema"]["properties"]["properties"]
    assert listed["properties"] == {}
    warnings = [line for line in found.stderr.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert "does not list" in warnings[0]
    assert "wrong-secret" not in found.stderr


def test_columns_that_cannot_be_had_end_it_in_one_line(command):
    found = command(
        "--discover", properties_layout="columns", service_account_secret="wrong-secret"
    )
    assert found.returncode == 1
    assert found.stdout == ""
    errors = [line for line in found.stderr.splitlines() if "ERROR" in line]
    assert len(errors) == 1
    assert "check service_account_username and service_account_secret" in errors[0]
    assert "Traceback" not in found.stderr
    assert "wrong-secret" not in found.stderr
