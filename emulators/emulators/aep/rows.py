"""The promoted rows of a batch on disk, and how many distinct `_id` they have."""

from __future__ import annotations

import hashlib
import json
from array import array
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

    from emulators.aep.model import JsonObject

ROWS_FILE = "rows.jsonl"
IDS_FILE = "ids.bin"

_DIGEST_BYTES = 8
_BUCKETS = 64
_BUCKET_SHIFT = 58


class RowWriter:
    """Writes a batch's good rows; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self.bytes = 0
        self._rows: BinaryIO = (folder / ROWS_FILE).open("wb")
        self._ids: BinaryIO = (folder / IDS_FILE).open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._rows.close()
        self._ids.close()

    def add(self, row: JsonObject, line: bytes | None) -> None:
        """Append a row: its line when it stays as it came, else None."""
        if line is None:
            line = json.dumps(row, separators=(",", ":")).encode()
        key = row.get("_id")
        unique = key.encode("utf-8", "surrogatepass") if type(key) is str else line
        self.count += 1
        self.bytes += self._rows.write(line + b"\n")
        self._ids.write(hashlib.blake2b(unique, digest_size=_DIGEST_BYTES).digest())


def read_rows(folders: Iterable[Path]) -> Iterator[bytes]:
    """The rows of several batches, one line each with its line end."""
    for folder in folders:
        with (folder / ROWS_FILE).open("rb") as lines:
            yield from lines


def count_distinct(folders: Iterable[Path]) -> int:
    """How many different `_id` the rows of several batches have, in a few bytes per row."""
    buckets = [array("Q") for _ in range(_BUCKETS)]
    for folder in folders:
        for value in _digests(folder / IDS_FILE):
            buckets[value >> _BUCKET_SHIFT].append(value)
    return sum(len(set(bucket)) for bucket in buckets)


def remove_rows(folder: Path) -> None:
    """Delete a batch's rows."""
    for name in (ROWS_FILE, IDS_FILE):
        (folder / name).unlink(missing_ok=True)


def _digests(path: Path) -> array[int]:
    values = array("Q")
    values.frombytes(path.read_bytes())
    return values
