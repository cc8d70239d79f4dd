"""Runs contestants in turns, so that a noisy minute meets all of them, and keeps what each used.

Every contestant runs with the workload, and without any event: what the latter takes is its
start-up and end, which have a promise of their own. Speed is told both ways.
"""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.process_meter import FailedRunError, run_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.contestant import Contestant, Outcome
    from benchmarks.process_meter import PipelineUsage
    from benchmarks.workload import Workload

MILLION = 1_000_000

_NOISE = 0.5


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        usage: What it used.
        outcome: What came out.
    """

    usage: PipelineUsage
    outcome: Outcome


@dataclass
class Result:
    """All runs of a contestant.

    Attributes:
        name: The contestant's.
        events: Lines or records of a run's workload.
        runs: With the workload.
        idle_runs: Without events.
        failure: Why it does not take part (any more).
    """

    name: str
    events: int
    runs: list[Run] = field(default_factory=list)
    idle_runs: list[Run] = field(default_factory=list)
    failure: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is something to tell."""
        return self.failure is None and bool(self.runs) and bool(self.idle_runs)

    @property
    def seconds(self) -> float:
        """Median of its runs."""
        return statistics.median(run.usage.seconds for run in self.runs)

    @property
    def idle_seconds(self) -> float:
        """Median without events."""
        return statistics.median(run.usage.seconds for run in self.idle_runs)

    @property
    def whole_rate(self) -> float:
        """Events a second of the whole run."""
        return self.events / self.seconds

    @property
    def working_seconds(self) -> float | None:
        """What the events took, start-up and end left out, or None if that can't be told.

        It is the difference of two runs. One of less than half a second, and of less than a start
        where that is shorter, may be the noise of two starts.
        """
        working = self.seconds - self.idle_seconds
        return working if working > 0 and working >= min(_NOISE, self.idle_seconds) else None

    @property
    def rate(self) -> float | None:
        """Events a second, start-up and end left out, or None if that can't be told."""
        return self.events / self.working_seconds if self.working_seconds else None

    @property
    def cpu_seconds(self) -> float:
        """Median of its runs."""
        return statistics.median(run.usage.cpu_seconds for run in self.runs)

    @property
    def idle_cpu_seconds(self) -> float:
        """Median without events."""
        return statistics.median(run.usage.cpu_seconds for run in self.idle_runs)

    @property
    def whole_cost(self) -> float:
        """CPU seconds for a million events at this size, start-up among them."""
        return self.cpu_seconds / self.events * MILLION

    @property
    def cost(self) -> float | None:
        """CPU seconds that a million events add, or None if that can't be told."""
        added = self.cpu_seconds - self.idle_cpu_seconds
        return added / self.events * MILLION if self.working_seconds and added > 0 else None

    @property
    def peak_mebibytes(self) -> float:
        """Most memory of all its processes together, over all runs."""
        return max(run.usage.peak_mebibytes for run in self.runs)

    @property
    def largest_mebibytes(self) -> float:
        """Most memory of one of its processes, over all runs."""
        return max(stage.largest_mebibytes for run in self.runs for stage in run.usage.stages)

    @property
    def bytes_per_event(self) -> float:
        """Bytes of rows that were written for each event."""
        return self.runs[-1].outcome.size / self.events


def run_rounds(
    contestants: Sequence[Contestant],
    workload: Workload,
    slow_workload: Workload,
    idle_workload: Workload,
    *,
    rounds: int,
    tell: Callable[[str], Any],
) -> list[Result]:
    """Run all contestants in turns.

    Args:
        contestants: Who takes part; one that fails is left out from then on.
        workload: What they get.
        slow_workload: What slow ones get.
        idle_workload: The same without events.
        rounds: How often each runs.
        tell: Is told how it goes.

    Returns:
        A result for each, in the same order.
    """
    loads = [slow_workload if each.is_slow else workload for each in contestants]
    results = [
        Result(each.name, each.expected(load))
        for each, load in zip(contestants, loads, strict=True)
    ]
    for number in range(rounds + 1):
        for contestant, load, result in zip(contestants, loads, results, strict=True):
            if result.failure:
                continue
            try:
                idle = run_once(contestant, idle_workload)
                if number:  # round 0 only makes warm
                    result.idle_runs.append(idle)
                    result.runs.append(run_once(contestant, load))
            except FailedRunError as error:
                result.failure = str(error)
            if number or result.failure:
                tell(f"round {number}: {_told(result)}")
    return results


def run_once(contestant: Contestant, workload: Workload) -> Run:
    """Run a contestant in a folder of its own, which is deleted after it.

    Raises:
        FailedRunError: A process failed, or another number of records came out.
    """
    gc.collect()
    folder = Path(tempfile.mkdtemp(prefix="benchmark-run-"))
    try:
        with contestant.open(workload, folder) as pipeline:
            usage = run_pipeline(pipeline, folder)
        outcome = contestant.outcome(workload, folder)
    finally:
        shutil.rmtree(folder)
    if outcome.records != contestant.expected(workload):
        expected = contestant.expected(workload)
        raise FailedRunError(f"{outcome.records} records came out instead of {expected}")
    return Run(usage, outcome)


def _told(result: Result) -> str:
    if result.failure:
        return f"{result.name}: left out: {result.failure}"
    last = result.runs[-1].usage
    return f"{result.name}: {last.seconds:.2f} s, {last.cpu_seconds:.2f} CPU s"
