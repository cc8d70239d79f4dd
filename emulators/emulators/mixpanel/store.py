"""Events on disk: one append-only file per project and day.

A stored line is the event's JSON behind 13 digits of its arrival in epoch ms, so that whether it
has arrived yet is a comparison of bytes. `time` is stored in ms as the first property, which lets
an export with `time_in_ms=true` stream the JSON as it lies there.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from emulators.jsonlines import encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

ARRIVAL_DIGITS = 13

_EPOCH = date(1970, 1, 1)
_MS_PER_DAY = 86_400_000
_BLOCK_BYTES = 1 << 20
_WRITE_BUFFER_BYTES = 8 << 20
_LATEST_ARRIVAL = 10**ARRIVAL_DIGITS - 1


@dataclass
class _DayFile:
    path: Path
    size: int = 0
    count: int = 0


class EventStore:
    """The events of all projects; safe to use from several threads, not from several processes."""

    def __init__(self, directory: Path) -> None:
        """Open a directory, new or from an earlier run."""
        self._directory = directory
        self._lock = threading.Lock()
        self._files: defaultdict[int, dict[date, _DayFile]] = defaultdict(dict)
        for path in directory.glob("*/*.jsonl"):
            day_file = _recovered(path)
            self._files[int(path.parent.name)][date.fromisoformat(path.stem)] = day_file

    def add(self, project_id: int, events: Iterable[dict[str, Any]]) -> int:
        """Append events, `time` in ms; returns how many.

        Raises:
            ValueError: For an event without a name, properties or an integer `time`; those before
                it are stored.
        """
        pending: defaultdict[date, list[bytes]] = defaultdict(list)
        pending_bytes = added = 0
        try:
            for event in events:
                day, line = _stored_line(event)
                pending[day].append(line)
                pending_bytes += len(line)
                added += 1
                if pending_bytes >= _WRITE_BUFFER_BYTES:
                    self._append(project_id, pending)
                    pending_bytes = 0
        finally:
            self._append(project_id, pending)
        return added

    def count(self, project_id: int) -> int:
        """How many events the project holds, visible or not."""
        with self._lock:
            return sum(day_file.count for day_file in self._files[project_id].values())

    def visible_count(self, project_id: int, arrived_by: float) -> int:
        """How many of the project's events have arrived by then (epoch seconds)."""
        return sum(map(len, self.lines(project_id, date.min, date.max, arrived_by)))

    def lines(
        self, project_id: int, first: date, last: date, arrived_by: float | None = None
    ) -> Iterator[list[bytes]]:
        """Blocks of JSON lines of the days from first to last, in no useful order.

        `arrived_by` (epoch seconds) leaves out what arrives later. The order is shuffled within
        blocks of about 1 MiB, the same way each time. What is added meanwhile is not read.
        """
        bound = None if arrived_by is None else b"%013d" % (int(arrived_by * 1000) + 1)
        with self._lock:
            days = sorted(day for day in self._files[project_id] if first <= day <= last)
            files = [replace(self._files[project_id][day]) for day in days]
        for day_file in files:
            yield from _day_lines(day_file, bound)

    def _append(self, project_id: int, pending: dict[date, list[bytes]]) -> None:
        folder = self._directory / str(project_id)
        folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            files = self._files[project_id]
            for day, lines in pending.items():
                day_file = files.setdefault(day, _DayFile(folder / f"{day}.jsonl"))
                with day_file.path.open("ab") as file:
                    file.writelines(lines)
                day_file.size += sum(map(len, lines))
                day_file.count += len(lines)
        pending.clear()


def _stored_line(event: dict[str, Any]) -> tuple[date, bytes]:
    name, properties = event.get("event"), event.get("properties")
    if not isinstance(name, str) or not isinstance(properties, dict):
        raise ValueError("an event has an `event` name and `properties`")  # noqa: TRY004 - input
    time_ms = properties.get("time")
    if not isinstance(time_ms, int) or isinstance(time_ms, bool):
        raise ValueError("`time` is an integer of epoch milliseconds")  # noqa: TRY004 - input
    ordered = {"event": name, "properties": {"time": time_ms, **properties}}
    arrival = properties.get("mp_processing_time_ms")
    arrival = arrival if isinstance(arrival, int) else 0
    prefix = b"%013d" % min(max(arrival, 0), _LATEST_ARRIVAL)
    return _day_of(time_ms), prefix + encode_event(ordered) + b"\n"


def _day_of(time_ms: int) -> date:
    try:
        return _EPOCH + timedelta(days=time_ms // _MS_PER_DAY)
    except OverflowError as error:
        raise ValueError(f"`time` {time_ms} is out of range") from error


def _day_lines(day_file: _DayFile, bound: bytes | None) -> Iterator[list[bytes]]:
    shuffle = random.Random(day_file.path.stem).shuffle  # noqa: S311 - an arbitrary order, no secret
    with day_file.path.open("rb") as file:
        for block in _blocks(file, day_file.size):
            arrived = [line[ARRIVAL_DIGITS:] for line in block if bound is None or line < bound]
            shuffle(arrived)
            yield arrived


def _blocks(file: BinaryIO, size: int) -> Iterator[list[bytes]]:
    while size > 0:
        block = file.readlines(min(size, _BLOCK_BYTES))
        length = sum(map(len, block))
        while length > size:  # added after the size was taken
            length -= len(block.pop())
        size -= length
        yield block


def _recovered(path: Path) -> _DayFile:
    """A file of an earlier run, less a last line that a crash left incomplete."""
    day_file = _DayFile(path)
    with path.open("r+b") as file:
        for line in file:
            if line.endswith(b"\n"):
                day_file.size += len(line)
                day_file.count += 1
        file.truncate(day_file.size)
    return day_file
