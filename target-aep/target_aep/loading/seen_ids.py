"""Which `_id`s a batch holds already; in memory up to a bound, in a file beyond it."""

from __future__ import annotations

import sqlite3
import typing as t
from contextlib import ExitStack
from hashlib import blake2b
from itertools import islice

from target_aep.errors import DiskError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

IDS_IN_MEMORY = 2_000_000
"""About 50 MB; batches of ordinary size have half as many."""

_DIGEST_BYTES = 16
_HEX_DIGITS = 2 * _DIGEST_BYTES
_LISTS = 1 << 16
_EMPTY: t.Final = blake2b(digest_size=_DIGEST_BYTES)
_ASKED_AT_ONCE = 500


def id_digest(identifier: str) -> bytes:
    """What stands for an `_id` among others, whatever its length.

    A number in as many hexadecimal digits as a digest has, which is what the tap's ids are, stands
    for itself.
    """
    if len(identifier) == _HEX_DIGITS and (number := _from_hex(identifier)):
        return number
    digest = _EMPTY.copy()
    digest.update(identifier.encode("utf-8", "surrogatepass"))
    return digest.digest()


def id_digests(identifiers: Sequence[t.Any]) -> list[bytes | None]:
    """`id_digest` of each that is a text, else None; all at once if all are such numbers."""
    size = _DIGEST_BYTES
    if all(each.__class__ is str and len(each) == _HEX_DIGITS for each in identifiers):
        numbers = _from_hex("".join(identifiers))
        if numbers:
            return [numbers[at : at + size] for at in range(0, len(numbers), size)]
    return [id_digest(each) if isinstance(each, str) else None for each in identifiers]


def _from_hex(digits: str) -> bytes | None:
    """A number out of lowercase digits; None of any other text."""
    try:
        number = bytes.fromhex(digits)
    except ValueError:
        return None
    return number if number.hex() == digits else None


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
        self._ids = _CompactSet()
        self._file: sqlite3.Connection | None = None

    def add_all(self, digests: Sequence[bytes | None]) -> list[int]:
        """Take `_id`s in, in their order.

        Args:
            digests: Of each its `id_digest`; None of one that is always new.

        Returns:
            The positions of those that are not new.

        Raises:
            DiskError: The file can't be written.
        """
        room = self._in_memory - len(self._ids)
        if room >= len(digests):
            return self._ids.add_all(digests)
        try:
            return list(self._add_beyond(digests))
        except sqlite3.Error as error:
            raise DiskError("the spool", error) from error

    def _add_beyond(self, digests: Sequence[bytes | None]) -> Iterator[int]:
        """Those that memory has no room for go to the file."""
        self._file = self._file or _open(self._path)
        filed = _found(self._file, digests)
        fresh: dict[bytes, None] = {}
        for position, digest in enumerate(digests):
            if digest is None:
                continue
            if digest in self._ids or digest in filed or digest in fresh:
                yield position
            elif len(self._ids) < self._in_memory:
                self._ids.add_all([digest])
            else:
                fresh[digest] = None
        self._file.executemany("INSERT INTO seen VALUES (?)", ((digest,) for digest in fresh))

    def holds_any(self, digests: Sequence[bytes]) -> bool:
        """Whether one of some `_id`s was taken in, by `id_digest`.

        Raises:
            DiskError: The file can't be read.
        """
        if any(digest in self._ids for digest in digests):
            return True
        try:
            return self._file is not None and bool(_found(self._file, digests))
        except sqlite3.Error as error:
            raise DiskError("the spool", error) from error

    def close(self) -> None:
        """Forget all."""
        self._ids = _CompactSet()
        if self._file:
            self._file.close()
            self._file = None


class _CompactSet:
    """A set of digests in a quarter of the memory of Python's own: in many lists, by their hash."""

    def __init__(self) -> None:
        self._lists: list[bytes | None] = [None] * _LISTS
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, digest: bytes) -> bool:
        known = self._lists[hash(digest) % _LISTS]
        return known is not None and _is_among(digest, known)

    def add_all(self, digests: Sequence[bytes | None]) -> list[int]:
        """Add digests; the positions of those that were there already."""
        known: list[int] = []
        lists = self._lists
        for position, digest in enumerate(digests):
            if digest is None:
                continue
            place = hash(digest) % _LISTS
            others = lists[place]
            if others is None:
                lists[place] = digest
            elif others.find(digest) >= 0 and _is_among(digest, others):
                known.append(position)
                continue
            else:
                lists[place] = others + digest
            self._count += 1
        return known


def _is_among(digest: bytes, others: bytes) -> bool:
    """Whether it is one of them, and not only across the border of two."""
    at = others.find(digest)
    while at >= 0 and at % len(digest):
        at = others.find(digest, at + 1)
    return at >= 0


def _found(file: sqlite3.Connection, digests: Sequence[bytes | None]) -> set[bytes]:
    """Those that the file has."""
    found: set[bytes] = set()
    wanted = (digest for digest in digests if digest is not None)
    while some := list(islice(wanted, _ASKED_AT_ONCE)):
        marks = ",".join("?" * len(some))
        rows = file.execute(f"SELECT id FROM seen WHERE id IN ({marks})", some)  # noqa: S608 - marks
        found.update(row[0] for row in rows)
    return found


def _open(path: Path) -> sqlite3.Connection:
    with ExitStack() as stack:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        stack.callback(connection.close)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
        connection.execute("BEGIN")
        stack.pop_all()
    return connection
