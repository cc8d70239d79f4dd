"""A stdout that takes no more, or is not there: one line that says what to do, and exit code 1."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from singer_sdk.singerlib import StateMessage
from tap_mixpanel_export.errors import OutputError
from tap_mixpanel_export.line_writer import LineWriter
from tap_mixpanel_export.stored_lines import StoredLines

FULL = Path("/dev/full")
NO_SPACE = "can't write to stdout (No space left on device)"
RUN_AGAIN = "up to the last whole line counts; free space and run again from the last STATE"
BLOCK = 512  # bytes that `ulimit -f` counts
BLOCKS = 4096  # more than the tap's own files have

needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")


@pytest.fixture
def ran(world, tmp_path):
    """A function that runs the command behind a shell's redirection of stdout."""

    def run(redirection, *arguments, **settings):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(world.config(end_date="2024-03-19", **settings)))
        environment = {name: value for name, value in os.environ.items() if name[:4] != "TAP_"}
        command = [sys.executable, "-m", "tap_mixpanel_export", "--config", path, *arguments]
        return subprocess.run(
            ["/bin/sh", "-c", f'ulimit -f {BLOCKS}; exec "$@" {redirection}', "sh", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**environment, "LOGLEVEL": "INFO"},
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def many(world, event):
    pad = "x" * 2000
    world.add(event("first", "2024-03-18T10:00:00"))
    world.add(*(event(f"e{n}", "2024-03-19T10:00:00", pad=pad) for n in range(100)))
    return world


def only_error(done):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if "ERROR" in line)
    return line


@needs_dev_full
@pytest.mark.usefixtures("many")
def test_a_run_to_a_full_disk_is_one_line(ran):
    line = only_error(ran(f">{FULL}"))
    assert NO_SPACE in line
    assert line.endswith(RUN_AGAIN)


@needs_dev_full
@pytest.mark.parametrize("argument", ["--discover", "--test"])
def test_an_answer_to_a_full_disk_is_one_line(ran, world, argument):
    line = only_error(ran(f">{FULL}", argument, app_url=world.url))
    assert line.endswith(f"{NO_SPACE}: what is written is not all; free space and run again")


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("place", ["SCHEMA", "RECORD", "STATE", "later RECORD"])
def test_what_was_written_before_is_whole_and_counted(many, ran, tmp_path, place, one_by_one):
    settings = {"exclude_properties": ["no such property"]} if one_by_one else {}
    out = tmp_path / "out"
    assert ran(f">>{out}", **settings).returncode == 0
    lines = out.read_bytes().splitlines(keepends=True)
    kinds = [json.loads(line)["type"] for line in lines]
    number = kinds.index(place) if place in kinds else len(lines) - 20
    room = sum(map(len, lines[:number])) + 40  # the disk is full within that line
    before = BLOCKS * BLOCK - room
    with out.open("wb") as file:
        file.truncate(before)

    done = ran(f">>{out}", **settings)

    line = only_error(done)
    assert "can't write to stdout (File too large): " in line
    assert "put that right and run again from the last STATE" in line
    *whole, cut = out.read_bytes()[before:].splitlines(keepends=True)
    assert not cut.endswith(b"\n")
    assert [json.loads(each)["type"] for each in whole] == kinds[:number]
    counts = [each for each in done.stderr.splitlines() if '"record_count"' in each]
    told = [json.loads(each[each.index("{") :])["value"] for each in counts]
    assert sum(told) == kinds[:number].count("RECORD")
    assert many.leftovers() == []


@needs_dev_full
def test_every_way_to_write_tells_it(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\n")
    state = StateMessage({"bookmarks": {}})
    writer = LineWriter()
    ways = (
        lambda: writer.write_message(state),
        lambda: writer.write_lines(b"one\ntwo\n"),
        lambda: writer.write_lines(b"one\n" * 500_000),
        lambda: writer.write_lines(StoredLines(path, [(0, 8)])),
    )
    for way in ways:
        with FULL.open("w") as full, contextlib.redirect_stdout(full):
            with pytest.raises(OutputError, match="No space left on device"):
                way()
            assert writer.lines_written == 0


@needs_dev_full
def test_what_others_have_left_in_stdout_is_told_of_too():
    full = FULL.open("w")
    with contextlib.redirect_stdout(full):
        sys.stdout.write("a warning of a library\n")
        with pytest.raises(OutputError, match="No space left on device"):
            LineWriter().write_lines(b"one\n")
    with contextlib.suppress(OSError):
        full.close()


@pytest.mark.parametrize("arguments", [(), ("--test",)])
def test_a_stdout_that_is_closed_is_one_line_before_anything_is_asked(world, ran, arguments):
    done = ran(">&-", *arguments)
    assert only_error(done).endswith("stdout is closed: send it to a file or a pipe")
    assert world.requests() == []
