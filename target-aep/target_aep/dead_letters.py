"""Rejected records, kept with the reason so that none disappears.

Each commit has files of its own, `{stream}-{commit}-{what}.jsonl`, which appear as a whole: a run
that repeats a commit writes the same letters into the same file.
"""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from singer_sdk.singerlib.json import deserialize_json

from target_aep.errors import TargetError
from target_aep.json_lines import encode_line
from target_aep.timestamps import format_date_time

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.commit_key import CommitKey

Letter = dict[str, t.Any]

FILE_MAX_BYTES = 64 << 20
"""A file is followed by another one at this size."""

_BUFFER = 1 << 20


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
        "time": format_date_time(datetime.now(timezone.utc)),
    }
    return letter if xdm is None else {**letter, "xdm": xdm}


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

        Args:
            key: The commit that they belong to.
            what: Tells its files apart.
            letters: The letters.

        Returns:
            How many there were.

        Raises:
            TargetError: They can't be written.
        """
        count = number = 0
        letters = iter(letters)
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

    def set_aside(self, key: CommitKey) -> set[str]:
        """The `_id`s of rows of a commit that failed a batch, in this run or an earlier one."""
        return {
            letter["xdm"]["_id"]
            for path in sorted(self.folder.glob(f"{self._name}-{key.digest}-*.jsonl"))
            for letter in read_letters(path)
            if letter.get("aside")
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


def _letter(line: bytes) -> Letter:
    letter = deserialize_json(line)
    if not isinstance(letter, dict):
        raise ValueError("a line is not an object")  # noqa: TRY004 - input, not a bug
    return letter


def _write_whole(path: Path, first: Letter, letters: Iterator[Letter]) -> int:
    """Write the first letter and as many more as a file takes; it appears when all are on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = size = 0
    letter: Letter | None = first
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb", _BUFFER) as out:
            while letter is not None:
                size += out.write(encode_line(letter))
                count += 1
                letter = next(letters, None) if size < FILE_MAX_BYTES else None
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    return count


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
