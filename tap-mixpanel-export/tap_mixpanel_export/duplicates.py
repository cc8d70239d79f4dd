"""Events that Mixpanel exports more than once in one window, told by their event_id.

Raw export is not de-duplicated: https://developer.mixpanel.com/reference/event-deduplication
The keys of a window are held in memory up to a bound and go to a file beyond it.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.spool import SPOOL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

KEYS_IN_MEMORY = 500_000
"""About 50 MB; the windows that the tap aims at have one or two million events."""


class SeenKeys:
    """The keys of one window; use as a context manager."""

    def __init__(self, spool: Path, in_memory: int = KEYS_IN_MEMORY) -> None:
        """Begin without any key.

        Args:
            spool: Where a file may be made.
            in_memory: How many keys are held in memory.
        """
        self._spool = spool
        self._in_memory = in_memory
        self._keys: set[bytes] = set()
        self._file: _KeyFile | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all keys: another window begins."""
        self._keys.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, event_id: str) -> bool:
        """Take a key in; returns whether it is new.

        Raises:
            StorageError: The file cannot be written.
        """
        key = bytes.fromhex(event_id)
        if key in self._keys:
            return False
        if len(self._keys) < self._in_memory:
            self._keys.add(key)
            return True
        if self._file is None:
            self._file = _KeyFile(self._spool / f"keys{SPOOL_SUFFIX}")
        return self._file.add(key)


class _KeyFile:
    """Keys in a throw-away SQLite file, whose own cache is small."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _storage_errors(path):
            self._connection = sqlite3.connect(path, isolation_level=None)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-32000"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute("CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")
            self._connection.execute("BEGIN")

    def add(self, key: bytes) -> bool:
        with _storage_errors(self._path):
            cursor = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,))
            return cursor.rowcount == 1

    def close(self) -> None:
        self._connection.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(
            f"state_dir: cannot keep the keys of a window in {path.parent} ({error}); free space "
            "there, or name another directory"
        ) from error
