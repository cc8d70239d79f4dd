"""`python -m benchmarks`: the pair beside what is possible, in turns, on the same generated events.

Tables go to stdout, how it goes to stderr. Numbers depend on the machine, and on what else it does:
ratios are what counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import contenders as ours
from benchmarks.charts import draw_charts
from benchmarks.command_line import parse_options
from benchmarks.contestant import UnknownContestantError, choose, row_files
from benchmarks.data_folder import kept_data
from benchmarks.event_days import prepare_days
from benchmarks.growth import measure_growth
from benchmarks.limits import HAND_LOOP, hand_rows, module, tap_limits, target_limits
from benchmarks.meltano_project import meltano_contestants
from benchmarks.process_meter import run_pipeline
from benchmarks.report import Report
from benchmarks.rounds import run_rounds
from benchmarks.same_rows import check_same_rows
from benchmarks.services import static_server
from benchmarks.startup import measure_starts
from benchmarks.workload import beginning_of, make_workload, without_events

if TYPE_CHECKING:
    from argparse import Namespace

    from benchmarks.contestant import Contestant
    from benchmarks.growth import Growth
    from benchmarks.workload import Workload

GROWING = (ours.TAP, ours.TARGET, ours.PIPE)
SAMPLE = 5_000
"""Records that tell the schema, and on which rows by hand are compared."""


def main(argv: list[str] | None = None) -> int:
    """Measure, tell; the exit code is 1 with `--strict` if a promise is broken, 2 for a mistake."""
    options = parse_options(argv)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        try:
            report = _measure(options, Path(name))
        except UnknownContestantError as error:
            _tell(str(error))
            return 2
    print("\n".join(report.lines()))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report.as_json(), indent=1) + "\n", "utf-8")
    if options.charts and report.growths:
        _tell(f"charts: {', '.join(map(str, draw_charts(report.growths, options.charts)))}")
    _tell(kept_data(options.data))
    return 1 if options.strict and not report.is_kept else 0


def _measure(options: Namespace, folder: Path) -> Report:
    setup = ours.Setup(
        folder / "schema.json", dict(options.tap_setting), dict(options.target_setting)
    )
    contestants = _contestants(options, setup, folder)
    chosen = choose(contestants, options.only or [])
    days = prepare_days(options.data, options.events)
    with static_server(days.folder) as url:
        workload = make_workload(url, days, folder)
        idle = without_events(workload, folder)
        slow = beginning_of(workload, options.slow_events, folder)
        sample = beginning_of(workload, SAMPLE, folder)
        _compare_rows(contestants, sample)
        if any(each.name in ours.NEED_SCHEMA for each in chosen):
            _make_schema(sample, setup.schema_file)
        results = run_rounds(chosen, workload, slow, idle, rounds=options.rounds, tell=_tell)
        starts = measure_starts(workload, setup, rounds=options.rounds) if options.startup else []
        growing = [each for each in chosen if each.name in GROWING]
        growths = _growth(options, growing, idle, folder)
        return Report(results, starts, growths, is_judged=not options.quick)


def _make_schema(sample: Workload, schema_file: Path) -> None:
    command = module("provisioned_schema", str(sample.records_file), str(schema_file))
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"no schema could be made: {done.stderr[-2000:]}")


def _contestants(options: Namespace, setup: ours.Setup, folder: Path) -> list[Contestant]:
    found = [*tap_limits(), *target_limits(), *ours.contenders(setup)]
    if options.meltano != "none":
        all_variants = options.meltano == "all"
        found += meltano_contestants(setup, folder, all_variants=all_variants)
    return found


def _compare_rows(contestants: list[Contestant], sample: Workload) -> None:
    """See that the loop by hand makes the target's rows.

    Raises:
        OtherRowsError: It does not.
    """
    by_name = {each.name: each for each in contestants}
    with ExitStack() as stack:
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-rows-")))
            for _ in range(2)
        ]
        for name, folder in zip((ours.TARGET, HAND_LOOP), folders, strict=True):
            with by_name[name].open(sample, folder) as pipeline:
                run_pipeline(pipeline, folder)
        count = check_same_rows(row_files(folders[0]), hand_rows(folders[1]))
    _tell(f"rows by hand are those of the target: {count:,} compared")


def _growth(
    options: Namespace, growing: list[Contestant], idle: Workload, folder: Path
) -> list[Growth]:
    if not options.sizes or not growing:
        return []
    with ExitStack() as stack:
        workloads = []
        for size in sorted(options.sizes):
            days = prepare_days(options.data, size)
            url = stack.enter_context(static_server(days.folder))
            workloads.append(make_workload(url, days, folder / f"size-{size}"))
        return measure_growth(growing, workloads, idle, rounds=options.rounds, tell=_tell)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
