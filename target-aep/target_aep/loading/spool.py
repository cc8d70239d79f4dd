"""Mapped records on disk, in files ready for upload, with marks at the STATE boundaries.

Memory stays flat whatever a batch's size, and records after the last STATE can be taken back.
"""

from __future__ import annotations

import gzip
import shutil
import typing as t
from dataclasses import dataclass

from singer_sdk.singerlib.json import deserialize_json

from target_aep.errors import DiskError, TargetError
from target_aep.loading.dead_letters import letter_digest
from target_aep.loading.json_lines import encode_line
from target_aep.loading.seen_ids import SeenIds

if t.TYPE_CHECKING:
    from pathlib import Path

_BUFFER = 1 << 20
_FAST = 1


@dataclass(frozen=True)
class Mark:
    """A place in the spool: everything before it belongs to a STATE that was received."""

    files: int = 0
    bytes_in_file: int = 0
    rows: int = 0
    rejected: int = 0
    rejected_bytes: int = 0


class BatchSpool:
    """The rows and rejected records of one batch that is being collected.

    Attributes:
        files: Files of rows.
        rows: Rows in them.
        rejected: Rejected records.
        repeated: Records whose `_id` the batch had already, left out.
        total_bytes: XDM bytes received.
        mark: Where the last STATE was.
    """

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
        self._records_out: t.BinaryIO | None = None
        self._bytes_in_file = 0
        self._rejected_bytes = 0
        self._seen = SeenIds(folder / "seen.sqlite")
        self.files: list[Path] = []
        self.rows = 0
        self.rejected = 0
        self.repeated = 0
        self.total_bytes = 0
        self.mark = Mark()
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def rejected_path(self) -> Path:
        """The file of rejected records, as dead letters."""
        return self._folder / "rejected.jsonl"

    @property
    def records_path(self) -> Path:
        """The file of the records that the rows were made of, compressed."""
        return self._folder / "records.jsonl.gz"

    @property
    def unmarked(self) -> int:
        """Records received after the last mark."""
        return self.rows + self.rejected - self.mark.rows - self.mark.rejected

    def add_row(self, xdm: dict[str, t.Any], record: dict[str, t.Any]) -> None:
        """Append a mapped record, unless the batch holds its `_id` already.

        Args:
            xdm: The row.
            record: What it was made of.

        Raises:
            TargetError: One record is larger than a file may be, or the disk is full.
        """
        identifier = xdm.get("_id")
        if isinstance(identifier, str) and not self._seen.add(identifier):
            self.repeated += 1
            return
        line = encode_line(xdm)
        if len(line) > self._limit:
            raise TargetError(
                f"the record {identifier} has {len(line)} bytes as XDM, more than "
                "file_max_bytes: raise it, or map less of the record"
            )
        if self._out is None or self._bytes_in_file + len(line) > self._limit:
            self._next_file()
        _write(t.cast("t.BinaryIO", self._out), line)
        self._keep_record(identifier, record)
        self._bytes_in_file += len(line)
        self.total_bytes += len(line)
        self.rows += 1

    def _keep_record(self, identifier: t.Any, record: dict[str, t.Any]) -> None:
        if self._records_out is None:
            self._records_out = _compressed(self.records_path)
        _write(self._records_out, encode_line([identifier, record]))

    def records_of(self, identifiers: t.Collection[str]) -> dict[str, t.Any]:
        """The records that some rows were made of, after `finish`.

        Args:
            identifiers: The rows' `_id`s.
        """
        if not identifiers or not self.records_path.exists():
            return {}
        with gzip.open(self.records_path, "rb") as lines:
            found: t.Iterator[t.Any] = (
                deserialize_json(line) for line in lines if _id_of(line) in identifiers
            )
            return dict(found)

    def records(self) -> t.Iterator[tuple[t.Any, dict[str, t.Any]]]:
        """The records that the rows were made of, each after its row's `_id`, after `finish`."""
        if self.records_path.exists():
            with gzip.open(self.records_path, "rb") as lines:
                for line in lines:
                    identifier, record = deserialize_json(line)
                    yield identifier, record

    def set_aside(self, identifiers: t.Collection[str]) -> int:
        """Take rows out of the files, after `finish`.

        Args:
            identifiers: The rows' `_id`s.

        Returns:
            How many were taken out.
        """
        if not identifiers:
            return 0
        before = self.rows
        for file in self.files:
            self.rows -= _without(file, identifiers)
        self.files = [file for file in self.files if file.stat().st_size]
        return before - self.rows

    def add_rejected(self, letter: dict[str, t.Any]) -> None:
        """Append a rejected record."""
        if self._rejected_out is None:
            self._rejected_out = _opened(self.rejected_path)
        line = encode_line(letter)
        _write(self._rejected_out, line)
        self._rejected_bytes += len(line)
        self.rejected += 1

    def set_mark(self) -> None:
        """Note that a STATE covers everything received so far."""
        self.mark = Mark(
            len(self.files), self._bytes_in_file, self.rows, self.rejected, self._rejected_bytes
        )

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
        for out in (self._out, self._rejected_out, self._records_out):
            if out:
                _close(out)
        self._out = self._rejected_out = self._records_out = None
        self._seen.close()

    def content(self) -> t.Iterator[bytes]:
        """All rows and rejected records in pieces, after `finish`: equal for equal records."""
        for file in self.files:
            with file.open("rb") as lines:
                while piece := lines.read(_BUFFER):
                    yield piece
        yield from (letter_digest(letter).encode() for letter in self.letters())

    def letters(self) -> t.Iterator[dict[str, t.Any]]:
        """The letters of the rejected records, after `finish`."""
        if not self.rejected:
            return
        with self.rejected_path.open("rb") as lines:
            yield from map(deserialize_json, lines)

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
        self._out = _opened(path)
        self.files.append(path)
        self._bytes_in_file = 0


def _write(out: t.BinaryIO, line: bytes) -> None:
    try:
        out.write(line)
    except OSError as error:
        raise DiskError("the spool", error) from error


def _close(out: t.BinaryIO) -> None:
    try:
        out.close()
    except OSError as error:
        raise DiskError("the spool", error) from error


def _id_of(line: bytes) -> t.Any:
    """The `_id` at the head of a line of records, which is not parsed as a whole for it."""
    end = line.find(b'"', 2)
    text = line[2:end]
    if not line.startswith(b'["') or b"\\" in text:
        return deserialize_json(line)[0]
    return text.decode()


def _opened(path: Path) -> t.BinaryIO:
    try:
        return path.open("wb", buffering=_BUFFER)
    except OSError as error:
        raise DiskError("the spool", error) from error


def _compressed(path: Path) -> t.BinaryIO:
    try:
        return t.cast("t.BinaryIO", gzip.open(path, "wb", compresslevel=_FAST))
    except OSError as error:
        raise DiskError("the spool", error) from error


def _without(file: Path, identifiers: t.Collection[str]) -> int:
    """Rewrite a file without some rows; how many those were."""
    fresh = file.with_suffix(".new")
    taken = 0
    try:
        with file.open("rb") as lines, fresh.open("wb", buffering=_BUFFER) as out:
            for line in lines:
                if deserialize_json(line).get("_id") in identifiers:
                    taken += 1
                else:
                    out.write(line)
    except OSError as error:
        raise DiskError("the spool", error) from error
    fresh.replace(file)
    return taken


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
