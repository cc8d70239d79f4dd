"""The keys of a window, in memory and on disk."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.duplicates import SeenKeys
from tap_mixpanel_export.errors import StorageError


def is_new(seen, number):
    return not seen.repeats_of(number.to_bytes(16, "big"))


@given(
    in_memory=st.integers(0, 12),
    numbers=st.lists(st.integers(0, 20) | st.just("clear"), max_size=60),
)
def test_keys_are_told_apart_as_a_set_would_do(in_memory, numbers):
    plain = set()
    with tempfile.TemporaryDirectory() as folder:
        with SeenKeys(Path(folder), in_memory) as seen:
            for number in numbers:
                if number == "clear":
                    seen.clear()
                    plain.clear()
                else:
                    assert is_new(seen, number) == (number not in plain)
                    plain.add(number)
            assert len(seen._keys) <= in_memory
            assert any(Path(folder).iterdir()) == (len(plain) > in_memory)
        assert not any(Path(folder).iterdir())


def test_each_window_begins_without_keys(tmp_path):
    with SeenKeys(tmp_path, 1) as seen:
        for _ in range(3):
            assert [is_new(seen, number) for number in (1, 2, 1, 2)] == [True, True, False, False]
            seen.clear()
            assert list(tmp_path.iterdir()) == []


def test_the_file_has_the_suffix_by_which_leftovers_are_removed(tmp_path):
    with SeenKeys(tmp_path, 0) as seen:
        is_new(seen, 1)
        assert {path.suffix for path in tmp_path.iterdir()} == {".spool"}


def test_an_error_on_the_way_removes_the_file(tmp_path):
    def fail():
        with SeenKeys(tmp_path, 0) as seen:
            is_new(seen, 1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_named(tmp_path):
    with SeenKeys(tmp_path / "gone", 1) as seen:
        assert is_new(seen, 1)
        with pytest.raises(StorageError, match=r"state_dir: cannot keep the keys .*gone"):
            is_new(seen, 2)


@pytest.fixture
def files_limited():
    """A function that limits the size of this process's files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_from_the_start_is_named(tmp_path, files_limited):
    with SeenKeys(tmp_path, 0) as seen:
        files_limited(0)
        with pytest.raises(StorageError, match="state_dir: cannot keep the keys"):
            is_new(seen, 1)


def test_a_disk_that_fills_up_is_named_and_the_file_goes(tmp_path, files_limited):
    with SeenKeys(tmp_path, 0) as seen:
        is_new(seen, 0)
        # What its cache holds is not written: with a small one, a few keys fill the disk.
        seen._file._connection.execute("PRAGMA cache_size=1")
        files_limited(8192)
        with pytest.raises(StorageError, match="state_dir: cannot keep the keys"):
            all(is_new(seen, number * 7919 % 20_011) for number in range(1, 20_000))
    assert list(tmp_path.iterdir()) == []
