"""How much memory and CPU processes use together with all that they have started, over time.

A page that several processes share counts once: it is the sum of their proportional set sizes
(`Pss` of https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html, Linux only). Of CPU the last
samples of a process's life are missed, but none of its children, waited for or not.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

KIBIBYTES = 1024

_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class TreeSampler:
    """Samples the trees of some processes while it is entered.

    Attributes:
        series: For each tree, mebibytes at each sample.
        times: When the samples were taken, in seconds since the start.
    """

    def __init__(self, roots: Sequence[int]) -> None:
        """Keep the processes whose trees are sampled; sampling begins on entry."""
        self._roots = roots
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="tree-sampler", daemon=True)
        self._ticks: list[dict[int, int]] = [{} for _ in roots]
        self.times: list[float] = []
        self.series: list[list[float]] = [[] for _ in roots]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        start = time.monotonic()
        while not self._ended.wait(_SECONDS):
            self.times.append(time.monotonic() - start)
            for root, samples, ticks in zip(self._roots, self.series, self._ticks, strict=True):
                processes = list(_tree(root))
                samples.append(sum(map(_kibibytes, processes)) / KIBIBYTES)
                ticks.update({process: _cpu_ticks(process, ticks) for process in processes})

    def cpu_seconds(self, tree: int) -> float:
        """User and system time of the processes that were seen in a tree.

        Args:
            tree: Its number among the roots.
        """
        return sum(self._ticks[tree].values()) / _TICKS


def tree_kibibytes(root: int) -> int:
    """Memory of a process and of all its descendants; 0 for one that has ended."""
    return sum(map(_kibibytes, _tree(root)))


def _cpu_ticks(process: int, known: dict[int, int]) -> int:
    """Ticks of a process alone; what was known of it before, if it has ended."""
    try:
        # Behind the command's name, which may hold anything.
        fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return known.get(process, 0)
    return int(fields[11]) + int(fields[12])


def _tree(process: int) -> Iterator[int]:
    yield process
    for child in _children(process):
        yield from _tree(child)


def _children(process: int) -> list[int]:
    try:
        # A child is listed with the thread that started it.
        lists = [file.read_text() for file in _PROC.glob(f"{process}/task/*/children")]
    except OSError:
        return []
    return [int(child) for text in lists for child in text.split()]


def _kibibytes(process: int) -> int:
    try:
        rollup = (_PROC / str(process) / "smaps_rollup").read_text()
    except OSError:
        return 0
    found = next((line for line in rollup.splitlines() if line.startswith("Pss:")), None)
    return int(found.split()[1]) if found else 0
