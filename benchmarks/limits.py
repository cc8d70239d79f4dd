"""Contestants that tell what is possible at all, or without us."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.contestant import Contestant, Outcome, Unit, counted, inflated
from benchmarks.process_meter import Pipeline, Stage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.workload import Workload

BARE_LOOP = "loop: inflate, paste into RECORD lines"
HAND_LOOP = "loop: decode, row by hand, encode"
NOOP_TARGET = "SDK's target that does nothing"

_HAND_ROWS = "rows.json"


def counter() -> Stage:
    """Reads what a tap writes; not judged."""
    return Stage("counter", module("line_counter"), is_judged=False)


def module(name: str, *arguments: str) -> list[str]:
    """The command of a module of this package."""
    return [sys.executable, "-m", f"benchmarks.{name}", *arguments]


def tap_limits() -> list[Contestant]:
    """Loops that download from the server that the tap downloads from."""
    return [
        Contestant("loop: inflate with zlib", partial(_loop, "inflate-zlib"), inflated),
        Contestant("loop: inflate with isal", partial(_loop, "inflate-isal"), inflated),
        Contestant("loop: inflate, split into lines", partial(_loop, "split"), counted),
        Contestant(BARE_LOOP, partial(_writing_loop, "paste"), counted),
        Contestant("loop: inflate, decode, encode", partial(_writing_loop, "recode"), counted),
    ]


def target_limits() -> list[Contestant]:
    """What reads the tap's messages and makes the target's rows, or nothing, of them."""
    return [
        Contestant(NOOP_TARGET, _noop, _all_of_it, Unit.RECORDS, is_slow=True),
        Contestant(HAND_LOOP, _by_hand, _by_hand_outcome, Unit.RECORDS),
    ]


def hand_rows(folder: Path) -> Path:
    """The file that the loop by hand writes."""
    return folder / _HAND_ROWS


def _loop(name: str, workload: Workload, folder: Path) -> AbstractContextManager[Pipeline]:  # noqa: ARG001 - as all
    return nullcontext(Pipeline([Stage("loop", module("bare_loops", name, workload.export_url))]))


def _writing_loop(name: str, workload: Workload, folder: Path) -> AbstractContextManager[Pipeline]:  # noqa: ARG001 - as all
    loop = Stage("loop", module("bare_loops", name, workload.export_url))
    return nullcontext(Pipeline([loop, counter()]))


def _noop(workload: Workload, folder: Path) -> AbstractContextManager[Pipeline]:  # noqa: ARG001 - as all
    stage = Stage("target-noop", module("noop_target"))
    return nullcontext(Pipeline([stage], workload.records_file))


def _all_of_it(workload: Workload, folder: Path) -> Outcome:  # noqa: ARG001 - as all outcomes
    """It tells nothing; that it ended well has to do."""
    return Outcome(workload.records)


def _by_hand(workload: Workload, folder: Path) -> AbstractContextManager[Pipeline]:
    stage = Stage("by-hand", module("hand_target", str(hand_rows(folder))))
    return nullcontext(Pipeline([stage], workload.records_file))


def _by_hand_outcome(workload: Workload, folder: Path) -> Outcome:
    return counted(workload, folder)._replace(size=hand_rows(folder).stat().st_size)
