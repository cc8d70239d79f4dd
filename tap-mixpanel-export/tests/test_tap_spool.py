"""The working directory: each process has its own, and none stays behind."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.quarantine import Quarantine
from tap_mixpanel_export.spool import SpoolDirectory
from tap_mixpanel_export.windows import Window


def test_a_spool_goes_with_its_user(tmp_path, logger):
    with SpoolDirectory(tmp_path, logger) as spool:
        (spool.path / "x.spool").write_bytes(b"x")
    assert not spool.path.exists()


def test_living_spools_stay_and_dead_ones_go(tmp_path, logger):
    dead = tmp_path / "spool" / "1-dead"
    dead.mkdir(parents=True)
    (dead / "x.spool").write_bytes(b"x")
    with SpoolDirectory(tmp_path, logger) as one, SpoolDirectory(tmp_path, logger) as other:
        assert one.path.exists()
        assert other.path.exists()
        assert not dead.exists()


def test_an_abandoned_spool_is_removed(tmp_path, logger):
    spool = SpoolDirectory(tmp_path, logger)
    path = spool.path
    del spool
    assert not path.exists()


def test_an_unusable_directory_is_named(tmp_path, logger):
    (tmp_path / "spool").touch()
    with pytest.raises(StorageError, match="state_dir: cannot write to"):
        SpoolDirectory(tmp_path, logger)


def test_the_quarantine_keeps_each_line_of_a_window_once(tmp_path):
    one, two = (Window(date(2024, 3, day), date(2024, 3, day)) for day in (1, 2))
    for _ in range(2):
        quarantine = Quarantine(tmp_path)
        quarantine.add(one, 3, "reason", b"\xff line")
        quarantine.add(two, 3, "reason", b"\xff line")
        quarantine.add(one, 9, "reason", b"other")
    entries = [json.loads(line) for line in quarantine.path_of(one).read_text().splitlines()]
    assert [entry["line_number"] for entry in entries] == [3, 9]
    assert entries[0]["line"].encode("utf-8", "surrogateescape") == b"\xff line"
    assert len(quarantine.path_of(two).read_text().splitlines()) == 1
