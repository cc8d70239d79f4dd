"""Mapped records on disk, in files ready for upload, with marks at the STATE boundaries.

Memory stays flat whatever a batch's size, and records after the last STATE can be taken back.
"""

from __future__ import annotations

import contextlib
import shutil
import typing as t
from bisect import bisect_right
from dataclasses import dataclass

from target_aep.errors import DiskError, TargetError
from target_aep.loading.dead_letters import letter_digest
from target_aep.loading.json_lines import encode_line, read_json
from target_aep.loading.mapped_block import MappedBlock
from target_aep.loading.record_copies import RecordCopies, record_in
from target_aep.loading.seen_ids import SeenIds, id_digest

if t.TYPE_CHECKING:
    from pathlib import Path

_BUFFER = 1 << 16
_MOST_REJECTED_IDS = 50_000


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
        may_hold_rejected: Whether a row may be of a record that was rejected too, after `finish`.
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
        self._bytes_in_file = 0
        self._rejected_bytes = 0
        self._seen = SeenIds(folder / "seen.sqlite")
        self._rejected_ids: list[bytes] = []
        self._copies = RecordCopies(folder / "records.jsonl.gz")
        self.files: list[Path] = []
        self.rows = 0
        self.rejected = 0
        self.repeated = 0
        self.total_bytes = 0
        self.mark = Mark()
        self.may_hold_rejected = False
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def rejected_path(self) -> Path:
        """The file of rejected records, as dead letters."""
        return self._folder / "rejected.jsonl"

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
        digest = id_digest(identifier) if isinstance(identifier, str) else None
        if self._seen.add_all([digest]):
            self.repeated += 1
            return
        line = encode_line(xdm)
        self._append(MappedBlock(rows=bytearray(line), ends=[len(line)], ids=[identifier]))
        self._copies.add([identifier], [encode_line({"record": record})[:-1]])

    def add_block(self, block: MappedBlock, lines: t.Sequence[bytes]) -> list[int]:
        """Append the rows of records, without those whose `_id` the batch holds already.

        Args:
            block: The rows.
            lines: The RECORD messages that the block was made of, without their newlines.

        Returns:
            The positions of the rows that were left out.

        Raises:
            TargetError: One record is larger than a file may be, or the disk is full.
        """
        repeated = self._seen.add_all(block.digests)
        self.repeated += len(repeated)
        self._append(block, repeated)
        if block.copies is None:
            self._copies.add(block.ids, block.sources(lines), repeated)
        else:
            self._copies.add_packed(block.copies, repeated)
        return repeated

    def _append(self, block: MappedBlock, without: t.Sequence[int] = ()) -> None:
        """Write rows.

        Args:
            block: The rows.
            without: Positions of rows that are left out, in order.
        """
        first = 0
        for position in (*without, len(block.ends)):
            self._write_rows(block, first, position)
            first = position + 1

    def _write_rows(self, block: MappedBlock, first: int, last: int) -> None:
        """Write the rows between two positions, as many to a file as it takes."""
        ends = block.ends
        start = ends[first - 1] if first else 0
        self.rows += last - first
        with memoryview(block.rows) as rows:
            while first < last:
                room = self._limit - self._bytes_in_file if self._out else 0
                fitting = bisect_right(ends, start + room, first, last)
                if fitting == first:
                    self._begin_file_for(block, first)
                    continue
                end = ends[fitting - 1]
                _write(t.cast("t.BinaryIO", self._out), rows[start:end])
                self._bytes_in_file += end - start
                self.total_bytes += end - start
                first, start = fitting, end

    def _begin_file_for(self, block: MappedBlock, position: int) -> None:
        size = block.size_of(position) + len(b"\n")
        if size > self._limit:
            raise TargetError(
                f"the record {block.ids[position]} has {size} bytes as XDM, more than "
                "file_max_bytes: raise it, or map less of the record"
            )
        self._next_file()

    def records_of(self, identifiers: t.Collection[str]) -> dict[str, t.Any]:
        """The records that some rows were made of, after `finish`.

        Args:
            identifiers: The rows' `_id`s.
        """
        if not identifiers:
            return {}
        return {
            identifier: record_in(line)
            for identifier, line in self._copies.read()
            if isinstance(identifier, str) and identifier in identifiers
        }

    def records(self) -> t.Iterator[tuple[t.Any, dict[str, t.Any]]]:
        """The records that the rows were made of, each after its row's `_id`, after `finish`."""
        for identifier, line in self._copies.read():
            yield identifier, record_in(line)

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

    def add_rejected(self, letter: dict[str, t.Any], identifier: str | None = None) -> None:
        """Append a rejected record.

        Args:
            letter: Its letter.
            identifier: The `_id` of any row that an equal record would give; None if that can't
                be told.
        """
        if identifier is None or len(self._rejected_ids) >= _MOST_REJECTED_IDS:
            self.may_hold_rejected = True
        else:
            self._rejected_ids.append(id_digest(identifier))
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
        for out in (self._out, self._rejected_out):
            if out:
                _close(out)
        self._out = self._rejected_out = None
        self._copies.finish()
        self.may_hold_rejected |= self._seen.holds_any(self._rejected_ids)
        self._rejected_ids.clear()
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
            yield from map(read_json, lines)

    def remove(self) -> None:
        """Delete the folder with all that is in it, also what could not be written whole."""
        with contextlib.suppress(DiskError):
            self.finish()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _next_file(self) -> None:
        if self._out:
            _close(self._out)
        path = self._folder / f"{self._prefix}-{len(self.files) + 1:05d}.json"
        self._out = _opened(path)
        self.files.append(path)
        self._bytes_in_file = 0


def _write(out: t.BinaryIO, lines: bytes | memoryview) -> None:
    try:
        out.write(lines)
    except OSError as error:
        raise DiskError("the spool", error) from error


def _close(out: t.BinaryIO) -> None:
    try:
        out.close()
    except OSError as error:
        raise DiskError("the spool", error) from error


def _opened(path: Path) -> t.BinaryIO:
    try:
        return path.open("wb", buffering=_BUFFER)
    except OSError as error:
        raise DiskError("the spool", error) from error


def _without(file: Path, identifiers: t.Collection[str]) -> int:
    """Rewrite a file without some rows; how many those were."""
    fresh = file.with_suffix(".new")
    taken = 0
    try:
        with file.open("rb") as lines, fresh.open("wb", buffering=_BUFFER) as out:
            for line in lines:
                if read_json(line).get("_id") in identifiers:
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
