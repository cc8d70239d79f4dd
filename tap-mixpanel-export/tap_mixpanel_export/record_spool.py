"""Framed blocks of RECORD lines on the disk, until the window they are of is whole.

A block is the keys of its records and, after them, their lines. Several processes may frame blocks
of one body; each writes to a file of its own, and the order of the blocks is kept in memory.
"""

from __future__ import annotations

import glob
import json
import os
from array import array
from contextlib import ExitStack
from decimal import Decimal
from typing import IO, TYPE_CHECKING

import msgspec
from isal import isal_zlib

from tap_mixpanel_export.event import EVENT_ID_BYTES
from tap_mixpanel_export.framing.messages import ENDS, BlockPlace, Framed, OddLine
from tap_mixpanel_export.spool_reading import reading, unreadable
from tap_mixpanel_export.stored_lines import StoredLines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tap_mixpanel_export.duplicates import SeenKeys
    from tap_mixpanel_export.event import Record

_END_BYTES = array(ENDS).itemsize
_FAST = 1
_GZIP = 31
_TIME = b'"time":"'

_odd_lines = msgspec.json.Decoder(list[OddLine])


class SpoolPart:
    """Writes blocks to one file of a body."""

    def __init__(self, file: IO[bytes], number: int = 0) -> None:
        """Take over a file that is open for writing at its end.

        Args:
            file: The file.
            number: Which of the body's files it is.
        """
        self._file = file
        self._number = number
        self._offset = file.tell()

    def keep(self, framed: Framed, *, is_plain: bool) -> None:
        """Write a block's records, and have the block tell where they are.

        Args:
            framed: The block.
            is_plain: Whether there is room for the lines as they are; else they are compressed.

        Raises:
            OSError: They cannot be written.
        """
        if framed.payload:
            count = len(framed.keys) // EVENT_ID_BYTES
            index = framed.keys + framed.ends
            place = self._write(index, framed.payload, count, is_plain=is_plain)
            framed.places.append(place)
        framed.keys = framed.ends = b""
        framed.payload = bytearray()

    def put_aside(self, lines: list[OddLine]) -> BlockPlace:
        """Write malformed lines.

        Raises:
            OSError: They cannot be written.
        """
        return self._write(b"", msgspec.json.encode(lines), 0, is_plain=False)

    def _write(
        self, index: bytes, lines: bytes | bytearray, count: int, *, is_plain: bool
    ) -> BlockPlace:
        if is_plain:
            size = self._file.write(index) + self._file.write(lines)
        else:
            index = isal_zlib.compress(index + lines, _FAST, wbits=_GZIP)
            size = self._file.write(index)
        crc = isal_zlib.crc32(index)
        place = BlockPlace(self._number, self._offset, size, count, is_plain, crc)
        self._offset += size
        return place


class RecordBlock:
    """Some records of a window, as they are to be written.

    Attributes:
        count: How many.
        content: A RECORD line each, with its newline, here or in a file.
    """

    __slots__ = ("content", "count")

    def __init__(self, count: int, content: bytes | StoredLines) -> None:
        self.count = count
        self.content = content

    @property
    def lines(self) -> bytes:
        """The lines, read if they are in a file."""
        content = self.content
        return content.read() if isinstance(content, StoredLines) else content

    def records(self) -> Iterator[Record]:
        """Yield the records as ``build_record`` makes them."""
        for line in self.lines.splitlines():
            yield json.loads(line, parse_float=Decimal)["record"]

    def count_until(self, time: str) -> int:
        """Count the records with a ``time`` that is not after this one."""
        return sum(_time_of(line) <= time.encode() for line in self.lines.splitlines())


class SpooledBlock(RecordBlock):
    """Records as they came, with their keys.

    Attributes:
        keys: The 16 bytes of each record's ``event_id``.
        ends: Where the line of each record ends.
    """

    __slots__ = ("ends", "keys")

    def __init__(self, keys: bytes, ends: memoryview, content: bytes | StoredLines) -> None:
        super().__init__(len(ends), content)
        self.keys = keys
        self.ends = ends

    def without(self, seen: SeenKeys) -> RecordBlock:
        """Return the records that are new, and have their keys known from now on.

        Raises:
            StorageError: The keys cannot be kept.
        """
        repeats = seen.repeats_of(self.keys)
        if not repeats:
            return self
        kept = []
        begin = 0
        for place in repeats:
            kept.append((begin, self.ends[place - 1] if place else 0))
            begin = self.ends[place]
        kept.append((begin, self.ends[-1]))
        count, content = self.count - len(repeats), self.content
        if isinstance(content, StoredLines):
            return RecordBlock(count, content.parts(kept))
        whole = memoryview(content)
        return RecordBlock(count, b"".join(whole[begin:end] for begin, end in kept))


def _time_of(line: bytes) -> bytes:
    """Return the column ``time`` of a RECORD line, which is the first string of that key."""
    begin = line.index(_TIME) + len(_TIME)
    return line[begin : line.index(b'"', begin)]


def part_path(path: Path, number: int) -> Path:
    """Return one of a body's files, by the path of its first and by its number."""
    return path.with_name(f"{path.stem}.{number}{path.suffix}") if number else path


def remove_parts(path: Path) -> None:
    """Remove a body's files, by the path of its first."""
    for other in path.parent.glob(f"{glob.escape(path.stem)}.*{path.suffix}"):
        other.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def read_blocks(path: Path, places: Sequence[BlockPlace]) -> Iterator[SpooledBlock | list[OddLine]]:
    """Yield the blocks of a body in its order: records, or malformed lines.

    Args:
        path: The first of the body's files.
        places: Where its blocks are.

    Raises:
        StorageError: A file is gone, cut or changed.
    """
    files: dict[int, IO[bytes]] = {}
    with ExitStack() as stack:
        for place in places:
            own = part_path(path, place.part)
            with reading(own):
                if place.part not in files:
                    files[place.part] = stack.enter_context(own.open("rb", buffering=0))
                block = _read_block(files[place.part], own, place)
            yield block


def _read_block(file: IO[bytes], path: Path, place: BlockPlace) -> SpooledBlock | list[OddLine]:
    begin = (EVENT_ID_BYTES + _END_BYTES) * place.count
    end = place.offset + place.size
    file.seek(place.offset)
    read = file.read(begin if place.is_plain else place.size)
    if isal_zlib.crc32(read) != place.crc or os.fstat(file.fileno()).st_size < end:
        raise unreadable(path, "it was cut or changed")
    if place.is_plain:
        return _with_index(read, place.count, StoredLines(path, [(place.offset + begin, end)]))
    stored = isal_zlib.decompress(read, wbits=_GZIP)
    if not place.count:
        return _odd_lines.decode(stored)
    return _with_index(stored[:begin], place.count, stored[begin:])


def _with_index(index: bytes, count: int, content: bytes | StoredLines) -> SpooledBlock:
    split = EVENT_ID_BYTES * count
    return SpooledBlock(index[:split], memoryview(index)[split:].cast(ENDS), content)
