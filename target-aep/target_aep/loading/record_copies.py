"""The records that rows were made of, kept compressed beside them in case a row is refused.

A file of pieces: a JSON list of positions that are left out, a JSON list of `_id`s, then for each
of these a line, an object whose `record` is the record: the RECORD message itself, or what stands
for it. What is left out is known only when the rest may be compressed already, by a worker.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import msgspec
from isal import igzip, isal_zlib

from target_aep.errors import DiskError
from target_aep.loading.json_lines import encode_line, read_json

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

_Piece = list[tuple[bytes, "Sequence[bytes]"]]
"""Lists of positions and `_id`s, each with its lines."""

_encode: t.Final = msgspec.json.Encoder(decimal_format="number").encode

_AT_ONCE = 1 << 18
_WAITING = 3
_FAST = 1
_GZIP = 16 + isal_zlib.MAX_WBITS

METADATA: t.Final = frozenset({
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_deleted_at",
    "_sdc_sequence",
    "_sdc_table_version",
    "_sdc_sync_started_at",
})  # fmt: skip
"""Columns that the SDK takes out of records before they are loaded."""


class RecordCopies:
    """Written in pieces by a thread, for compressing lets others work; then read."""

    def __init__(self, path: Path) -> None:
        """Begin without any; the file is made with the first.

        Args:
            path: The file.
        """
        self.path = path
        self._piece: _Piece = []
        self._packed: list[bytes] = []
        self._size = 0
        self._out: t.BinaryIO | None = None
        self._writer: ThreadPoolExecutor | None = None
        self._writing: deque[Future[None]] = deque()

    def add(
        self,
        identifiers: Sequence[t.Any],
        lines: Sequence[bytes],
        without: Sequence[int] = (),
    ) -> None:
        """Append records.

        Args:
            identifiers: The `_id`s of their rows.
            lines: Objects with the `record`, without newline.
            without: Positions of those that are left out.

        Raises:
            DiskError: What came before could not be written.
        """
        if not lines:
            return
        if self._packed:
            self._hand_over()
        self._piece.append((_list_line(without) + _list_line(identifiers), lines))
        self._size += sum(map(len, lines))
        if self._size >= _AT_ONCE:
            self._hand_over()

    def add_packed(self, packed: bytes, without: Sequence[int] = ()) -> None:
        """Append records that are compressed already.

        Args:
            packed: What `pack` gave.
            without: Positions of those that are left out.

        Raises:
            DiskError: What came before could not be written.
        """
        if self._piece:
            self._hand_over()
        self._packed += (_compressed([_list_line(without)]), packed)
        self._size += len(packed)
        if self._size >= _AT_ONCE:
            self._hand_over()

    def finish(self) -> None:
        """Wait until all is written.

        Raises:
            DiskError: It could not be.
        """
        try:
            if self._piece or self._packed:
                self._hand_over()
            while self._writing:
                self._writing.popleft().result()
            if self._out:
                self._out.flush()
        except OSError as error:
            raise DiskError("the spool", error) from error
        finally:
            self._close()

    def read(self) -> Iterator[tuple[t.Any, bytes]]:
        """Each `_id` with its line, after `finish`."""
        if not self.path.exists():
            return
        with igzip.IGzipFile(self.path, "rb") as lines:  # type: ignore[no-untyped-call]  # as it is
            for without in map(read_json, lines):
                for place, identifier in enumerate(read_json(next(lines))):
                    line = next(lines)
                    if place not in without:
                        yield identifier, line

    def _hand_over(self) -> None:
        """Let the thread write what has come; it is never far behind."""
        packed, self._packed = b"".join(self._packed), []
        piece, self._piece, self._size = self._piece, [], 0
        try:
            if self._out is None or self._writer is None:
                self._out = self.path.open("wb")
                self._writer = ThreadPoolExecutor(1, "records")
            self._writing.append(self._writer.submit(_write, self._out, piece, packed))
            if len(self._writing) > _WAITING:
                self._writing.popleft().result()
        except OSError as error:
            raise DiskError("the spool", error) from error

    def _close(self) -> None:
        if self._writer:
            self._writer.shutdown()
        if self._out:
            with contextlib.suppress(OSError):  # told by what was written before
                self._out.close()
        self._writer = self._out = None


def pack(identifiers: Sequence[t.Any], text: bytes) -> bytes:
    """Records compressed for `RecordCopies.add_packed`.

    Args:
        identifiers: The `_id`s of their rows.
        text: A line for each, an object with the `record`; the last has no newline.
    """
    return _compressed((_list_line(identifiers), text, b"\n"))


def without_metadata(record: dict[str, t.Any]) -> dict[str, t.Any]:
    """The record itself where it has none of `METADATA`, else a copy without."""
    if METADATA.isdisjoint(record):
        return record
    return {name: value for name, value in record.items() if name not in METADATA}


def record_in(line: bytes) -> dict[str, t.Any]:
    """The record of a line, without what the SDK takes out of one."""
    record: dict[str, t.Any] = read_json(line)["record"]
    return without_metadata(record)


def _list_line(identifiers: Sequence[t.Any]) -> bytes:
    try:
        return _encode(identifiers) + b"\n"
    except Exception:  # noqa: BLE001 - whatever it is, the ordinary way takes it
        return encode_line(list(identifiers))


def _write(out: t.BinaryIO, piece: _Piece, packed: bytes) -> None:
    out.write(packed or _compressed(_texts_of(piece)))


def _texts_of(piece: _Piece) -> Iterator[bytes]:
    for lists, lines in piece:
        yield lists
        yield b"\n".join(lines)
        yield b"\n"


def _compressed(texts: Iterable[bytes]) -> bytes:
    """Texts as one file of gzip, without making one of them before."""
    compressor = isal_zlib.compressobj(_FAST, isal_zlib.DEFLATED, _GZIP)
    return b"".join([*map(compressor.compress, texts), compressor.flush()])
