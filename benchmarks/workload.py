"""What is sent through the contestants: days of events, and the same as RECORD lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.plugins import plugin_command, tap_config, write_config
from benchmarks.process_meter import OUTPUT, FailedRunError, Pipeline, Stage, run_pipeline
from benchmarks.static_server import EXPORT_PATH

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from benchmarks.event_days import EventDays

RECORD = b'"RECORD"'


@dataclass(frozen=True)
class Workload:
    """What one run gets.

    Attributes:
        url: Where the static server is.
        first_day: The first day to export.
        last_day: The last one.
        events: Lines that the days export.
        distinct: Events, those that are exported twice counted once.
        size: Bytes of all lines.
        records_file: The same as the tap's messages; its RECORD lines are `records`.
        records: How many RECORD lines that file has.
    """

    url: str
    first_day: date
    last_day: date
    events: int
    distinct: int
    size: int
    records_file: Path
    records: int

    @property
    def export_url(self) -> str:
        """The address that answers with all days."""
        query = f"from_date={self.first_day}&to_date={self.last_day}&time_in_ms=true"
        return f"{self.url}{EXPORT_PATH}?{query}"


def make_workload(url: str, days: EventDays, folder: Path) -> Workload:
    """Have the tap write the days once as RECORD lines, for the target alone.

    Args:
        url: Where the static server serves the days.
        days: The days.
        folder: Gets the file.

    Raises:
        FailedRunError: The tap failed, or wrote another number of records than there are events.
    """
    counts: dict[str, Any] = {
        "events": days.events,
        "distinct": days.distinct,
        "size": days.size,
        "records": days.distinct,
    }
    path = folder / f"records-{days.events}.jsonl"
    workload = Workload(url, days.first_day, days.last_day, records_file=path, **counts)
    _write_messages(workload, folder / f"tap-{days.events}")
    with path.open("rb") as lines:
        written = sum(RECORD in line for line in lines)
    if written != days.distinct:
        raise FailedRunError(f"the tap wrote {written} records of {days.distinct} events")
    return workload


def without_events(workload: Workload, folder: Path) -> Workload:
    """The same without any event: what a run costs before and after its work."""
    day = workload.last_day + timedelta(days=1)
    nothing: dict[str, Any] = dict.fromkeys(("events", "distinct", "size", "records"), 0)
    path = folder / "records-none.jsonl"
    empty = replace(workload, first_day=day, last_day=day, records_file=path, **nothing)
    _write_messages(empty, folder / "tap-none")
    return empty


def beginning_of(workload: Workload, records: int, folder: Path) -> Workload:
    """A workload for the target alone: the first records of another, and its last message."""
    path = folder / f"first-{records}-of-{workload.records}.jsonl"
    written, last = 0, b""
    with workload.records_file.open("rb") as source, path.open("wb") as copy:
        for line in source:
            if RECORD not in line:
                last = line
            if written < records:
                copy.write(line)
                written += RECORD in line
        copy.write(last)
    return replace(workload, records_file=path, records=written)


def _write_messages(workload: Workload, folder: Path) -> None:
    folder.mkdir(parents=True)
    path = write_config(folder / "tap.json", tap_config(workload, folder))
    command = [*plugin_command("tap-mixpanel-export"), "--config", str(path)]
    run_pipeline(Pipeline([Stage("tap", command)]), folder)
    (folder / OUTPUT).rename(workload.records_file)
