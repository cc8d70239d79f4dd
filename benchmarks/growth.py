"""The same with ten and a hundred times the events: what becomes of memory and of costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.process_meter import FailedRunError
from benchmarks.rounds import Result, run_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.contestant import Contestant
    from benchmarks.workload import Workload


@dataclass(frozen=True)
class Growth:
    """A contestant at several sizes, smallest first.

    Attributes:
        name: The contestant's.
        results: One for each size that was run.
        failure: Why there are no more of them.
    """

    name: str
    results: Sequence[Result]
    failure: str | None = None

    @property
    def memory_ratio(self) -> float:
        """Peak of the largest size to that of the one before it.

        A short run is smaller: it ends before helper processes and tables of ids are there. So
        the smallest size tells nothing about growth.
        """
        return self._memory_to(-2)

    @property
    def whole_memory_ratio(self) -> float:
        """Peak of the largest size to that of the smallest."""
        return self._memory_to(0)

    @property
    def cost_ratio(self) -> float | None:
        """CPU of an event at the largest size to that at the one before it, or None if untold.

        At the smallest size an event costs less than the noise of a start.
        """
        largest, before = self.results[-1].cost, self.results[-2].cost
        return largest / before if largest and before else None

    def _memory_to(self, number: int) -> float:
        return self.results[-1].peak_mebibytes / self.results[number].peak_mebibytes


def measure_growth(
    contestants: Sequence[Contestant],
    workloads: Sequence[Workload],
    idle_workload: Workload,
    *,
    rounds: int,
    tell: Callable[[str], Any],
) -> list[Growth]:
    """Run contestants with each size.

    Args:
        contestants: Who takes part.
        workloads: From the smallest to the largest.
        idle_workload: One without events.
        rounds: How often the sizes before the largest are run; the largest is run once.
        tell: Is told how it goes.
    """
    return [
        _measure(contestant, workloads, idle_workload, rounds, tell) for contestant in contestants
    ]


def _measure(
    contestant: Contestant,
    workloads: Sequence[Workload],
    idle_workload: Workload,
    rounds: int,
    tell: Callable[[str], Any],
) -> Growth:
    results: list[Result] = []
    try:
        idle = [run_once(contestant, idle_workload) for _ in range(rounds)]
        for workload in workloads:
            times = 1 if workload is workloads[-1] else rounds
            runs = [run_once(contestant, workload) for _ in range(times)]
            result = Result(contestant.name, contestant.expected(workload), runs, idle)
            cost = f"{result.whole_cost:.2f} CPU s a million, start-up included"
            tell(f"{contestant.name}: {result.events:,} events: {cost}")
            results.append(result)
    except FailedRunError as error:
        return Growth(contestant.name, results, str(error))
    return Growth(contestant.name, results)
