"""Generated events, one gzip file a project day: made once, then read by every run.

A day's events depend on the seed and the day alone, so that days are made side by side. None is
dated after its day, so that a day's file is what an export of that day answers.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

from emulators.generator import Quirks, generate
from emulators.jsonlines import encode_event

FIRST_DAY = date(2025, 3, 1)
DAYS = 30

_SEED = 20250301
_LEVEL = 6
_NOTE = "days.json"
_NOW = datetime(2025, 6, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class EventDays:
    """A folder of days.

    Attributes:
        folder: Holds a file for each day, see `file_of`.
        first_day: The first of `days` days.
        events: Lines, over all days.
        distinct: Events, those that are exported twice counted once.
        size: Bytes of all lines.
    """

    folder: Path
    first_day: date
    days: int
    events: int
    distinct: int
    size: int

    @property
    def last_day(self) -> date:
        """The last day that has events."""
        return self.first_day + timedelta(days=self.days - 1)

    def file_of(self, day: date) -> Path:
        """The file of a day; there is none for a day without events."""
        return day_file(self.folder, day)


@dataclass(frozen=True)
class _Day:
    events: int
    distinct: int
    size: int


def day_file(folder: Path, day: date) -> Path:
    """Where a day's lines are, compressed."""
    return folder / f"{day.isoformat()}.jsonl.gz"


def prepare_days(cache: Path, events: int, days: int = DAYS) -> EventDays:
    """Generate a history, or find the one that an earlier run has left.

    Args:
        cache: Folder that holds a folder for each size.
        events: Rows in all, rounded down to whole ones a day.
        days: Over how many days they spread.
    """
    per_day = max(1, events // days)
    folder = cache / f"{_SEED}-{days}-days-of-{per_day}"
    note = folder / _NOTE
    if not note.exists():
        _make(folder, per_day, days)
    counts = json.loads(note.read_text("utf-8"))
    return EventDays(folder, FIRST_DAY, days, **counts)


def _make(folder: Path, per_day: int, days: int) -> None:
    """Write the days to a folder beside it first, so that half of a history is never used."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as making:
        whole = Path(making) / "days"
        whole.mkdir()
        wanted = [FIRST_DAY + timedelta(days=number) for number in range(days)]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            made = list(pool.map(partial(_write_day, whole, per_day), wanted))
        total = _Day(
            sum(day.events for day in made),
            sum(day.distinct for day in made),
            sum(day.size for day in made),
        )
        (whole / _NOTE).write_text(json.dumps(asdict(total)), "utf-8")
        if not folder.exists():
            whole.rename(folder)


def _write_day(folder: Path, per_day: int, day: date) -> _Day:
    events = distinct = size = 0
    previous = b""
    history = generate(_SEED, 1, per_day, start=day, now=_NOW, quirks=Quirks(future=0.0))
    with gzip.GzipFile(day_file(folder, day), "wb", compresslevel=_LEVEL, mtime=0) as file:
        for event in history:
            line = encode_event(event) + b"\n"
            file.write(line)
            events += 1
            distinct += line != previous  # the generator repeats an event right after it
            size += len(line)
            previous = line
    return _Day(events, distinct, size)
