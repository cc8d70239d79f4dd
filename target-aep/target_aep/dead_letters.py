"""Rejected records, kept with the reason so that none disappears.

Each commit has files of its own, `{stream}-{commit}-{what}.jsonl`, which appear as a whole: a run
that repeats a commit keeps the letters that are there, and adds what is new. A letter that was
loaded after all stays, with the mark `retried`.
"""

from __future__ import annotations

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
from target_aep.json_lines import encode_line
from target_aep.timestamps import format_date_time

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_aep.commit_key import CommitKey

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


class DeadLetters:
    """The files of one stream's dead letters.

    Attributes:
        folder: Where they are.
    """

    def __init__(self, folder: Path, stream: str) -> None:
        """Point at the folder; it is made with the first letter."""
        self.folder = folder
        self._name = stream_file_name(stream)

    def write(self, key: CommitKey, what: str, letters: Iterable[Letter]) -> int:
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
        count = number = 0
        earlier = sorted(self.folder.glob(f"{self._name}-{key.digest}-{what}-[0-9]*.jsonl"))
        letters = _with_earlier(earlier, letters) if earlier else iter(letters)
        while (first := next(letters, None)) is not None:
            number += 1
            path = self.folder / f"{self._name}-{key.digest}-{what}-{number:04d}.jsonl"
            try:
                count += _write_whole(path, first, letters)
            except OSError as error:
                raise TargetError(
                    f"dead_letter_path: can't write {path}: {error.strerror}"
                ) from error
        return count

    def commits(self) -> frozenset[str]:
        """The digests of the commits that have letters."""
        name = re.compile(rf"{re.escape(self._name)}-([0-9a-f]{{32}})-.+\.jsonl")
        matches = (name.fullmatch(path.name) for path in self.folder.glob(f"{self._name}-*"))
        return frozenset(match[1] for match in matches if match)

    def files(self, key: CommitKey) -> list[Path]:
        """The files of a commit."""
        return sorted(self.folder.glob(f"{self._name}-{key.digest}-*.jsonl"))

    def digests(self, key: CommitKey) -> set[str]:
        """What tells the letters of a commit from others."""
        return {letter_digest(letter) for path in self.files(key) for letter in read_letters(path)}

    def row_ids(self, *, but: CommitKey) -> set[str]:
        """The `_id`s of rows that Experience Platform rejected, of all commits but one."""
        files = self.folder.glob(f"{self._name}-*.jsonl")
        rows = (
            letter.get("xdm")
            for path in files
            if f"-{but.digest}-" not in path.name
            for letter in read_letters(path)
        )
        return {row["_id"] for row in rows if isinstance(row, dict) and "_id" in row}

    def set_aside(self, key: CommitKey) -> set[str]:
        """The `_id`s of rows of a commit that failed a batch, or were loaded by a retry."""
        letters = (letter for path in self.files(key) for letter in read_letters(path))
        return {
            (letter.get("retried") or letter["xdm"])["_id"]
            for letter in letters
            if letter.get("aside") or letter.get("retried")
        }


def read_letters(path: Path) -> Iterator[Letter]:
    """The letters of a file.

    Raises:
        TargetError: It can't be read, or is not a file of dead letters.
    """
    try:
        with path.open("rb") as lines:
            yield from map(_letter, lines)
    except (OSError, ValueError) as error:
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
            _write_whole(path, first, changed, max_bytes=None)
    except OSError as error:
        raise TargetError(f"dead_letter_path: can't write {path}: {error.strerror}") from error


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
    path: Path, first: Letter, letters: Iterator[Letter], max_bytes: int | None = FILE_MAX_BYTES
) -> int:
    """Write the first letter and as many more as a file takes; how many those are."""
    count = size = 0

    def lines() -> Iterator[bytes]:
        nonlocal count, size
        letter: Letter | None = first
        while letter is not None:
            line = encode_line(letter)
            count += 1
            size += len(line)
            yield line
            is_full = max_bytes is not None and size >= max_bytes
            letter = None if is_full else next(letters, None)

    write_durably(path, lines())
    return count


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
