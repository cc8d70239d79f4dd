"""Events that Mixpanel exports more than once in one window, told by their event_id.

Raw export is not de-duplicated: https://developer.mixpanel.com/reference/event-deduplication
The keys of a window are held in memory up to a bound and go to a file beyond it.
"""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import ExitStack, contextmanager
from itertools import compress, count
from typing import TYPE_CHECKING, Final

from typing_extensions import Self

from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.event import EVENT_ID_BYTES
from tap_mixpanel_export.spool import SPOOL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

KEYS_IN_MEMORY = 1_000_000
"""33 MB, or up to 49 where many repeat.

The windows that the tap aims at have one million events, and at most two."""

_SMALLEST_TABLE = 16
_FIRST_TABLE = 1 << 18
_PLACES_OF_A_KEY = 4  # with fewer, more of them want the same one
_NUMBERS: Final = "I"


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

    They are kept one after the other, in the order in which they came, and so are repeats for a
    while. A table has the number of each key, from 1; as keys are hashes, one is looked for from
    the place that its first bytes name on. Most windows do with a small table.
    """

    def __init__(self, most: int) -> None:
        self._full_size = _SMALLEST_TABLE
        while self._full_size < _PLACES_OF_A_KEY * most:
            self._full_size *= 2
        self._size = min(_FIRST_TABLE, self._full_size)
        self._most_kept = 2 * most * EVENT_ID_BYTES
        self._table: array[int] | None = None
        self._keys = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        self._size = min(_FIRST_TABLE, self._full_size)
        self._table = None
        self._keys.clear()
        self._count = 0

    def __contains__(self, key: bytes) -> bool:
        table, mask = self._opened(), self._size - 1
        at = array(_NUMBERS, key)[0] & mask
        while number := table[at]:
            if self._key(number) == key:
                return True
            at = at + 1 & mask
        return False

    def repeats(self, keys: bytes) -> list[int]:
        """Take keys in; returns the places of those that are not new."""
        most = self._count + len(keys) // EVENT_ID_BYTES
        is_crowded = self._size < min(self._full_size, _PLACES_OF_A_KEY * most)
        if is_crowded or len(self._keys) > self._most_kept:
            self._begin_anew(self._full_size if is_crowded else self._size)
        table, mask, kept, size = self._opened(), self._size - 1, self._keys, EVENT_ID_BYTES
        found = []
        first = len(kept) // size + 1
        kept += keys
        beginnings = array(_NUMBERS, keys)[:: size // table.itemsize]
        for number, beginning in enumerate(beginnings, first):
            at = beginning & mask
            while other := table[at]:
                other *= size
                if kept[other - size : other] == kept[(number - 1) * size : number * size]:
                    found.append(number - first)
                    break
                at = at + 1 & mask
            else:
                table[at] = number
        self._count += len(keys) // size - len(found)
        return found

    def _key(self, number: int) -> bytearray:
        end = number * EVENT_ID_BYTES
        return self._keys[end - EVENT_ID_BYTES : end]

    def _begin_anew(self, size: int) -> None:
        """Drop the repeats, in place, and take the keys into a table of this size."""
        is_new = bytearray(len(self._keys) // EVENT_ID_BYTES + 1)
        for number in filter(None, self._opened()):
            is_new[number] = True
        end = 0
        for number in compress(range(len(is_new)), is_new):
            self._keys[end : end + EVENT_ID_BYTES] = self._key(number)
            end += EVENT_ID_BYTES
        del self._keys[end:]
        self._table, self._size = None, size
        self._fill(self._opened(), size - 1)

    def _fill(self, table: array[int], mask: int) -> None:
        """Number all keys in an empty table."""
        with memoryview(self._keys) as keys, keys.cast(_NUMBERS) as numbers:
            for number, beginning in enumerate(numbers[:: EVENT_ID_BYTES // table.itemsize], 1):
                at = beginning & mask
                while table[at]:
                    at = at + 1 & mask
                table[at] = number

    def _opened(self) -> array[int]:
        if self._table is None:
            self._table = array(_NUMBERS, [0]) * self._size
        return self._table


class _KeyFile:
    """Keys in a throw-away SQLite file, whose own cache is small."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offered = 0
        with _storage_errors(path), ExitStack() as stack:
            self._connection = sqlite3.connect(path, isolation_level=None)
            stack.callback(self._connection.close)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute(
                "CREATE TABLE seen (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID"
            )
            self._connection.execute("BEGIN")
            stack.pop_all()

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
