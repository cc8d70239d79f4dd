"""`python -m benchmarks.hot_spots`: where tap and target spend their CPU, by module.

Stacks are sampled from outside by py-spy (https://github.com/benfred/py-spy), which uv fetches for
this and does not install. A sample counts for the innermost module of ours on its stack, and for
the library that this one has called. Threads that wait do not count, worker processes do.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from benchmarks.contenders import Setup, tap_stage, target_stage
from benchmarks.data_folder import DATA
from benchmarks.event_days import prepare_days
from benchmarks.plugins import local_config
from benchmarks.services import static_server
from benchmarks.workload import make_workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OURS = ("tap_mixpanel_export/", "target_aep/")
IMPORTS = ("imports", "")
ELSEWHERE = ("elsewhere", "")

_SPY = ("uv", "tool", "run", "py-spy", "record", "--format", "raw", "--native", "--subprocesses")
_RATE = "200"
_LEAST_PERCENT = 1.0
_TRIES = 3
_LONGEST = 120.0  # seconds for 300,000 events, of which it takes ten

Place = tuple[str, str]


def main() -> int:
    """Profile both, print a table of each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_spots", description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    days = prepare_days(options.data, options.events)
    with (
        tempfile.TemporaryDirectory(prefix="hot-spots-") as name,
        static_server(days.folder) as url,
    ):
        folder = Path(name)
        workload = make_workload(url, days, folder)
        setup = Setup(folder / "schema.json")
        tap = tap_stage(setup, workload, folder)
        target = target_stage(setup, local_config(folder), folder)
        for stage, messages in ((tap, None), (target, workload.records_file)):
            print(f"\n{stage.name}, {days.events:,} events", flush=True)
            print("\n".join(table(_sampled(stage.command, messages, folder / "stacks"))))
    return 0


def place_of(stack: str) -> Place:
    """The module of ours that a stack is in, and the library that it has called, if any."""
    frames = stack.split(";")
    if any("importlib._bootstrap" in frame for frame in frames):
        return IMPORTS
    for number in range(len(frames) - 1, -1, -1):
        if any(package in frames[number] for package in OURS):
            called = frames[number + 1] if number + 1 < len(frames) else ""
            return _file(frames[number]), _library(called)
    return ELSEWHERE


def table(lines: Iterable[str]) -> Iterator[str]:
    """Shares of the samples, the largest first.

    Args:
        lines: Stacks with how often each was seen, as py-spy writes them.
    """
    counts: Counter[Place] = Counter()
    for line in lines:
        stack, _, times = line.rstrip().rpartition(" ")
        if times.isdigit():  # else the first line of a process's name, which may have several
            counts[place_of(stack)] += int(times)
    total = counts.total()
    for (module, library), count in counts.most_common():
        percent = 100 * count / total
        if percent >= _LEAST_PERCENT:
            yield f"{percent:>6.1f} %  {module}{f' -> {library}' if library else ''}"


def _sampled(command: Sequence[str], messages: Path | None, stacks: Path) -> Iterable[str]:
    """Stacks of a program; py-spy, which may crash or stop for good, has a few tries.

    Raises:
        RuntimeError: None was good.
    """
    spy = [*_SPY, "--rate", _RATE, "--output", str(stacks), "--", sys.executable, *command]
    for _ in range(_TRIES):
        with messages.open("rb") if messages else tempfile.TemporaryFile() as source:
            if _ends_well(spy, source):
                return stacks.read_text("utf-8").splitlines()
    raise RuntimeError(f"py-spy has not ended well {_TRIES} times: {shlex.join(spy)}")


def _ends_well(command: Sequence[str], source: IO[bytes]) -> bool:
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=source, stdout=nowhere, stderr=nowhere, start_new_session=True
    ) as process:
        try:
            return process.wait(_LONGEST) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            # Also what it has left behind, stopped.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _file(frame: str) -> str:
    """The file of a frame `function (file:line)`."""
    return frame.rpartition("(")[2].rstrip(")").partition(":")[0]


def _library(frame: str) -> str:
    """The package, module or shared library of a frame; nothing for Python's own machinery."""
    name = _file(frame).partition("/")[0]
    return "" if name.startswith(("libpython", "python", "<")) else name.partition(".")[0]


if __name__ == "__main__":
    sys.exit(main())
