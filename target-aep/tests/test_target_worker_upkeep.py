"""Workers that hang, and SCHEMAs that come again and again: neither stops nor burdens a run."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from run_comparison import LastingPool, run
from target_aep import record_runs
from target_aep.workers import pool as pools
from target_aep.workers import worker_process
from target_messages import EVENT_SCHEMA, record, state
from test_target_workers import await_end, feed_until_workers, start

PROMPT = 60
PIPE_BYTES = 1 << 20
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
SILENT = "nothing was heard of it for too long"


def jsonl(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def content():
    return jsonl(
        EVENT_SCHEMA, *map(record, range(60)), state(1), *map(record, range(120)), state(2)
    )


class HangingPool(LastingPool):
    """Its workers stop with a certain block."""

    def give(self, *arguments):
        if self.tasks == 3:
            for pid in self.pids:
                os.kill(pid, signal.SIGSTOP)
        return super().give(*arguments)


@pytest.mark.parametrize("count", [1, 2])
def test_a_worker_that_hangs_is_given_up_and_nothing_lost(count, monkeypatch):
    pool = HangingPool(count)
    monkeypatch.setattr(pools, "PATIENCE", 0.1)
    try:
        seen = run(content(), pool)
        assert not pool.pids
    finally:
        pool.end_at_last()
    warnings = [line for line in seen.log if SILENT in line]
    assert len(warnings) == count
    seen.log = [line for line in seen.log if line not in warnings]
    assert seen == run(content(), is_ordinary=True)


def test_a_worker_that_never_starts_is_told_of(monkeypatch):
    monkeypatch.setattr(worker_process, "_program", lambda: "import time; time.sleep(600)")
    monkeypatch.setattr(pools, "PATIENCE", 0.1)
    warnings = []
    monkeypatch.setattr(pools.logger, "warning", lambda text, *parts: warnings.append(text % parts))
    pool = pools.WorkerPool(2)
    while pool.pids:
        pool.exchange(wait=True)
    assert len([line for line in warnings if SILENT in line]) == 2


def runs_its_program(pid):
    return b"workers.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


@linux
def test_a_stopped_worker_does_not_outlive_a_target_that_is_terminated(tmp_path):
    with start(tmp_path) as process:
        workers, _ = feed_until_workers(process)
        while not all(map(runs_its_program, workers)):
            pass  # one that is stopped before would hold up who starts it
        # More than the pipe holds: it was read by a target that has started its workers.
        process.stdin.write(jsonl(record(0)) * (2 * PIPE_BYTES // len(jsonl(record(0)))))
        watched = [os.pidfd_open(worker) for worker in workers]
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PROMPT) == 128 + signal.SIGTERM
        process.stdin.close()
    assert all(map(await_end, watched))


class WeighingPool(LastingPool):
    """Notes the bytes that are under way, and the longest line."""

    def __init__(self, count):
        super().__init__(count)
        self.most = self.longest = 0
        self.sizes = []

    def give(self, number, assignment, lines):
        task = super().give(number, assignment, lines)
        self.sizes.append((task, len(lines)))
        self.most = max(self.most, sum(size for each, size in self.sizes if not each.is_done))
        self.longest = max(self.longest, *map(len, lines.split(b"\n")))
        return task


def test_large_records_are_mapped_here_and_few_bytes_are_under_way(monkeypatch):
    monkeypatch.setattr(record_runs, "LARGE", 20_000)
    monkeypatch.setattr(record_runs, "MOST_BYTES", 25_000)
    messages = [EVENT_SCHEMA]
    for number, size in enumerate([100, 9_000, 19_000, 9_000, 30_000, 9_000, 100, 19_000] * 4):
        numbers = range(number * 5, number * 5 + 5)
        messages += [*(record(n, properties={"text": "x" * size}) for n in numbers), state(number)]
    lines = jsonl(*messages)
    pool = WeighingPool(2)
    try:
        seen = run(lines, pool)
        given = pool.tasks
    finally:
        pool.end_at_last()
    assert seen == run(lines, is_ordinary=True)
    assert given
    assert pool.longest < 20_000
    assert pool.most <= 25_000


class NotingPool(LastingPool):
    """Notes which assignments its worker has."""

    def __init__(self, count):
        super().__init__(count)
        self.given = []

    def give(self, number, *others):
        self.given.append(number)
        return super().give(number, *others)

    @property
    def known(self):
        return [len(worker._known) for worker in self._workers]


@pytest.fixture
def noting():
    pool = NotingPool(1)
    yield pool
    pool.end_at_last()


def repeated(schema_of):
    messages = []
    for number in range(6):
        messages += [schema_of(number), *map(record, range(number * 40, number * 40 + 40))]
        messages += [{"type": "ACTIVATE_VERSION", "stream": "events", "version": number}]
        messages += [*map(record, range(2000 + number * 20, 2020 + number * 20)), state(number)]
    return jsonl(*messages)


def test_a_schema_that_is_repeated_changes_nothing_for_workers(noting):
    lines = repeated(lambda _: EVENT_SCHEMA)
    assert run(lines, noting) == run(lines, is_ordinary=True)
    assert len(noting.given) > 12
    assert len(set(noting.given)) == 1


def test_a_schema_that_changes_replaces_what_workers_know(noting):
    def schema_of(number):
        column = {"type": "string", "title": f"column {number}"}
        return {**EVENT_SCHEMA, "schema": {"properties": {"event_id": {}, "c": column}}}

    lines = repeated(schema_of)
    assert run(lines, noting) == run(lines, is_ordinary=True)
    assert len(set(noting.given)) == 6
    assert noting.known == [1]
