"""The working directory: each process has its own, and none stays behind."""

from __future__ import annotations

import pytest
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.spool import SpoolDirectory


def test_a_spool_goes_with_its_user(tmp_path, logger):
    with SpoolDirectory(tmp_path, logger) as spool:
        (spool.path / "x.spool").write_bytes(b"x")
    assert not spool.path.exists()


def leftover(state_dir, name="tap-mixpanel-export-1-de_ad00"):
    directory = state_dir / "spool" / name
    directory.mkdir(parents=True)
    (directory / "lock").touch()
    (directory / "x.spool").write_bytes(b"x")
    return directory


def test_living_spools_stay_and_dead_ones_go(tmp_path, logger):
    dead = leftover(tmp_path)
    with SpoolDirectory(tmp_path, logger) as one, SpoolDirectory(tmp_path, logger) as other:
        assert one.path.exists()
        assert other.path.exists()
        assert not dead.exists()


@pytest.mark.parametrize("name", ["mail", "1-dead", "tap-mixpanel-export-backup"])
def test_a_directory_of_someone_else_is_never_touched(tmp_path, logger, name):
    foreign = leftover(tmp_path, name)
    unlocked = leftover(tmp_path)
    (unlocked / "lock").unlink()
    (tmp_path / "spool" / "tap-mixpanel-export-2-file").touch()
    (tmp_path / "spool" / "tap-mixpanel-export-3-link").symlink_to(foreign)
    with SpoolDirectory(tmp_path, logger):
        pass
    assert (foreign / "x.spool").exists()
    assert [path.name for path in unlocked.iterdir()] == ["x.spool"]
    assert (tmp_path / "spool" / "tap-mixpanel-export-2-file").exists()


def test_an_abandoned_spool_is_removed(tmp_path, logger):
    spool = SpoolDirectory(tmp_path, logger)
    path = spool.path
    del spool
    assert not path.exists()


def test_an_unusable_directory_is_named(tmp_path, logger):
    (tmp_path / "spool").touch()
    with pytest.raises(StorageError, match="state_dir: cannot write to"):
        SpoolDirectory(tmp_path, logger)
