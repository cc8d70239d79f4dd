"""One run of `tap | target` between both emulators, measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import IO, TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What a process used."""

    peak_mebibytes: float
    cpu_seconds: float


@dataclass(frozen=True)
class Measurement:
    """A run: how many events, where they are, how long it took, and what it used.

    Attributes:
        stored: What the dataset's emulator tells of its batches and files.
    """

    events: int
    loaded: int
    rejected: int
    seconds: float
    stored: dict[str, Any]
    tap: Usage
    target: Usage

    def as_json(self) -> dict[str, Any]:
        """The numbers as JSON."""
        return asdict(self)


def measure_pipe(folder: Path, events: int, *, days: int, limits: dict[str, int]) -> Measurement:
    """Generate events, send them through the pipe, and measure both processes.

    Args:
        folder: Belongs to this run.
        events: About how many; the generator decides the exact number.
        days: Over how many days they spread.
        limits: The target's settings for the size of files and batches.

    Raises:
        RuntimeError: A process failed; its log is in the folder.
    """
    with ExitStack() as stack:
        mixpanel = stack.enter_context(_mixpanel(folder, events, days))
        aep = stack.enter_context(_emulator("aep", "--demo", "--data-dir", str(folder / "aep")))
        dataset = _dataset(aep, "Mixpanel events")
        started = time.monotonic()
        tap, target = _run_pipe(folder, mixpanel, aep, dataset["id"], days, limits)
        seconds = time.monotonic() - started
        generated = requests.get(
            f"{mixpanel}/__emulator__/projects/1234567/events/count", timeout=600
        ).json()
        dataset = _dataset(aep, "Mixpanel events")
    rejected = sum(
        sum(1 for _ in file.open("rb")) for file in (folder / "dead-letters").glob("*.jsonl")
    )
    return Measurement(
        generated["visible"], dataset["rows"], rejected, seconds, dataset, tap, target
    )


@contextmanager
def _mixpanel(folder: Path, events: int, days: int) -> Iterator[str]:
    with _emulator(
        "mixpanel",
        "--no-limits",
        *("--data-dir", str(folder / "mixpanel")),
        *("--generate-days", str(days)),
        *("--events-per-day", str(events // days)),
    ) as url:
        yield url


@contextmanager
def _emulator(kind: str, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "emulators", kind, "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield _announced_url(process.stderr)
        finally:
            process.terminate()


def _announced_url(lines: IO[str] | None) -> str:
    for line in lines or ():
        _, found, url = line.partition("listening on ")
        if found:
            return url.strip()
    raise RuntimeError("the emulator ended before it was ready")


def _dataset(aep: str, name: str) -> dict[str, Any]:
    listing = requests.get(f"{aep}/__emulator__/datasets", timeout=600).json()
    identifier = next(dataset["id"] for dataset in listing if dataset["name"] == name)
    summary: dict[str, Any] = requests.get(
        f"{aep}/__emulator__/datasets/{identifier}", timeout=600
    ).json()
    return summary


def _run_pipe(
    folder: Path, mixpanel: str, aep: str, dataset_id: str, days: int, limits: dict[str, int]
) -> tuple[Usage, Usage]:
    first_day = datetime.now(timezone.utc).date() - timedelta(days=days - 1)
    tap_config = {
        "service_account_username": "emulated.mp-service-account",
        "service_account_secret": "emulated-secret",
        "project_id": 1234567,
        "api_url": mixpanel,
        "start_date": first_day.isoformat(),
        "settle_minutes": 0,
        "state_dir": str(folder / "tap"),
    }
    target_config = {
        "client_id": "emulator-client",
        "client_secret": "emulator-secret",
        "org_id": "4F3BB22C5631222A7F000101@AdobeOrg",
        "ims_url": aep,
        "platform_url": aep,
        "dataset_id": dataset_id,
        "dead_letter_path": str(folder / "dead-letters"),
        "run_summary_path": str(folder / "run-summary.json"),
        **limits,
    }
    with ExitStack() as stack:
        logs = [
            stack.enter_context((folder / f"{name}.log").open("w")) for name in ("tap", "target")
        ]
        tap = subprocess.Popen(
            [*_command("tap_mixpanel_export"), _write(folder / "tap.json", tap_config)],
            stdout=subprocess.PIPE,
            stderr=logs[0],
        )
        target = subprocess.Popen(
            [*_command("target_aep"), _write(folder / "target.json", target_config)],
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,
            stderr=logs[1],
        )
        if tap.stdout:
            tap.stdout.close()
        return _wait(tap, folder / "tap.log"), _wait(target, folder / "target.log")


def _command(module: str) -> list[str]:
    return [sys.executable, "-m", module, "--config"]


def _write(path: Path, config: dict[str, Any]) -> str:
    path.write_text(json.dumps(config), "utf-8")
    return str(path)


def _wait(process: subprocess.Popen[bytes], log: Path) -> Usage:
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(
            f"{log.stem} ended with {process.returncode}:\n{log.read_text()[-3000:]}"
        )
    return Usage(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)
