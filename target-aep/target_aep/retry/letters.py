"""The dead letters of a folder as a retry sees them: to be loaded, loaded, or without a record."""

from __future__ import annotations

import fcntl
import os
import typing as t
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

from target_aep.errors import TargetError
from target_aep.loading.dead_letters import Letter, letter_digest, read_letters, rewrite_letters

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Dataset = str | None
"""What a letter says of its dataset; None if it says nothing."""


@dataclass
class Survey:
    """What is in a folder.

    Attributes:
        waiting: Letters with a record that is not in, by stream and dataset.
        retried: The marks of rows that are in, by stream, dataset and `_id`.
        without_record: Letters without a record.
    """

    waiting: dict[str, Counter[Dataset]] = field(default_factory=dict)
    retried: dict[str, dict[Dataset, dict[str, Letter]]] = field(default_factory=dict)
    without_record: int = 0

    def marks(self, stream: str, dataset: str) -> dict[str, Letter]:
        """The marks of a stream's rows that are in a dataset, by `_id`."""
        by_dataset = self.retried.get(stream, {})
        return {**by_dataset.get(None, {}), **by_dataset.get(dataset, {})}

    def elsewhere(self, stream: str, dataset: str) -> list[str]:
        """Other datasets that letters of a stream are waiting for."""
        return sorted(each for each in self.waiting[stream] if each not in (None, dataset))


def survey(folder: Path) -> Survey:
    """Read all letters of a folder.

    Raises:
        TargetError: A file is not one of dead letters.
    """
    found = Survey()
    for letter in _all_letters(folder):
        stream, dataset, mark = letter["stream"], letter.get("dataset"), letter.get("retried")
        if mark:
            found.retried.setdefault(stream, {}).setdefault(dataset, {})[mark["_id"]] = mark
        elif letter.get("record") is None:
            found.without_record += 1
        else:
            found.waiting.setdefault(stream, Counter())[dataset] += 1
    return found


def waiting_letters(folder: Path, stream: str, dataset: str) -> Iterator[Letter]:
    """The letters of a stream for a dataset, with a record that is not in.

    Files may be rewritten meanwhile. Letters that name no dataset are for any.
    """
    for letter in _all_letters(folder):
        is_open = letter.get("record") is not None and not letter.get("retried")
        if letter["stream"] == stream and is_open and letter.get("dataset") in (None, dataset):
            yield letter


def change_letters(folder: Path, stream: str, dataset: str, changes: Mapping[str, Letter]) -> None:
    """Change what letters of a stream say, in all files.

    Args:
        folder: The folder.
        stream: The stream.
        dataset: The dataset; letters for another one stay as they are.
        changes: By `letter_digest`: fields that are set; letters that are marked stay as they are.
    """

    def changed(letter: Letter) -> Letter:
        if letter["stream"] != stream or letter.get("dataset") not in (None, dataset):
            return letter
        if letter.get("retried") or letter.get("record") is None:
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
