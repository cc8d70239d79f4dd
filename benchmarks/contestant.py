"""What takes part in the benchmark: a name, a pipeline for a workload, and what came out of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.process_meter import OUTPUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.process_meter import Pipeline
    from benchmarks.workload import Workload


class UnknownContestantError(Exception):
    """Nobody's name holds what was asked for; the text lists all names."""


class Outcome(NamedTuple):
    """What came out of a run.

    Attributes:
        records: How many, the rejected ones among them.
        size: Bytes of the rows that were written, 0 if none were.
        first: When the first record was there, by `time.monotonic`, if that is known.
    """

    records: int
    size: int = 0
    first: float | None = None


class Unit(Enum):
    """What a contestant gets: which number of a workload it is to bring out."""

    LINES = "events"
    DISTINCT = "distinct"
    RECORDS = "records"


@dataclass(frozen=True)
class Contestant:
    """A program that is measured.

    Attributes:
        name: How reports call it.
        open: Makes its pipeline for a workload in a folder, and keeps what it needs running.
        outcome: Reads what came out from the folder.
        unit: What it is to bring out.
        is_slow: Whether it gets only the beginning of a workload.
    """

    name: str
    open: Callable[[Workload, Path], AbstractContextManager[Pipeline]]
    outcome: Callable[[Workload, Path], Outcome]
    unit: Unit = Unit.LINES
    is_slow: bool = field(default=False)

    def expected(self, workload: Workload) -> int:
        """How many records have to come out."""
        return int(getattr(workload, self.unit.value))


def choose(contestants: Sequence[Contestant], parts: Sequence[str]) -> list[Contestant]:
    """Choose contestants by parts of their names.

    Args:
        contestants: All of them.
        parts: One of these is in the name of each that is chosen; none: all are chosen.

    Raises:
        UnknownContestantError: A part is in no name.
    """
    names = [each.name for each in contestants]
    for part in parts:
        if not any(part in name for name in names):
            listed = "".join(f"\n  {name}" for name in names)
            raise UnknownContestantError(f"--only {part!r} is in none of these names:{listed}")
    return [each for each in contestants if not parts or any(part in each.name for part in parts)]


def counted(workload: Workload, folder: Path) -> Outcome:  # noqa: ARG001 - as all outcomes
    """What a counting process has printed."""
    told = json.loads((folder / OUTPUT).read_text("utf-8"))
    return Outcome(told["records"], first=told.get("first"))


def inflated(workload: Workload, folder: Path) -> Outcome:
    """What a process that only inflates has printed: all lines, if it had all of their bytes."""
    told = json.loads((folder / OUTPUT).read_text("utf-8"))
    return Outcome(workload.events if told["bytes"] == workload.size else 0)


def loaded(workload: Workload, folder: Path) -> Outcome:  # noqa: ARG001 - as all outcomes
    """What the target tells of its run, and the bytes of its local files."""
    summary = json.loads((folder / "run-summary.json").read_text("utf-8"))["recordSummary"]
    size = sum(file.stat().st_size for file in row_files(folder))
    return Outcome(summary["outputRecordCount"] + summary["failedRecordCount"], size)


def row_files(folder: Path) -> list[Path]:
    """The files of rows that the target has written locally, in order."""
    return sorted((folder / "rows").glob("*/[!.]*/[!.]*"))
