"""Rejected records, kept with the reason so that none disappears.

Each commit has files of its own, `{stream}-{commit}-{what}.jsonl`, which appear as a whole: a run
that repeats a commit keeps the letters that are there, and adds what is new. A letter that was
loaded after all stays, with the mark `retried`.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
import typing as t
from datetime import datetime, timezone
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from singer_sdk.singerlib.json import deserialize_json, serialize_json

from target_aep.errors import TargetError
from target_aep.loading.json_lines import encode_line
from target_aep.xdm.timestamps import format_date_time

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from target_aep.loading.commit_key import CommitKey

Letter = dict[str, t.Any]

FILE_MAX_BYTES = 64 << 20
"""A file is followed by another one at this size."""

_BUFFER = 1 << 20
_DIGEST_BYTES = 16
_WITHOUT_RECORD = ("xdm", "code", "batch", "reason")


def make_letter(
    *,
    stream: str,
    reason: str,
    code: str,
    field: str | None,
    record: t.Any = None,
    xdm: t.Any = None,
    batch: str | None = None,
    state: t.Any = None,
) -> Letter:
    """One dead letter.

    Args:
        stream: The stream of the record.
        reason: Why it did not get in, in words.
        code: Adobe's error code, or `LOCAL` for a record that was not sent.
        field: The XDM field at fault, where one is.
        record: The source record, where it is at hand.
        xdm: The row that was sent, where Experience Platform rejected it.
        batch: The batch that it was sent in.
        state: The STATE that passes it.
    """
    letter = {
        "stream": stream,
        "reason": reason,
        "code": code,
        "field": field,
        "batch": batch,
        "record": record,
        "state": state,
        "time": now_text(),
    }
    return letter if xdm is None else {**letter, "xdm": xdm}


def now_text() -> str:
    """The time of a letter or a mark, RFC 3339 in UTC."""
    return format_date_time(datetime.now(timezone.utc))


def letter_digest(letter: Letter) -> str:
    """What tells a letter from others, whatever became of it: its record, else its row."""
    record = letter.get("record")
    content = [record] if record is not None else [letter.get(name) for name in _WITHOUT_RECORD]
    text = serialize_json([letter.get("stream"), content], sort_keys=True)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def stream_file_name(stream: str) -> str:
    """A stream's name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stream).strip(".") or "stream"


class Count(t.NamedTuple):
    """How many letters there are, and how many of them are of records that are not in yet."""

    written: int = 0
    waiting: int = 0


class DeadLetters:
    """The files of one stream's dead letters.

    Attributes:
        folder: Where they are.
    """

    def __init__(self, folder: Path, stream: str, dataset: str = "") -> None:
        """Point at the folder; it is made with the first letter.

        Args:
            folder: Where files are.
            stream: The stream.
            dataset: Where its records go, which each letter tells; empty if that has no name.
        """
        self.folder = folder
        self._name = stream_file_name(stream)
        self._dataset = dataset

    def write(self, key: CommitKey, what: str, letters: Iterable[Letter]) -> Count:
        """Write letters and wait until they are on disk, because a STATE will pass them.

        Those that an earlier run of the same commit has written are kept, with their marks.

        Args:
            key: The commit that they belong to.
            what: Tells its files apart.
            letters: The letters.

        Returns:
            How many there are now.

        Raises:
            TargetError: They can't be written.
        """
        earlier = self._files_of(key, what)
        addressed = self._addressed(letters)
        tally = _Tally(_with_earlier(earlier, addressed) if earlier else addressed)
        number = 0
        while (first := next(tally, None)) is not None:
            number += 1
            path = self.folder / f"{self._name}-{key.digest}-{what}-{number:04d}.jsonl"
            try:
                _write_whole(path, first, tally)
            except OSError as error:
                raise _can_not_write(path, error) from error
        for path in earlier[number:]:
            path.unlink(missing_ok=True)
        return tally.count

    def _addressed(self, letters: Iterable[Letter]) -> Iterator[Letter]:
        for letter in letters:
            yield {**letter, "dataset": self._dataset} if self._dataset else letter

    def count(self, key: CommitKey, what: str) -> Count:
        """How many letters of one kind a commit has."""
        tally = _Tally(
            letter for path in self._files_of(key, what) for letter in read_letters(path)
        )
        for _ in tally:
            pass
        return tally.count

    def waiting(self, key: CommitKey, what: str) -> set[str]:
        """The `letter_digest` of letters of one kind that a commit has, and that are not in yet."""
        letters = (letter for path in self._files_of(key, what) for letter in read_letters(path))
        return {letter_digest(letter) for letter in letters if not letter.get("retried")}

    def mark(self, key: CommitKey, what: str, marks: Mapping[str, Letter]) -> None:
        """Mark letters of a commit as loaded after all.

        Args:
            key: The commit.
            what: Which of its files.
            marks: By `letter_digest`.
        """

        def marked(letter: Letter) -> Letter:
            mark = None if letter.get("retried") else marks.get(letter_digest(letter))
            return letter if mark is None else {**letter, "retried": mark}

        for path in self._files_of(key, what) if marks else ():
            rewrite_letters(path, marked)

    def _files_of(self, key: CommitKey, what: str) -> list[Path]:
        return sorted(self.folder.glob(f"{self._name}-{key.digest}-{what}-[0-9]*.jsonl"))

    def commits(self) -> frozenset[str]:
        """The digests of the commits that have letters."""
        name = re.compile(rf"{re.escape(self._name)}-([0-9a-f]{{32}})-.+\.jsonl")
        matches = (name.fullmatch(path.name) for path in self.folder.glob(f"{self._name}-*"))
        return frozenset(match[1] for match in matches if match)

    def files(self, *keys: CommitKey) -> list[Path]:
        """The files of commits."""
        return [
            path
            for digest in dict.fromkeys(key.digest for key in keys)
            for path in sorted(self.folder.glob(f"{self._name}-{digest}-*.jsonl"))
        ]

    def digests(self, *keys: CommitKey) -> set[str]:
        """What tells the letters of commits from others."""
        return {letter_digest(letter) for letter in self._letters_of(*keys)}

    def records(self, *keys: CommitKey) -> Iterator[t.Any]:
        """The records of the letters of commits."""
        return (letter.get("record") for letter in self._letters_of(*keys))

    def _letters_of(self, *keys: CommitKey) -> Iterator[Letter]:
        return (letter for path in self.files(*keys) for letter in read_letters(path))

    def row_ids(self) -> set[str]:
        """The `_id`s of rows that Experience Platform rejected, of all commits."""
        files = self.folder.glob(f"{self._name}-*.jsonl")
        rows = (letter.get("xdm") for path in files for letter in read_letters(path))
        return {row["_id"] for row in rows if isinstance(row, dict) and "_id" in row}

    def set_aside(self, *keys: CommitKey) -> set[str]:
        """The `_id`s of rows of commits for which a batch has failed."""
        return {letter["xdm"]["_id"] for letter in self._letters_of(*keys) if letter.get("aside")}

    def retried(self, *keys: CommitKey) -> set[str]:
        """The `_id`s of rows of commits that are in after all, in other batches."""
        letters = self._letters_of(*keys)
        return {letter["retried"]["_id"] for letter in letters if letter.get("retried")}


