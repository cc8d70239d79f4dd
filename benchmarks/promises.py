"""What was promised, as ratios, and whether these numbers keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import contenders as ours
from benchmarks import limits
from benchmarks.startup import FIRST_RECORD, SDK_IMPORT, TAP_ABOUT, TARGET_ABOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.growth import Growth
    from benchmarks.rounds import Result
    from benchmarks.startup import Start

TAP_MEBIBYTES = 200
TARGET_MEBIBYTES = 300

_CPU_PER_MILLION = 10.0
_FLAT = 1.1


@dataclass(frozen=True)
class Promise:
    """A number and the bound that it has to keep.

    Attributes:
        text: What is promised.
        value: What was measured.
        bound: The most or the least that it may be.
        is_least: Whether the bound is the least.
        whole: The same with start-up and end, where that is something else.
    """

    text: str
    value: float
    bound: float
    is_least: bool
    whole: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the number keeps it."""
        return self.value >= self.bound if self.is_least else self.value <= self.bound


def check_promises(
    results: Iterable[Result], starts: Sequence[Start], growths: Sequence[Growth]
) -> list[Promise]:
    """Everything that these numbers tell of; what was not measured is left out."""
    by_name = {result.name: result for result in results if result.is_complete}
    return [
        *_of_rates(by_name),
        *_of_costs(by_name),
        *_of_starts({start.name: start for start in starts if start.is_complete}),
        *_of_growth(growths),
    ]


def _of_rates(by_name: Mapping[str, Result]) -> Iterator[Promise]:
    rates = (
        (ours.TAP, limits.BARE_LOOP, 0.75),
        (ours.TARGET, limits.NOOP_TARGET, 10.0),
        (ours.TARGET, limits.HAND_LOOP, 0.6),
        (ours.TWO_WORKERS, ours.ONE_WORKER, 1.6),
        (ours.MELTANO_PIPE, ours.PIPE, 0.6),
    )
    for name, limit, bound in rates:
        if name in by_name and limit in by_name:
            yield from _ratio(by_name[name], by_name[limit], bound)
    pipes = ((ours.PIPE, ours.TARGET, 0.8), (ours.UPLOAD, ours.WITH_SCHEMA, 0.7))
    for name, target, bound in pipes:
        if {name, target, ours.TAP} <= by_name.keys():
            slower = min(by_name[ours.TAP], by_name[target], key=_rate_or_less)
            yield from _ratio(by_name[name], slower, bound)


def _rate_or_less(result: Result) -> float:
    """The rate, or nothing, so that no promise is judged by the other one alone."""
    return result.rate or 0.0


def _ratio(one: Result, other: Result, bound: float) -> Iterator[Promise]:
    if one.rate and other.rate:
        text = f"speed: {one.name} / {other.name}"
        whole = one.whole_rate / other.whole_rate
        yield Promise(text, one.rate / other.rate, bound, is_least=True, whole=whole)


def _of_costs(by_name: Mapping[str, Result]) -> Iterator[Promise]:
    if ours.TAP in by_name:
        tap = by_name[ours.TAP]
        if tap.cost:
            text = f"{tap.name}: CPU seconds for a million events"
            yield Promise(text, tap.cost, _CPU_PER_MILLION, is_least=False, whole=tap.whole_cost)
    if ours.PARQUET in by_name and ours.WITH_SCHEMA in by_name:
        parquet, json = by_name[ours.PARQUET], by_name[ours.WITH_SCHEMA]
        size = parquet.bytes_per_event / json.bytes_per_event
        yield Promise("Parquet: bytes of an event, to JSON's", size, 0.25, is_least=False)
        if parquet.cost and json.cost:
            whole = parquet.whole_cost / json.whole_cost
            cost = parquet.cost / json.cost
            yield Promise("Parquet: CPU, to JSON's", cost, 1.5, is_least=False, whole=whole)
    for name, most in ((ours.TAP, TAP_MEBIBYTES), (ours.TARGET, TARGET_MEBIBYTES)):
        if name in by_name:
            peak = by_name[name].peak_mebibytes
            yield Promise(f"{name}: peak memory, MiB", peak, most, is_least=False)


def _of_starts(by_name: Mapping[str, Start]) -> Iterator[Promise]:
    sdk = by_name[SDK_IMPORT].seconds if SDK_IMPORT in by_name else None
    for name, most in ((FIRST_RECORD, 1.0), (TAP_ABOUT, 0.6), (TARGET_ABOUT, 0.6)):
        if name in by_name:
            seconds = by_name[name].seconds
            text = f"{name}, seconds"
            if sdk:
                text += f" ({seconds / sdk:.2f} of importing the SDK)"
            yield Promise(text, seconds, most, is_least=False)


def _of_growth(growths: Sequence[Growth]) -> Iterator[Promise]:
    for growth in growths:
        if growth.failure or len(growth.results) == 1:
            continue
        smallest, before, largest = (f"{growth.results[n].events:,}" for n in (0, -2, -1))
        if growth.results[0].peak_mebibytes:  # only Linux tells
            text = f"{growth.name}: memory with {largest} events, to {before}"
            if smallest != before:
                text += f" ({growth.whole_memory_ratio:.2f} to {smallest})"
            yield Promise(text, growth.memory_ratio, _FLAT, is_least=False)
        if growth.cost_ratio:
            text = f"{growth.name}: CPU of an event of {largest}, to {before}"
            yield Promise(text, growth.cost_ratio, _FLAT, is_least=False)
