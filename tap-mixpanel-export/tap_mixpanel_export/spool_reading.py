"""Errors of reading back what this run has put on the disk."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_mixpanel_export.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a failed read of a spool file into a StorageError."""
    try:
        yield
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def unreadable(path: Path, reason: str) -> StorageError:
    """Return the error for a spool file that does not give what was written to it."""
    return StorageError(
        f"state_dir: cannot read {path} ({reason}); leave the files below state_dir alone while "
        "the tap runs, check the disk, and run again from the last STATE"
    )
