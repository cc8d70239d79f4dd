"""Framed blocks of RECORD lines on the disk, until the window they are of is whole.

A block is the keys of its records and, after them, their lines. Several processes may frame blocks
of one body; each writes to a file of its own, and the order of the blocks is kept in memory.
"""

from __future__ import annotations

import glob
import json
from array import array
from contextlib import ExitStack
from decimal import Decimal
from typing import IO, TYPE_CHECKING

import msgspec
from isal import isal_zlib

from tap_mixpanel_export.event import EVENT_ID_BYTES
from tap_mixpanel_export.framing import ENDS, BlockPlace, Framed, OddLine

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
        framed.keys = framed.ends = framed.payload = b""

    def put_aside(self, lines: list[OddLine]) -> BlockPlace:
        """Write malformed lines.

        Raises:
            OSError: They cannot be written.
        """
        return self._write(b"", msgspec.json.encode(lines), 0, is_plain=False)

    def _write(self, index: bytes, lines: bytes, count: int, *, is_plain: bool) -> BlockPlace:
        if is_plain:
            size = self._file.write(index) + self._file.write(lines)
        else:
            size = self._file.write(isal_zlib.compress(index + lines, _FAST, wbits=_GZIP))
        place = BlockPlace(self._number, self._offset, size, count, is_plain)
        self._offset += size
        return place


class RecordBlock:
    """Some records of a window, as they are to be written.

    Attributes:
        count: How many.
        lines: A RECORD line each, with its newline.
    """

    __slots__ = ("count", "lines")

    def __init__(self, count: int, lines: bytes) -> None:
        self.count = count
        self.lines = lines

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

    def __init__(self, keys: list[bytes], ends: memoryview, lines: bytes) -> None:
        super().__init__(len(keys), lines)
        self.keys = keys
        self.ends = ends

    def without(self, seen: SeenKeys) -> RecordBlock:
        """Return the records that are new, and have their keys known from now on.

        Raises:
            StorageError: The keys cannot be kept.
        """
        repeats = seen.repeats(self.keys)
        if not repeats:
            return self
        whole = memoryview(self.lines)
        kept = []
        begin = 0
        for place in repeats:
            kept.append(whole[begin : self.ends[place - 1] if place else 0])
            begin = self.ends[place]
        kept.append(whole[begin:])
        return RecordBlock(self.count - len(repeats), b"".join(kept))


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
    """
    files: dict[int, IO[bytes]] = {}
    with ExitStack() as stack:
        for place in places:
            if place.part not in files:
                file = part_path(path, place.part).open("rb", buffering=0)
                files[place.part] = stack.enter_context(file)
            yield _read_block(files[place.part], place)


def _read_block(file: IO[bytes], place: BlockPlace) -> SpooledBlock | list[OddLine]:
    file.seek(place.offset)
    stored = file.read(place.size)
    if not place.is_plain:
        stored = isal_zlib.decompress(stored, wbits=_GZIP)
    split = EVENT_ID_BYTES * place.count
    begin = split + _END_BYTES * place.count
    lines = stored[begin:]
    if not place.count:
        return _odd_lines.decode(lines)
    keys = [stored[at : at + EVENT_ID_BYTES] for at in range(0, split, EVENT_ID_BYTES)]
    return SpooledBlock(keys, memoryview(stored)[split:begin].cast(ENDS), lines)
