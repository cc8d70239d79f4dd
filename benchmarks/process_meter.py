"""Runs a pipeline of processes and tells what it used.

CPU is user and system time that the kernel charges to a process and to those of its descendants
that were waited for (`wait4`), or what was seen in the tree of processes, if that is more: a worker
that nobody waited for. Memory is known in two ways: the largest
sum over a whole tree of processes, sampled, and `ru_maxrss`, which misses nothing but knows only
the largest single process. The latter is at least what this process here has, as its children begin
as copies of it: keep it small.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from benchmarks.tree_sampler import KIBIBYTES, TreeSampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from resource import struct_rusage

OUTPUT = "stdout"
"""File of a run's folder that gets the output of the last stage."""

_LAST_LINES = 3
_LONGEST = 200


@dataclass(frozen=True)
class Stage:
    """A process of a pipeline.

    Attributes:
        name: Also the name of its log.
        command: The command line.
        is_judged: Whether what it uses counts; False for one that only reads what comes out.
    """

    name: str
    command: Sequence[str]
    is_judged: bool = True


@dataclass(frozen=True)
class Pipeline:
    """Processes that are connected by pipes.

    Attributes:
        stages: From the first to the last.
        input: What the first one reads; None for nothing.
        environment: Variables beside those of this process.
        directory: Where they run; None for here.
    """

    stages: Sequence[Stage]
    input: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None


@dataclass(frozen=True)
class StageUsage:
    """What a process and its descendants used.

    Attributes:
        cpu_seconds: User and system time.
        peak_mebibytes: Most memory of the whole tree at one time.
        largest_mebibytes: `ru_maxrss`: most of a single process.
        memory: Mebibytes of the tree, at `PipelineUsage.times`.
    """

    name: str
    cpu_seconds: float
    peak_mebibytes: float
    largest_mebibytes: float
    memory: Sequence[float]


@dataclass(frozen=True)
class PipelineUsage:
    """What a pipeline used.

    Attributes:
        started: When it began, by `time.monotonic`, which all processes of a machine share.
        seconds: From the start of the first process to the end of the last one.
        stages: Its judged stages.
        times: Seconds since the start, of the samples of memory.
    """

    started: float
    seconds: float
    stages: Sequence[StageUsage]
    times: Sequence[float]

    @property
    def cpu_seconds(self) -> float:
        """Of all judged stages."""
        return sum(stage.cpu_seconds for stage in self.stages)

    @property
    def memory(self) -> list[float]:
        """Mebibytes of all judged stages together, at `times`."""
        return [sum(sample) for sample in zip(*(s.memory for s in self.stages), strict=True)]

    @property
    def peak_mebibytes(self) -> float:
        """Most memory of all judged stages at one time."""
        return max(self.memory, default=0.0)


class FailedRunError(RuntimeError):
    """A process ended with another status than 0; its last lines are told."""


def run_pipeline(pipeline: Pipeline, folder: Path) -> PipelineUsage:
    """Run a pipeline to its end.

    Args:
        pipeline: What to run.
        folder: Gets `OUTPUT` and a log for each stage.

    Raises:
        FailedRunError: A process failed.
    """
    with ExitStack() as files:
        started = time.monotonic()
        processes = _start(pipeline, folder, files)
        with TreeSampler([process.pid for process in processes]) as sampler:
            used = [_wait(process) for process in processes]
        seconds = time.monotonic() - started
    for stage, process in zip(pipeline.stages, processes, strict=True):
        if process.returncode:
            raise FailedRunError(_why(stage, process.returncode, folder))
    usages = [
        StageUsage(
            stage.name,
            max(used[number].ru_utime + used[number].ru_stime, sampler.cpu_seconds(number)),
            max(sampler.series[number], default=0.0),
            used[number].ru_maxrss / KIBIBYTES,
            sampler.series[number],
        )
        for number, stage in enumerate(pipeline.stages)
        if stage.is_judged
    ]
    return PipelineUsage(started, seconds, usages, sampler.times)


def _start(pipeline: Pipeline, folder: Path, files: ExitStack) -> list[subprocess.Popen[bytes]]:
    source: int | IO[bytes] | None = subprocess.DEVNULL
    if pipeline.input:
        source = files.enter_context(pipeline.input.open("rb"))
    processes: list[subprocess.Popen[bytes]] = []
    for stage in pipeline.stages:
        is_last = stage is pipeline.stages[-1]
        processes.append(
            subprocess.Popen(
                stage.command,
                stdin=source,
                stdout=files.enter_context((folder / OUTPUT).open("wb"))
                if is_last
                else subprocess.PIPE,
                stderr=files.enter_context(_log(stage, folder).open("wb")),
                env={**os.environ, **pipeline.environment},
                cwd=pipeline.directory,
            )
        )
        if source is not None and not isinstance(source, int):
            source.close()  # it is the process's now, which has to see the pipe's end
        source = processes[-1].stdout
    return processes


def _wait(process: subprocess.Popen[bytes]) -> struct_rusage:
    """Wait as `wait4` does, which tells what this very process used."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used


def _log(stage: Stage, folder: Path) -> Path:
    return folder / f"{stage.name}.log"


def _why(stage: Stage, status: int, folder: Path) -> str:
    lines = _log(stage, folder).read_text("utf-8", "replace").splitlines()
    telling = [line.strip() for line in lines if line.strip() and "METRIC" not in line]
    words = " / ".join(line[:_LONGEST] for line in telling[-_LAST_LINES:])
    return f"{stage.name} ended with {status}: {words}"
