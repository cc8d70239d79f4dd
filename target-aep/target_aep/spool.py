"""Mapped records on disk, in files ready for upload, with marks at the STATE boundaries.

Memory stays flat whatever a batch's size, and records after the last STATE can be taken back.
"""

from __future__ import annotations

import shutil
import typing as t
from dataclasses import dataclass

from target_aep.errors import TargetError
from target_aep.json_lines import encode_line

if t.TYPE_CHECKING:
    from pathlib import Path

_BUFFER = 1 << 20


@dataclass(frozen=True)
class Mark:
    """A place in the spool: everything before it belongs to a STATE that was received."""

    files: int = 0
    bytes_in_file: int = 0
    rows: int = 0
    rejected: int = 0
    rejected_bytes: int = 0


class BatchSpool:
    """The rows and rejected records of one batch that is being collected."""

    def __init__(self, folder: Path, prefix: str, file_max_bytes: int) -> None:
        """Make the folder.

        Args:
            folder: Belongs to this batch alone.
            prefix: Files are called `{prefix}-00001.json` and so on.
            file_max_bytes: A file is closed before it would grow beyond this.
        """
        self._folder = folder
        self._prefix = prefix
        self._limit = file_max_bytes
        self._out: t.BinaryIO | None = None
        self._rejected_out: t.BinaryIO | None = None
        self._bytes_in_file = 0
        self._rejected_bytes = 0
        self.files: list[Path] = []
        self.rows = 0
        self.rejected = 0
        self.total_bytes = 0
        self.mark = Mark()
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def rejected_path(self) -> Path:
        """The file of rejected records, as dead letters."""
        return self._folder / "rejected.jsonl"

    @property
    def unmarked(self) -> int:
        """Records received after the last mark."""
        return self.rows + self.rejected - self.mark.rows - self.mark.rejected

    def add_row(self, xdm: dict[str, t.Any]) -> None:
        """Append a mapped record.

        Raises:
            TargetError: One record is larger than a file may be, or the disk is full.
        """
        line = encode_line(xdm)
        if len(line) > self._limit:
            raise TargetError(
                f"the record {xdm.get('_id')} has {len(line)} bytes as XDM, more than "
                "file_max_bytes: raise it, or map less of the record"
            )
        if self._out is None or self._bytes_in_file + len(line) > self._limit:
            self._next_file()
        _write(t.cast("t.BinaryIO", self._out), line)
        self._bytes_in_file += len(line)
        self.total_bytes += len(line)
        self.rows += 1

    def add_rejected(self, letter: dict[str, t.Any]) -> None:
        """Append a rejected record."""
        if self._rejected_out is None:
            self._rejected_out = self.rejected_path.open("wb", buffering=_BUFFER)
        line = encode_line(letter)
        _write(self._rejected_out, line)
        self._rejected_bytes += len(line)
        self.rejected += 1

    def set_mark(self) -> None:
        """Note that a STATE covers everything received so far."""
        self.mark = Mark(
            len(self.files), self._bytes_in_file, self.rows, self.rejected, self._rejected_bytes
        )

    def marked_files(self) -> list[Path]:
        """Files that are closed and wholly before the mark: they won't change any more."""
        return self.files[: max(0, self.mark.files - 1)]

    def take_back(self) -> int:
        """Drop everything after the last mark.

        Returns:
            How many records were dropped.
        """
        dropped = self.unmarked
        self.finish()
        for file in self.files[self.mark.files :]:
            file.unlink()
        del self.files[self.mark.files :]
        if self.files:
            _truncate(self.files[-1], self.mark.bytes_in_file)
        if self._rejected_bytes:
            _truncate(self.rejected_path, self.mark.rejected_bytes)
        self.rows, self.rejected = self.mark.rows, self.mark.rejected
        self._bytes_in_file = self.mark.bytes_in_file
        self._rejected_bytes = self.mark.rejected_bytes
        return dropped

    def finish(self) -> None:
        """Close the files; nothing is added afterwards.

        Raises:
            TargetError: The disk is full.
        """
        for out in (self._out, self._rejected_out):
            if out:
                _close(out)
        self._out = self._rejected_out = None

    def letters(self) -> t.Iterator[bytes]:
        """The lines of the rejected records, after `finish`."""
        if not self.rejected:
            return
        with self.rejected_path.open("rb") as lines:
            yield from lines

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        try:
            self.finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _next_file(self) -> None:
        if self._out:
            _close(self._out)
        path = self._folder / f"{self._prefix}-{len(self.files) + 1:05d}.json"
        self._out = path.open("wb", buffering=_BUFFER)
        self.files.append(path)
        self._bytes_in_file = 0


def _write(out: t.BinaryIO, line: bytes) -> None:
    try:
        out.write(line)
    except OSError as error:
        raise _disk_error(error) from error


def _close(out: t.BinaryIO) -> None:
    try:
        out.close()
    except OSError as error:
        raise _disk_error(error) from error


def _disk_error(error: OSError) -> TargetError:
    return TargetError(
        f"can't write the spool: {error.strerror}. Free space, or point TMPDIR (local_path for "
        "destination=local) to a larger disk"
    )


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
