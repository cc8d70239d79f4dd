"""The dead letters of a folder as a retry sees them: to be loaded, loaded, or without a record."""

from __future__ import annotations

import fcntl
import os
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field

from target_aep.errors import TargetError
from target_aep.loading.dead_letters import Letter, letter_digest, read_letters, rewrite_letters

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass
class Survey:
    """What is in a folder.

    Attributes:
        waiting: Letters with a record that is not in, by stream.
        retried: The marks of rows that are in, by stream and `_id`.
        without_record: Letters without a record.
    """

    waiting: dict[str, int] = field(default_factory=dict)
    retried: dict[str, dict[str, Letter]] = field(default_factory=dict)
    without_record: int = 0


def survey(folder: Path) -> Survey:
    """Read all letters of a folder.

    Raises:
        TargetError: A file is not one of dead letters.
    """
    found = Survey()
    for letter in _all_letters(folder):
        stream, mark = letter["stream"], letter.get("retried")
        if mark:
            found.retried.setdefault(stream, {})[mark["_id"]] = mark
        elif letter.get("record") is None:
            found.without_record += 1
        else:
            found.waiting[stream] = found.waiting.get(stream, 0) + 1
    return found


def waiting_letters(folder: Path, stream: str) -> Iterator[Letter]:
    """The letters of a stream with a record that is not in; files may be rewritten meanwhile."""
    for letter in _all_letters(folder):
        is_open = letter.get("record") is not None and not letter.get("retried")
        if letter["stream"] == stream and is_open:
            yield letter


def change_letters(folder: Path, stream: str, changes: Mapping[str, Letter]) -> None:
    """Change what letters of a stream say, in all files.

    Args:
        folder: The folder.
        stream: The stream.
        changes: By `letter_digest`: fields that are set; letters that are marked stay as they are.
    """

    def changed(letter: Letter) -> Letter:
        if letter["stream"] != stream or letter.get("retried") or letter.get("record") is None:
            return letter
        change = changes.get(letter_digest(letter))
        return letter if change is None else {**letter, **change}

    if changes:
        for path in _files(folder):
            rewrite_letters(path, changed)


@contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """Keep other retries away from a folder.

    Raises:
        TargetError: Another one is at work, or the folder can't be read.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise TargetError(f"dead_letter_path: can't read {folder}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise TargetError(
            f"dead_letter_path: another retry is at work on {folder}; wait for its end"
        ) from error
    finally:
        os.close(descriptor)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _all_letters(folder: Path) -> Iterator[Letter]:
    for path in _files(folder):
        for number, letter in enumerate(read_letters(path), 1):
            if not _is_whole(letter):
                raise TargetError(
                    f"{path} can't be read as dead letters: line {number} is not one. Move other "
                    "files out of dead_letter_path"
                )
            yield letter


def _is_whole(letter: Letter) -> bool:
    record, mark = letter.get("record"), letter.get("retried")
    return (
        isinstance(letter.get("stream"), str)
        and (record is None or isinstance(record, dict))
        and (mark is None or (isinstance(mark, dict) and isinstance(mark.get("_id"), str)))
    )
