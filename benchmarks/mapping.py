"""`python -m benchmarks.mapping`: records a second through mapping sets, beside Python by hand.

Both turn the same generated records, oddities included, into the same rows; that they do is
checked first. Runs of the two take turns, and the median of each counts.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.schema import parse_schema

from benchmarks.mapping_by_hand import ByHand
from benchmarks.mapping_cases import (
    TENANT,
    adobe_schema,
    adobe_set,
    records,
    wide_schema,
    wide_set,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Record = dict[str, Any]

LEAST_RATIO = 0.5
"""The promise for the wide set: half the speed of Python by hand."""

_RUNS = 5
_SECONDS = 1.0


def main() -> int:
    """Measure, print, and tell by the exit code whether the promise is kept."""
    sample = records()
    wide = RecordMapper(load_mapping_set(wide_set()), parse_schema(wide_schema()))
    adobe = RecordMapper(load_mapping_set(adobe_set()), parse_schema(adobe_schema()))
    own = RecordMapper(load_mapping_set("mixpanel").for_tenant(TENANT), None)
    hand = ByHand()
    print(f"{len(sample)} records of the generator; records a second, median of {_RUNS} runs")
    print(f"{'':34}{'mapping set':>12}{'by hand':>12}{'ratio':>8}")
    ratio = _compare("60 fields, 20 of them expressions", wide.map, hand.wide, sample)
    _compare("Adobe's Mixpanel mappings", adobe.map, hand.adobe, sample)
    (speed,) = _speeds([own.map], sample)
    print(f"{'the built-in set mixpanel':34}{speed:>12,.0f}")
    return 0 if ratio >= LEAST_RATIO else 1


def _compare(
    name: str,
    mapped: Callable[[Record], Record],
    by_hand: Callable[[Record], Record],
    sample: Sequence[Record],
) -> float:
    for record in sample:
        if (ours := _typed(mapped(record))) != (theirs := _typed(by_hand(record))):
            raise SystemExit(f"{name}: not the same rows\n{ours}\n{theirs}")
    ours, theirs = _speeds([mapped, by_hand], sample)
    print(f"{name:34}{ours:>12,.0f}{theirs:>12,.0f}{ours / theirs:>8.2f}", flush=True)
    return ours / theirs


def _typed(value: Any) -> Any:
    """A value that equals only those with the same types in it."""
    if isinstance(value, dict):
        return {key: _typed(part) for key, part in value.items()}
    return type(value), value


def _speeds(
    functions: Sequence[Callable[[Record], Record]], sample: Sequence[Record]
) -> list[float]:
    """Records a second of each: the median of runs that take turns."""
    runs = [[_speed(function, sample) for function in functions] for _ in range(_RUNS)]
    return [statistics.median(each) for each in zip(*runs, strict=True)]


def _speed(convert: Callable[[Record], Record], sample: Sequence[Record]) -> float:
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < _SECONDS:
        for record in sample:
            convert(record)
        count += len(sample)
    return count / spent


if __name__ == "__main__":
    sys.exit(main())
