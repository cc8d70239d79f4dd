"""Which `_id`s a batch holds already; in memory up to a bound, in a file beyond it."""

from __future__ import annotations

import sqlite3
import typing as t
from hashlib import blake2b

from target_aep.errors import DiskError

if t.TYPE_CHECKING:
    from pathlib import Path

IDS_IN_MEMORY = 100_000
"""About 10 MB; several streams are collected at once."""

_DIGEST_BYTES = 16


class SeenIds:
    """The `_id`s of one batch."""

    def __init__(self, path: Path, in_memory: int = IDS_IN_MEMORY) -> None:
        """Begin without any.

        Args:
            path: A file that may be made; it goes with its folder.
            in_memory: How many are kept in memory.
        """
        self._path = path
        self._in_memory = in_memory
        self._ids: set[bytes] = set()
        self._file: sqlite3.Connection | None = None

    def add(self, identifier: str) -> bool:
        """Take an `_id` in; whether it is new.

        Raises:
            DiskError: The file can't be written.
        """
        digest = blake2b(
            identifier.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES
        ).digest()
        if digest in self._ids:
            return False
        if len(self._ids) < self._in_memory:
            self._ids.add(digest)
            return True
        try:
            self._file = self._file or _open(self._path)
            cursor = self._file.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,))
        except sqlite3.Error as error:
            raise DiskError("the spool", error) from error
        return cursor.rowcount == 1

    def close(self) -> None:
        """Forget all."""
        self._ids.clear()
        if self._file:
            self._file.close()
            self._file = None


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.execute("BEGIN")
    return connection
