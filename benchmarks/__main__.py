"""`python -m benchmarks`: generated events through the bare pipe, with speed and peak memory.

Mixpanel emulator -> tap -> target -> Experience Platform emulator, each a process of its own. Peak
memory is what the kernel counted for the process (`ru_maxrss`).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.pipe import Measurement, Usage, measure_pipe

TAP_LIMIT = 200
TARGET_LIMIT = 300
MEBIBYTE = 1 << 20


def main() -> int:
    """Measure, print, and tell by the exit code whether memory stayed below the promise."""
    options = _options()
    measurements = []
    for events in options.events:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            measurements.append(
                measure_pipe(Path(folder), events, days=options.days, limits=_limits(options))
            )
        print(_row(measurements[-1]), flush=True)
    if options.json:
        content = [measurement.as_json() for measurement in measurements]
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    return 0 if all(map(_keeps_promise, measurements)) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("events", nargs="*", type=int, default=[300_000, 3_000_000])
    parser.add_argument("--days", type=int, default=30, help="over how many days they spread")
    parser.add_argument("--file-max", type=int, default=200, help="largest file, in MiB")
    parser.add_argument("--batch-max", type=int, default=1024, help="size of a batch, in MiB")
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    return parser.parse_args()


def _row(measurement: Measurement) -> str:
    speed = measurement.events / measurement.seconds
    return (
        f"{measurement.events:>10,} events  {measurement.loaded:>10,} loaded  "
        f"{measurement.rejected:>7,} rejected  {speed:>8,.0f} events/s   "
        f"tap: {_usage(measurement.tap, measurement)}   "
        f"target: {_usage(measurement.target, measurement)}   {_stored(measurement.stored)}"
    )


def _limits(options: argparse.Namespace) -> dict[str, int]:
    return {
        "file_max_bytes": options.file_max * MEBIBYTE,
        "batch_max_bytes": options.batch_max * MEBIBYTE,
    }


def _stored(dataset: dict[str, Any]) -> str:
    return (
        f"{dataset['duplicates']} doubled, {dataset['batches']}, {dataset['files']} files: at the "
        f"most {dataset['largestBatch'] / MEBIBYTE:.0f} MiB a batch and "
        f"{dataset['largestFile'] / MEBIBYTE:.0f} MiB a file"
    )


def _usage(usage: Usage, measurement: Measurement) -> str:
    per_million = usage.cpu_seconds / measurement.events * 1_000_000
    return f"{usage.peak_mebibytes:.0f} MB peak, {per_million:.0f} CPU s per million"


def _keeps_promise(measurement: Measurement) -> bool:
    return (
        measurement.tap.peak_mebibytes < TAP_LIMIT
        and measurement.target.peak_mebibytes < TARGET_LIMIT
    )


if __name__ == "__main__":
    sys.exit(main())
