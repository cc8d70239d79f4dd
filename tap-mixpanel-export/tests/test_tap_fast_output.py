"""Records that are written many at once are those that the SDK would have written one by one."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from emulators.generator import generate
from emulators.generator.quirks import Quirks
from tap_mixpanel_export import spool
from tap_mixpanel_export.framing import helper_pool, queue
from tap_mixpanel_export.line_writer import LineWriter
from tap_mixpanel_export.tap import TapMixpanelExport

QUIRKS = Quirks(missing_insert_id=0.1, nested=0.3, mixed_types=0.2, duplicates=0.1, unstamped=0.05)
PACIFIC = {"event_time_basis": "project", "project_timezone": "America/Los_Angeles"}
ONE_BY_ONE = {"exclude_properties": ["no property has this name"]}


@pytest.fixture
def quirky(make_world, event):
    """A project with all oddities, some of which arrive late."""
    world = make_world(time_basis="project", zone="America/Los_Angeles")
    world.clock.set(datetime(2024, 4, 12, tzinfo=timezone.utc).timestamp())
    now = datetime(2024, 4, 11, tzinfo=timezone.utc)
    options = {"basis": "project", "zone": "America/Los_Angeles", "quirks": QUIRKS}
    world.add(*generate(7, 5, 80, start=date(2024, 4, 4), now=now, **options))
    late = "2024-04-12T08:00:00"
    world.add(*(event(f"late{n}", f"2024-04-0{n}T10:00:00", arrived=late) for n in range(4, 9)))
    return world


@pytest.fixture
def output_of(capfd):
    """A function that runs the tap; returns what the process wrote, in lines."""

    def run(world, state=None, **settings):
        for folder in ("requests", "quarantine"):
            shutil.rmtree(world.state_dir / folder, ignore_errors=True)
        tap = world.tap_class()(config=world.config(**settings), state=state)
        assert isinstance(tap.message_writer, LineWriter)
        capfd.readouterr()
        tap.sync_all()
        sys.stdout.flush()
        return capfd.readouterr().out.splitlines()

    return run


def messages(lines):
    """Messages by their kind and content; when a record was made is its own affair."""
    found = [json.loads(line, parse_float=Decimal, object_pairs_hook=exact) for line in lines]
    return [[pair for pair in message if pair[0] != "time_extracted"] for message in found]


def exact(pairs):
    return [(name, value if isinstance(value, list) else _typed(value)) for name, value in pairs]


def _typed(value):
    return type(value).__name__, str(value)


def log_of(caplog):
    """The log's lines without what is of the moment."""
    lines = [
        re.sub(r"[\d.]+ s to|about \S+ left|\d+ requests left", "", record.getMessage())
        for record in caplog.records
        if record.name.startswith("tap-mixpanel-export") or "record_count" in record.getMessage()
    ]
    caplog.clear()
    return lines


@pytest.mark.parametrize("helpers", ["none", "two", "two without room on the disk"])
def test_a_run_is_the_same_one_by_one_and_many_at_once(
    quirky, output_of, caplog, monkeypatch, helpers
):
    caplog.set_level(logging.INFO)
    if helpers != "none":
        monkeypatch.setattr(queue, "_AT_HOME_BESIDE", 0)
        monkeypatch.setattr(queue, "_AT_HOME", 0)
        monkeypatch.setattr(queue, "_BLOCK", 10_000)
    if "without" in helpers:
        monkeypatch.setattr(spool, "_MOST_PLAIN", 0)
    quirky.fault("malformed_line", times=None, line='{"event":"a","properties":{}}')
    settings = {
        **PACIFIC,
        "start_date": "2024-04-01",
        "max_window_days": 4,
        "settle_minutes": 0,
        "on_invalid_line": "quarantine",
    }
    begin = quirky.clock.now()
    state = None
    for hours in (0, 12):
        quirky.clock.set(begin + 3600 * hours)
        one_by_one = output_of(quirky, state, workers=1, **settings, **ONE_BY_ONE)
        expected_log = log_of(caplog)
        quirky.clock.set(begin + 3600 * hours)
        many_at_once = output_of(quirky, state, workers=1 if helpers == "none" else 2, **settings)
        assert messages(many_at_once) == messages(one_by_one)
        assert log_of(caplog) == expected_log
        assert any("duplicates dropped" in line for line in expected_log)
        state = json.loads(many_at_once[-1])["value"]
    kinds = [json.loads(line)["type"] for line in many_at_once]
    assert 0 < kinds.count("RECORD") <= 5  # those that arrived late
    assert quirky.leftovers() == []