class _Tally:
    """Letters that are counted as they go by."""

    def __init__(self, letters: Iterable[Letter]) -> None:
        self._letters = iter(letters)
        self._written = self._waiting = 0

    @property
    def count(self) -> Count:
        return Count(self._written, self._waiting)

    def __iter__(self) -> Iterator[Letter]:
        return self

    def __next__(self) -> Letter:
        letter = next(self._letters)
        self._written += 1
        self._waiting += not letter.get("retried")
        return letter


def _can_not_write(path: Path, error: OSError) -> TargetError:
    return TargetError(f"dead_letter_path: can't write {path}: {error.strerror}")


def read_letters(path: Path) -> Iterator[Letter]:
    """The letters of a file.

    Raises:
        TargetError: It can't be read, or is not a file of dead letters.
    """
    try:
        with path.open("rb") as lines:
            yield from map(_letter, lines)
    except (OSError, ValueError, RecursionError) as error:
        raise TargetError(f"{path} can't be read as dead letters: {error}") from error


def rewrite_letters(path: Path, change: Callable[[Letter], Letter | None]) -> None:
    """Change letters of a file, which is replaced as a whole, or deleted when none is left.

    Args:
        path: The file.
        change: Gives the letter that takes a letter's place, itself or another one, or None.

    Raises:
        TargetError: It can't be read or written.
    """
    if all(change(letter) is letter for letter in read_letters(path)):
        return
    changed = (fresh for letter in read_letters(path) if (fresh := change(letter)) is not None)
    first = next(changed, None)
    try:
        if first is None:
            path.unlink()
        else:
            _write_whole(path, first, changed, max_bytes=math.inf)
    except OSError as error:
        raise _can_not_write(path, error) from error


def _with_earlier(earlier: list[Path], letters: Iterable[Letter]) -> Iterator[Letter]:
    """The letters of earlier files, which may be replaced meanwhile, and then what is new."""
    known = {letter_digest(letter) for path in earlier for letter in read_letters(path)}
    there = (letter for path in earlier for letter in read_letters(path))
    return chain(there, (letter for letter in letters if letter_digest(letter) not in known))


def _letter(line: bytes) -> Letter:
    letter = deserialize_json(line)
    if not isinstance(letter, dict):
        raise ValueError("a line is not an object")  # noqa: TRY004 - input, not a bug
    return letter


def _write_whole(
    path: Path, first: Letter, letters: Iterator[Letter], max_bytes: float = FILE_MAX_BYTES
) -> None:
    """Write the first letter and as many more as a file takes."""

    def lines() -> Iterator[bytes]:
        size, letter = 0, t.cast("Letter | None", first)
        while letter is not None:
            line = encode_line(letter)
            size += len(line)
            yield line
            letter = None if size >= max_bytes else next(letters, None)

    write_durably(path, lines())


def write_durably(path: Path, lines: Iterable[bytes]) -> None:
    """Write a file that appears, or replaces the one before, when all of it is on disk.

    Raises:
        OSError: It can't be written; nothing is left of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb", _BUFFER) as out:
            out.writelines(lines)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
