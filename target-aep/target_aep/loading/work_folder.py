"""A folder for the time of a run, which is not left behind whatever ends the run.

It holds customers' data, so what a killed process has left is deleted by the next one. A lock on a
file in it tells the two apart: the system lets go of it when its process ends, however it does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import typing as t
import uuid
import weakref
from pathlib import Path

from target_aep.errors import DiskError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = ".target-aep.lock"
"""Also what tells such a folder from another one of the same prefix."""


class WorkFolder:
    """A folder that belongs to this process.

    Attributes:
        path: Where it is, once it is made.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        """Choose its name; it is made on first use.

        Args:
            parent: Where it will be.
            prefix: Begins its name and that of all that earlier runs may have left there.
        """
        self.path = parent / f"{prefix}{uuid.uuid4().hex}"
        self._prefix = prefix
        self._making = threading.Lock()
        self._end: weakref.finalize[t.Any, WorkFolder] | None = None

    def subfolder(self, name: str) -> Path:
        """A new folder in it.

        Args:
            name: Begins its name.

        Raises:
            DiskError: The disk refuses.
        """
        try:
            with self._making:
                self._end = self._end or self._make()
            folder = self.path / f"{name}-{uuid.uuid4().hex}"
            folder.mkdir()
        except OSError as error:
            raise DiskError(str(self.path), error) from error
        return folder

    def _make(self) -> weakref.finalize[t.Any, WorkFolder]:
        parent = self.path.parent
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent, self._prefix)
        self.path.mkdir(mode=0o700)
        return weakref.finalize(self, _end, self.path, _lock(self.path))

    def remove(self) -> None:
        """Delete it with all that is in it. Takes no lock, since a signal handler calls it."""
        _delete(self.path)  # in any case: the signal may have come while it was being made
        if self._end:
            self._end()


def temporary_folder() -> Path:
    """The system's temporary directory (TMPDIR chooses the disk).

    Raises:
        DiskError: There is none that can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise DiskError("temporary files", error) from error


def _lock(folder: Path) -> int:
    """Lock a folder before others can see that it is one of these; the lock's descriptor."""
    fresh = folder / f"{_LOCK}.new"
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with contextlib.suppress(OSError):  # a disk that knows no locks: never swept
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fresh.rename(folder / _LOCK)
    return descriptor


def _end(folder: Path, descriptor: int) -> None:
    _delete(folder)
    os.close(descriptor)


def _sweep(parent: Path, prefix: str) -> None:
    """Delete what processes that are gone have left."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError), _abandoned(folder):  # not one, not ours, or in use
            _delete(folder)


@contextlib.contextmanager
def _abandoned(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder that no process holds.

    Raises:
        OSError: One does, or it is no such folder.
    """
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        descriptor = os.open(_LOCK, os.O_RDWR | os.O_NOFOLLOW, dir_fd=inside)
    finally:
        os.close(inside)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _delete(folder: Path) -> None:
    """Delete a folder, its lock last: what a kill in between leaves is swept by the next run."""
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _LOCK:
                entry.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