def test_a_window_whose_helper_dies_is_asked_for_again(quirky, output_of, caplog, monkeypatch):
    monkeypatch.setattr(queue, "_AT_HOME_BESIDE", 0)
    monkeypatch.setattr(queue, "_AT_HOME", 0)
    monkeypatch.setattr(queue, "_BLOCK", 10_000)
    program, broken = helper_pool._program(), ["raise SystemExit(3)"] * 2
    monkeypatch.setattr(helper_pool, "_program", lambda: broken.pop() if broken else program)
    settings = {**PACIFIC, "start_date": "2024-04-01", "settle_minutes": 0, "max_window_days": 30}
    now = quirky.clock.now()
    lines = output_of(quirky, None, workers=2, **settings)
    quirky.clock.set(now)  # before the waits
    assert "a helper process has ended unexpectedly (exit code 3)" in caplog.text
    assert broken == []
    assert messages(lines) == messages(output_of(quirky, None, workers=1, **settings))
    assert quirky.leftovers() == []


@pytest.fixture
def writes_lines(world):
    """A function that tells whether a run writes many records at once."""

    def tell(catalog=None, **settings):
        settings = {name: value for name, value in settings.items() if value is not None}
        tap = world.tap_class()(config=world.config(**settings), catalog=catalog)
        return tap.streams["events"].writes_lines

    return tell


def catalog_without(*path):
    catalog = json.loads(
        json.dumps(TapMixpanelExport(config={}, validate_config=False).catalog_dict)
    )
    (entry,) = catalog["streams"]
    metadata = {"breadcrumb": [*path], "metadata": {"selected": False}}
    entry["metadata"] = [m for m in entry["metadata"] if m["breadcrumb"] != [*path]] + [metadata]
    return catalog


def test_records_are_written_many_at_once_unless_something_is_done_with_them(writes_lines):
    assert writes_lines()
    assert writes_lines(TapMixpanelExport(config={}, validate_config=False).catalog_dict)
    assert not writes_lines(exclude_properties=["$email"])
    assert not writes_lines(stream_maps={"events": {"__alias__": "other"}})
    assert not writes_lines(stream_maps={"events": {"__filter__": "event_name == 'a'"}})
    assert not writes_lines(stream_maps={"events": {}})
    assert not writes_lines(catalog_without())
    assert not writes_lines(catalog_without("properties", "device_id"))
    assert not writes_lines(catalog_without("properties", "properties", "properties", "$email"))


def test_a_record_limit_is_kept(world, event, capfd):
    world.add(*(event(str(n), "2024-03-18T10:00:00") for n in range(5)))
    tap = world.tap_class()(config=world.config())
    assert tap.run_connection_test()
    assert capfd.readouterr().out.count('"RECORD"') == 1


def test_lines_follow_what_was_written_before(capfd):
    writer = LineWriter()
    lines = b"".join(b'{"n":%d,"pad":"%s"}\n' % (n, b"x" * 3000) for n in range(100))
    sys.stdout.write("before\n")
    writer.write_lines(lines)
    sys.stdout.write("after\n")
    sys.stdout.flush()
    assert capfd.readouterr().out == f"before\n{lines.decode()}after\n"


def test_lines_go_where_stdout_was_led(capfd):
    writer = LineWriter()
    writer.write_lines(b"one\n")
    with contextlib.redirect_stdout(io.StringIO()) as kept:
        writer.write_lines('{"city":"S\u00e3o Paulo"}\n'.encode())
    writer.write_lines(b"three\n")
    assert kept.getvalue() == '{"city":"S\u00e3o Paulo"}\n'
    assert capfd.readouterr().out == "one\nthree\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_helpers_end_with_the_tap_and_leave_nothing(world, event, tmp_path, number):
    pad = "x" * 4000
    world.add(*(event(f"e{n}", "2024-03-18T10:00:00", pad=pad) for n in range(4000)))
    world.add(*(event(f"f{n}", "2024-03-19T10:00:00", pad=pad) for n in range(4000)))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(world.config(end_date="2024-03-19", workers=2)))
    environment = {name: value for name, value in os.environ.items() if name[:4] != "TAP_"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tap_mixpanel_export", "--config", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    with process:
        assert process.stdout.read(1 << 20)  # the first window is being written out
        helpers = [os.pidfd_open(pid) for pid in _children(process.pid)]
        assert len(helpers) == 2
        process.send_signal(number)
        while process.stdout.read(1 << 20):
            pass
    ended = select.poll()
    for helper in helpers:
        ended.register(helper, select.POLLIN)
    left = {*helpers}
    while left:
        ready = ended.poll(60_000)
        assert ready
        for helper, _ in ready:
            ended.unregister(helper)
            os.close(helper)
            left.discard(helper)
    run = world.run(end_date="2024-03-19")
    assert len(run.ids()) == 8000
    assert world.leftovers() == []


def _children(pid):
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
