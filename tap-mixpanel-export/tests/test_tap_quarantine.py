"""Malformed lines put aside: each once, in bounded memory, through one open file."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tap_mixpanel_export import quarantine
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.quarantine import Quarantine
from tap_mixpanel_export.windows import Window

ONE, TWO = (Window(date(2024, 3, day), date(2024, 3, day)) for day in (1, 2))


def put(state_dir, window, *lines):
    with Quarantine(state_dir).of(window) as kept:
        for number, line in enumerate(lines, start=1):
            kept.add(number, "reason", line)
    return kept


def entries(kept):
    return [json.loads(line) for line in kept.path.read_text().splitlines()]


def test_each_line_of_a_window_is_kept_once(tmp_path):
    first = put(tmp_path, ONE, b"\xff line", b"other", b"\xff line")
    again = put(tmp_path, ONE, b"other", b"\xff line", b"third")
    assert (first.added, again.added) == (2, 1)
    assert [entry["line_number"] for entry in entries(again)] == [1, 2, 3]
    assert entries(first)[0]["line"].encode("utf-8", "surrogateescape") == b"\xff line"
    assert put(tmp_path, TWO, b"other").added == 1


def test_a_window_without_malformed_lines_leaves_no_file(tmp_path):
    assert not put(tmp_path, ONE).path.exists()


def test_memory_is_bounded_and_no_line_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST_REMEMBERED", 3)
    lines = [b"%d" % number for number in range(9)]
    kept = put(tmp_path, ONE, *lines)
    assert len(kept._known) == 3
    assert kept.added == 9
    again = put(tmp_path, ONE, *lines)
    assert len(again._known) == 3
    assert {entry["line"] for entry in entries(again)} == {line.decode() for line in lines}
    assert again.added == 6


def open_files():
    return len([*Path("/dev/fd").iterdir()])


def test_one_file_is_open_and_each_entry_is_on_the_disk_at_once(tmp_path):
    with Quarantine(tmp_path).of(ONE) as kept:
        before = open_files()
        for number in range(50):
            kept.add(number, "reason", b"%d" % number)
            assert len(entries(kept)) == number + 1
        assert open_files() == before + 1
    assert open_files() == before


@pytest.mark.parametrize("torn", ['{"window": {"from', "[1]\n", '{"no": "line"}\n', "\n"])
def test_an_entry_that_a_crash_cut_off_does_no_harm(tmp_path, torn):
    kept = put(tmp_path, ONE, b"one")
    with kept.path.open("a") as file:
        file.write(torn)
    again = put(tmp_path, ONE, b"one", b"two")
    assert again.added == 1
    assert json.loads(again.path.read_text().splitlines()[-1])["line"] == "two"


def test_a_line_that_an_earlier_version_kept_with_its_newline_is_known(tmp_path):
    kept = put(tmp_path, ONE, b"one\n")
    assert put(tmp_path, ONE, b"one", b"two").added == 1
    assert len(entries(kept)) == 2


def test_an_unusable_directory_is_named(tmp_path):
    Path(tmp_path / "quarantine").touch()
    with pytest.raises(StorageError, match="state_dir: cannot write to"):
        put(tmp_path, ONE, b"line")
