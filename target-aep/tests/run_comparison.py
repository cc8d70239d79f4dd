"""The same input through the target in three ways, and all that can be seen of what came out."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from singer_sdk.exceptions import SingerSDKError
from singer_sdk.singerlib.exceptions import SingerError
from target_aep import record_runs
from target_aep.errors import TargetError
from target_aep.run_summary import summarise
from target_aep.target import TargetAEP
from target_aep.workers.pool import WorkerPool


@dataclass
class Seen:
    """What a run has left."""

    rows: list[list[bytes]]
    commits: list[str]
    letters: list[Any]
    states: list[str]
    error: str
    log: list[str]
    summary: str


class LastingPool(WorkerPool):
    """Workers that are waited for, so that they map all there is, and outlast a run."""

    tasks = 0

    def __init__(self, count):
        super().__init__(count)
        while self._workers and len(self.ready) < len(self._workers):
            self.exchange(wait=True)

    def give(self, *arguments):
        self.tasks += 1
        return super().give(*arguments)

    def end(self):
        """They are needed again."""

    def end_at_last(self):
        super().end()


@contextmanager
def eager_workers(pool):
    """Let every record go to workers, in small blocks."""
    changed = {
        "START_AFTER": 0,
        "BLOCK_BYTES": 3000,
        "SMALL": 0,
        "WorkerPool": lambda _: pool,
    }
    saved = {name: getattr(record_runs, name) for name in changed}
    try:
        for name, value in changed.items():
            setattr(record_runs, name, value)
        yield
    finally:
        for name, value in saved.items():
            setattr(record_runs, name, value)


def run(
    content: bytes,
    pool: LastingPool | None = None,
    *,
    is_ordinary: bool = False,
    target_class: type[TargetAEP] = TargetAEP,
    **config: Any,
) -> Seen:
    """Load an input: with workers if there is a pool, else here, record by record if ordinary."""
    with TemporaryDirectory() as folder, eager_workers(pool), logs() as log, stdout() as out:
        target = target_class(
            config={
                "destination": "local",
                "local_path": f"{folder}/out",
                "dead_letter_path": f"{folder}/letters",
                "run_summary_path": f"{folder}/summary.json",
                "workers": 2 if pool else 1,
                **config,
            }
        )
        if is_ordinary:
            target.message_reader.let_take(None, None)
        error = ""
        try:
            target.listen(io.BytesIO(content))
        except (TargetError, SingerSDKError, SingerError) as caught:
            error = f"{type(caught).__name__}: {target.explain(caught)}"
            target.abandon()
        return Seen(
            rows=sorted(
                path.read_bytes().splitlines() for path in Path(folder).glob("out/*/*/*.json")
            ),
            commits=sorted(
                f"{path.parent.name[-32:]}/{path.name}" for path in Path(folder).glob("out/*/*/*")
            ),
            letters=[
                letter
                for path in sorted(Path(folder).glob("letters/*"))
                for letter in read_letters(path)
            ],
            states=out.getvalue().splitlines(),
            error=error.replace(folder, ""),
            log=sorted(without_changes(line, folder) for line in log),
            summary=without_changes(without_times(summarise(target._run())), folder),
        )


def assert_same(content: bytes, pool: LastingPool, **config: Any) -> Seen:
    """Load an input in all ways; what came out is the same."""
    ordinary = run(content, is_ordinary=True, **config)
    assert run(content, **config) == ordinary
    assert run(content, pool, **config) == ordinary
    return ordinary


def read_letters(path):
    letters = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [{**letter, "time": None} for letter in letters]


def without_times(summary):
    del summary["durationSummary"]
    return json.dumps(summary, indent=1)


def without_changes(line, folder):
    line = re.sub(r"\d{8}T\d{6}Z", "", line.replace(folder, ""))
    return re.sub(r" in \d+ s ", " in . s ", line)


@contextmanager
def logs():
    """The lines of the target's log, without the SDK's metrics and words for debugging."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record):
            lines.append(f"{record.levelname} {record.getMessage()}")

    logger, handler = logging.getLogger("target-aep"), Handler(logging.INFO)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def stdout():
    """What is written to stdout."""
    saved, sys.stdout = sys.stdout, io.StringIO()
    try:
        yield sys.stdout
    finally:
        sys.stdout = saved
