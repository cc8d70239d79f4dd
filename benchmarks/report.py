"""The numbers as a table and as JSON."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from benchmarks.promises import check_promises

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.growth import Growth
    from benchmarks.promises import Promise
    from benchmarks.rounds import Result, Run
    from benchmarks.startup import Start

_NAME = 42
_HEADING = (
    "Promises: `ok` is kept, `MISS` is not: what was measured, its bound, what it is of. "
    "Ratios are of this run on this machine."
)
_NOT_JUDGED = (
    "This was a quick run, to see that all runs: its numbers tell nothing about speed, and no "
    "promise is judged by them."
)


@dataclass(frozen=True)
class Report:
    """All that was measured.

    Attributes:
        results: Of the rounds.
        starts: Of starts.
        growths: Of sizes.
        is_judged: Whether the numbers are good enough to judge promises by them.
    """

    results: Sequence[Result]
    starts: Sequence[Start] = field(default_factory=list)
    growths: Sequence[Growth] = field(default_factory=list)
    is_judged: bool = True

    @property
    def promises(self) -> list[Promise]:
        """What these numbers tell of what was promised."""
        if not self.is_judged:
            return []
        return check_promises(self.results, self.starts, self.growths)

    @property
    def is_kept(self) -> bool:
        """Whether nothing failed, and every promise that was measured is kept."""
        failures = (
            *(result.failure for result in self.results),
            *(start.failure for start in self.starts),
            *(growth.failure for growth in self.growths),
        )
        return not any(failures) and all(promise.is_kept for promise in self.promises)

    def lines(self) -> Iterator[str]:
        """The tables."""
        yield f"{_machine()['text']}"
        yield ""
        yield (
            f"{'':{_NAME}}{'events/s':>11}{'(whole run)':>13}{'CPU s/M':>10}{'(whole)':>9}"
            f"{'start s':>9}{'MiB':>7}{'(one)':>7}{'B/event':>9}"
        )
        yield from map(_result_line, self.results)
        if self.starts:
            yield ""
            yield from map(_start_line, self.starts)
        for growth in self.growths:
            yield ""
            yield f"{growth.name}: left out: {growth.failure}" if growth.failure else growth.name
            yield from map(_size_line, growth.results)
        yield from self._verdicts()

    def _verdicts(self) -> Iterator[str]:
        if not self.is_judged:
            yield from ("", _NOT_JUDGED)
        elif self.promises:
            yield from ("", _HEADING)
            yield from map(_promise_line, self.promises)

    def as_json(self) -> dict[str, Any]:
        """Everything, each single run among it."""
        return {
            "machine": _machine(),
            "results": [_result_json(result) for result in self.results],
            "starts": [_start_json(start) for start in self.starts],
            "growth": [
                {
                    "name": growth.name,
                    "failure": growth.failure,
                    "sizes": [_result_json(each) for each in growth.results],
                }
                for growth in self.growths
            ],
            "promises": [
                {**asdict(promise), "is_kept": promise.is_kept} for promise in self.promises
            ],
        }


def _machine() -> dict[str, Any]:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = platform.python_version()
    cores = os.cpu_count()
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {
        "cores": cores,
        "python": python,
        "system": system,
        "measured_at": now,
        "text": f"{cores} cores, Python {python}, {system}, {now}",
    }


def _result_line(result: Result) -> str:
    if not result.is_complete:
        return f"{result.name:{_NAME}}left out: {result.failure}"
    size = f"{result.bytes_per_event:,.0f}" if result.bytes_per_event else ""
    return (
        f"{result.name:{_NAME}}{_number(result.rate):>11}{result.whole_rate:>13,.0f}"
        f"{_number(result.cost, 2):>10}{result.whole_cost:>9.2f}{result.idle_seconds:>9.2f}"
        f"{result.peak_mebibytes:>7.0f}{result.largest_mebibytes:>7.0f}{size:>9}"
    )


def _start_line(start: Start) -> str:
    if not start.is_complete:
        return f"{start.name:{_NAME}}left out: {start.failure}"
    return f"{start.name:{_NAME}}{start.seconds:>9.2f} s"


def _start_json(start: Start) -> dict[str, Any]:
    return {**asdict(start), "seconds": start.seconds if start.is_complete else None}


def _size_line(result: Result) -> str:
    return (
        f"  {result.events:>12,} events{_number(result.cost, 2):>10} CPU s/M"
        f"{result.whole_cost:>10.2f} (whole){result.peak_mebibytes:>8.0f} MiB"
        f"{_number(result.rate):>12} events/s"
    )


def _number(value: float | None, decimals: int = 0) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"


def _promise_line(promise: Promise) -> str:
    sign = ">=" if promise.is_least else "<="
    told = "ok  " if promise.is_kept else "MISS"
    whole = "" if promise.whole is None else f"   (whole run: {promise.whole:.2f})"
    return f"{told} {promise.value:>8.2f} {sign} {promise.bound:<6g} {promise.text}{whole}"


def _result_json(result: Result) -> dict[str, Any]:
    if not result.is_complete:
        return {"name": result.name, "failure": result.failure}
    return {
        "name": result.name,
        "events": result.events,
        "events_per_second": result.rate,
        "events_per_second_whole_run": result.whole_rate,
        "seconds": result.seconds,
        "seconds_without_events": result.idle_seconds,
        "cpu_seconds_per_million": result.cost,
        "cpu_seconds_per_million_whole_run": result.whole_cost,
        "peak_mebibytes": result.peak_mebibytes,
        "largest_process_mebibytes": result.largest_mebibytes,
        "bytes_per_event": result.bytes_per_event,
        "runs": [_run_json(run) for run in result.runs],
        "runs_without_events": [_run_json(run) for run in result.idle_runs],
    }


def _run_json(run: Run) -> dict[str, Any]:
    first = run.outcome.first
    return {
        "seconds": run.usage.seconds,
        "first_record_seconds": None if first is None else first - run.usage.started,
        "stages": [
            {
                "name": stage.name,
                "cpu_seconds": stage.cpu_seconds,
                "peak_mebibytes": stage.peak_mebibytes,
                "largest_process_mebibytes": stage.largest_mebibytes,
            }
            for stage in run.usage.stages
        ],
    }
