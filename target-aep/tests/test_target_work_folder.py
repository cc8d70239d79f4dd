"""Folders for the time of a run: none is left behind, and none that is in use is taken away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from target_aep.errors import DiskError
from target_aep.loading.work_folder import WorkFolder, temporary_folder
from target_messages import EVENT_SCHEMA, reached, record, state

PROMPT = 60
PREFIX = "target-aep-"


def lines(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


@contextmanager
def process(folder, config):
    """A target in the middle of a run: it has a record that is not committed."""
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "target_aep", "--config", "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    ) as target:
        target.stdin.write(lines(EVENT_SCHEMA, record(1), record(2, event_id=None)))
        target.stdin.flush()
        assert any(b"can't become valid XDM" in line for line in target.stderr)
        yield target


def finish(target):
    """The exit code and the STATEs of a run that goes on to its end."""
    out, _ = target.communicate(lines(state(1)), timeout=PROMPT)
    return target.returncode, [json.loads(line) for line in out.splitlines()]


def kill(target):
    target.send_signal(signal.SIGKILL)
    target.communicate(timeout=PROMPT)


def work_folders(folder):
    hidden = (folder / "aep-output").glob("*/.*")
    return sorted([*(folder / "tmp").iterdir(), *hidden])


@pytest.fixture(params=["platform", "local"])
def config(request, tmp_path, sandbox):
    is_local = request.param == "local"
    chosen = {"destination": "local"} if is_local else sandbox.config
    return {
        **chosen,
        "max_rejected_percent": 100,
        "dead_letter_path": str(tmp_path / "dead-letters"),
    }


def test_what_a_killed_run_has_left_is_gone_with_the_next_one(tmp_path, config):
    with process(tmp_path, config) as target:
        kill(target)
    (left,) = work_folders(tmp_path)
    assert any(path.is_file() and path.parent != left for path in left.rglob("*"))
    with process(tmp_path, config) as target:
        (own,) = work_folders(tmp_path)
        assert own != left
        assert finish(target) == (0, reached(1))
    assert not work_folders(tmp_path)


def test_runs_at_once_leave_each_other_alone(tmp_path, config):
    with process(tmp_path, config) as first:
        (of_first,) = work_folders(tmp_path)
        with process(tmp_path, config) as second:
            assert len(work_folders(tmp_path)) == 2
            kill(second)
        with process(tmp_path, config) as third:
            assert of_first in work_folders(tmp_path)
            assert len(work_folders(tmp_path)) == 2
            kill(third)
        assert finish(first) == (0, reached(1))
    assert len(work_folders(tmp_path)) == 1  # of the third, until the next run


def test_only_folders_of_a_run_are_swept(tmp_path):
    (tmp_path / f"{PREFIX}letters").mkdir()
    (tmp_path / f"{PREFIX}letters" / "a.jsonl").write_text("{}")
    (tmp_path / f"{PREFIX}file").write_text("")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".target-aep.lock").write_text("")
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    before = sorted(tmp_path.rglob("*"))
    work = WorkFolder(tmp_path, PREFIX)
    work.subfolder("spool")
    work.remove()
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_is_made_before_its_first_use(tmp_path):
    work = WorkFolder(tmp_path / "new", PREFIX)
    assert not list(tmp_path.iterdir())
    work.remove()
    first, second = work.subfolder("a"), work.subfolder("a")
    assert first != second
    assert work.path == first.parent == second.parent


def test_removed_it_is_gone_and_may_be_removed_again(tmp_path):
    work = WorkFolder(tmp_path, PREFIX)
    (work.subfolder("a") / "file").write_text("x")
    work.remove()
    work.remove()
    assert not list(tmp_path.iterdir())


def test_it_is_gone_when_nobody_holds_it(tmp_path):
    work = WorkFolder(tmp_path, PREFIX)
    work.subfolder("a")
    del work
    assert not list(tmp_path.iterdir())


def test_the_lock_is_the_last_that_goes(tmp_path, monkeypatch):
    work = WorkFolder(tmp_path, PREFIX)
    (work.subfolder("a") / "file").write_text("x")
    removed = []

    def rmtree(path, **_):
        removed.append(path)
        raise KeyboardInterrupt  # the process ends here

    monkeypatch.setattr("target_aep.loading.work_folder.shutil.rmtree", rmtree)
    with pytest.raises(KeyboardInterrupt):
        work.remove()
    assert removed == [next(work.path.glob("a-*"))]
    assert (work.path / ".target-aep.lock").exists()
    monkeypatch.undo()
    work.remove()
    assert not list(tmp_path.iterdir())


def test_a_disk_without_locks_does_without_sweeping(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError("no locks available")

    monkeypatch.setattr("target_aep.loading.work_folder.fcntl.flock", flock)
    one, other = WorkFolder(tmp_path, PREFIX), WorkFolder(tmp_path, PREFIX)
    kept = one.subfolder("a")
    other.subfolder("a")
    assert kept.exists()


def test_a_folder_that_can_not_be_made_is_an_error_that_names_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=r"Not a directory. Free space, or point TMPDIR"):
        WorkFolder(tmp_path / "file" / "x", PREFIX).subfolder("a")


def test_no_temporary_directory_at_all_is_such_an_error(monkeypatch):
    def gettempdir():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("target_aep.loading.work_folder.tempfile.gettempdir", gettempdir)
    with pytest.raises(DiskError, match=r"No usable temporary directory found. Free space"):
        temporary_folder()
