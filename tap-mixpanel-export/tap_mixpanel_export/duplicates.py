"""Events that Mixpanel exports more than once in one window, told by their event_id.

Raw export is not de-duplicated: https://developer.mixpanel.com/reference/event-deduplication
The keys of a window are held in memory up to a bound and go to a file beyond it.
"""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import contextmanager
from itertools import count
from mmap import mmap
from struct import Struct
from typing import TYPE_CHECKING

from typing_extensions import Self

from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.event import EVENT_ID_BYTES
from tap_mixpanel_export.spool import SPOOL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

KEYS_IN_MEMORY = 1_000_000
"""32 MB; the windows that the tap aims at have one million events, and at most two."""

_SMALLEST_TABLE = 16
_PAIR = Struct("=QQ")


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
        self._keys = _CompactKeys(in_memory)
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
        return self.repeats_of(b"".join(keys))

    def repeats_of(self, joined: bytes) -> list[int]:
        """Take keys in; returns the places of those that are not new.

        Args:
            joined: The bytes of event_ids, one after the other.

        Raises:
            StorageError: The file cannot be written.
        """
        room = self._in_memory - len(self._keys)
        if self._file is None and len(joined) <= EVENT_ID_BYTES * room:
            return self._keys.repeats(joined)
        begins = range(0, len(joined), EVENT_ID_BYTES)
        return self._one_by_one([joined[at : at + EVENT_ID_BYTES] for at in begins])

    def _one_by_one(self, keys: Sequence[bytes]) -> list[int]:
        found = []
        others = []
        for place, key in enumerate(keys):
            if key in self._keys:
                found.append(place)
            elif len(self._keys) < self._in_memory:
                self._keys.repeats(key)
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
    """Keys in a third of the memory that a set takes.

    It is a table of pairs of numbers, twice as many as there may be keys. As keys are hashes, one
    is looked for from the place that its first number names on; where no pair is, that is 0.
    """

    def __init__(self, most: int) -> None:
        self._size = _SMALLEST_TABLE
        while self._size < 2 * most:
            self._size *= 2
        self._table: memoryview | None = None
        self._count = 0
        self._begin_with_zero: set[int] = set()

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        self._table = None
        self._count = 0
        self._begin_with_zero.clear()

    def __contains__(self, key: bytes) -> bool:
        first, second = _PAIR.unpack(key)
        if not first:
            return second in self._begin_with_zero
        table, mask = self._opened(), 2 * self._size - 2
        at = first & mask
        while table[at]:
            if table[at] == first and table[at + 1] == second:
                return True
            at = at + 2 & mask
        return False

    def repeats(self, keys: bytes) -> list[int]:
        """Take keys in; returns the places of those that are not new."""
        table, mask = self._opened(), 2 * self._size - 2
        numbers = array("Q", keys)
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        found = []
        for place, (first, second) in enumerate(pairs):
            at = first & mask
            while other := table[at]:
                if other == first and table[at + 1] == second:
                    found.append(place)
                    break
                at = at + 2 & mask
            else:
                if first:
                    table[at] = first
                    table[at + 1] = second
                elif second in self._begin_with_zero:
                    found.append(place)
                else:
                    self._begin_with_zero.add(second)
        self._count += len(keys) // EVENT_ID_BYTES - len(found)
        return found

    def _opened(self) -> memoryview:
        if self._table is None:
            # The system makes its pages when they are first written to.
            self._table = memoryview(mmap(-1, EVENT_ID_BYTES * self._size)).cast("Q")
        return self._table


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
