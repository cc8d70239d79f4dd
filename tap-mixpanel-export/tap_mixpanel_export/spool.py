"""A directory of this process for downloaded bodies, below ``state_dir``.

Each process holds a lock on its own directory, so that leftovers of dead processes can be told
from the directories of living ones that share ``state_dir``. Only a directory that bears the tap's
name and holds its lock file is ever removed: ``state_dir`` is the user's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export.errors import StorageError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator
    from types import TracebackType

SPOOL_SUFFIX = ".spool"

_MOST_PLAIN = 4 << 30
_SHARE_OF_FREE = 4
_LOCK = "lock"
_PREFIX = "tap-mixpanel-export"
_OURS = re.compile(rf"{_PREFIX}-\d+-\w+")  # with the process's id and what mkdtemp adds


class SpoolDirectory:
    """This process's spool; use as a context manager. It is gone at the end, whatever happens."""

    def __init__(self, state_dir: Path, logger: logging.Logger) -> None:
        """Make the directory and remove those of dead processes.

        Raises:
            StorageError: ``state_dir`` cannot be written to.
        """
        root = state_dir / "spool"
        with storage_errors(state_dir):
            root.mkdir(parents=True, exist_ok=True)
            with _locked(root / _LOCK):
                _remove_leftovers(root, logger)
                prefix = f"{_PREFIX}-{os.getpid()}-"
                self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
                lock = _try_lock(self.path / _LOCK, os.O_CREAT)
        self._finalizer = weakref.finalize(self, _remove, self.path, lock)

    def has_room(self) -> bool:
        """Whether so little is in it that no file in it needs to be compressed.

        Raises:
            OSError: It cannot be read.
        """
        disk = os.statvfs(self.path)
        room = min(_MOST_PLAIN, disk.f_bavail * disk.f_frsize // _SHARE_OF_FREE)
        with os.scandir(self.path) as entries:
            return sum(_size(entry) for entry in entries) < room

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._finalizer()


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # another thread is done with it
        return 0


@contextmanager
def storage_errors(state_dir: Path) -> Iterator[None]:
    """Turn a failed write below ``state_dir`` into a StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"state_dir: cannot write to {state_dir} ({error.strerror or error}); free space "
            "there, or name another directory"
        ) from error


def _remove_leftovers(root: Path, logger: logging.Logger) -> None:
    for directory in root.iterdir():
        if not _OURS.fullmatch(directory.name) or directory.is_symlink():
            continue
        try:
            lock = _try_lock(directory / _LOCK)
        except (FileNotFoundError, NotADirectoryError):
            continue  # not a spool, or one that its process is taking away
        if lock is not None:
            logger.info("removing the spool of a run that ended early: %s", directory)
            _remove(directory, lock)


def _remove(directory: Path, lock: int | None) -> None:
    # The lock file goes last: without it nobody would take the rest for a leftover.
    for path in directory.glob(f"*{SPOOL_SUFFIX}"):
        path.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _try_lock(path: Path, flags: int = 0) -> int | None:
    """Lock a file; returns its descriptor, or None if a living process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
