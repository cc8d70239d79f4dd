"""How long programs take until they are of use, each started when its files are in memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.contenders import Setup, tap_stage
from benchmarks.plugins import plugin_command
from benchmarks.process_meter import FailedRunError
from benchmarks.workload import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.workload import Workload

SDK_IMPORT = 'python -c "import singer_sdk"'
FIRST_RECORD = "tap: first RECORD line"
TAP_ABOUT = "tap --about"
TARGET_ABOUT = "target --about"


@dataclass
class Start:
    """What a start took.

    Attributes:
        name: How reports call it.
        times: Seconds, of each round.
        failure: Why it does not take part (any more).
    """

    name: str
    times: list[float] = field(default_factory=list)
    failure: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is something to tell."""
        return self.failure is None and bool(self.times)

    @property
    def seconds(self) -> float:
        """Median of all rounds."""
        return statistics.median(self.times)


def measure_starts(workload: Workload, setup: Setup, *, rounds: int) -> list[Start]:
    """Start everything in turns, once before that counts."""
    tap, target = plugin_command("tap-mixpanel-export"), plugin_command("target-aep")
    commands = {
        'python -c "pass"': [sys.executable, "-c", "pass"],
        SDK_IMPORT: [sys.executable, "-c", "import singer_sdk"],
        "tap --help": [*tap, "--help"],
        TAP_ABOUT: [*tap, "--about"],
        "target --help": [*target, "--help"],
        TARGET_ABOUT: [*target, "--about"],
    }
    measures: dict[str, Callable[[], float]] = {
        name: partial(_to_end, command) for name, command in commands.items()
    }
    measures[FIRST_RECORD] = partial(_to_first_record, workload, setup)
    starts = [Start(name) for name in measures]
    for number in range(rounds + 1):
        for start, measure in zip(starts, measures.values(), strict=True):
            if start.failure:
                continue
            try:
                seconds = measure()
            except (FailedRunError, subprocess.CalledProcessError) as error:
                start.failure = str(error)
                continue
            if number:
                start.times.append(seconds)
    return starts


def _to_end(command: Sequence[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - started


def _to_first_record(workload: Workload, setup: Setup) -> float:
    with tempfile.TemporaryDirectory(prefix="benchmark-start-") as name:
        command = tap_stage(setup, workload, Path(name)).command
        started = time.monotonic()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            found = any(RECORD in line for line in process.stdout or ())
            seconds = time.monotonic() - started
            process.kill()
    if not found:
        raise FailedRunError("the tap wrote no record")
    return seconds
