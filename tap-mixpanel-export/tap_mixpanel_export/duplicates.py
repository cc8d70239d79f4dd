"""Events that Mixpanel exports more than once in one window, told by their event_id.

Raw export is not de-duplicated: https://developer.mixpanel.com/reference/event-deduplication
The keys of a window are held in memory up to a bound and go to a file beyond it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.spool import SPOOL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

KEYS_IN_MEMORY = 1_000_000
"""Up to 30 MB; the windows that the tap aims at have one million events, and at most two."""

_BEGINNING = 2


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
        self._keys = _CompactKeys()
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
        return not self.repeats([bytes.fromhex(event_id)])

    def repeats(self, keys: Sequence[bytes]) -> list[int]:
        """Take keys in; returns the places of those that are not new.

        Args:
            keys: The bytes of event_ids.

        Raises:
            StorageError: The file cannot be written.
        """
        room = self._in_memory - len(self._keys)
        if self._file is None and len(keys) <= room:
            return self._keys.repeats(keys)
        found = []
        others = []
        for place, key in enumerate(keys):
            if key in self._keys:
                found.append(place)
            elif len(self._keys) < self._in_memory:
                self._keys.repeats([key])
            else:
                others.append(place)
        if others:
            again = self._open_file().repeats([keys[place] for place in others])
            found = sorted((*found, *(others[each] for each in again)))
        return found

    def _open_file(self) -> _KeyFile:
        if self._file is None:
            self._file = _KeyFile(self._spool / f"keys{SPOOL_SUFFIX}")
        return self._file


class _CompactKeys:
    """Keys in a fifth of the memory that a set takes: the rests of keys with the same beginning."""

    def __init__(self) -> None:
        self._rests: defaultdict[bytes, bytearray] = defaultdict(bytearray)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: bytes) -> bool:
        return _holds(self._rests[key[:_BEGINNING]], key[_BEGINNING:])

    def clear(self) -> None:
        self._rests.clear()
        self._count = 0

    def repeats(self, keys: Sequence[bytes]) -> list[int]:
        """Take keys in; returns the places of those that are not new."""
        all_rests = self._rests
        found = []
        for place, key in enumerate(keys):
            rests = all_rests[key[:_BEGINNING]]
            rest = key[_BEGINNING:]
            if rest in rests and _holds(rests, rest):
                found.append(place)
            else:
                rests += rest
        self._count += len(keys) - len(found)
        return found


def _holds(rests: bytearray, rest: bytes) -> bool:
    """Whether one of the rests is this, and not only parts of two."""
    at = rests.find(rest)
    while at > 0 and at % len(rest):
        at = rests.find(rest, at + 1)
    return at >= 0


class _KeyFile:
    """Keys in a throw-away SQLite file, whose own cache is small."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offered = 0
        with _storage_errors(path):
            self._connection = sqlite3.connect(path, isolation_level=None)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute(
                "CREATE TABLE seen (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID"
            )
            self._connection.execute("BEGIN")

    def repeats(self, keys: Sequence[bytes]) -> list[int]:
        """Take keys in; returns the places of those that are not new."""
        rows = list(zip(keys, count(self._offered)))
        self._offered += len(rows)
        with _storage_errors(self._path):
            added = self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", rows)
            if added.rowcount == len(rows):
                return []
            return [place for place, row in enumerate(rows) if not self._is_first(row)]

    def _is_first(self, row: tuple[bytes, int]) -> bool:
        """Whether a key was taken in under this number, and not under an earlier one."""
        found = self._connection.execute("SELECT 1 FROM seen WHERE key = ? AND number = ?", row)
        return found.fetchone() is not None

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
