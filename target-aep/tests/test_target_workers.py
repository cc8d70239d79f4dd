"""Worker processes: how they end, and that nothing is lost or doubled whenever they do."""

from __future__ import annotations

import json
import logging
import os
import pickle
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from run_comparison import LastingPool, run
from target_aep import record_runs
from target_aep.target import TargetAEP
from target_aep.workers import pool as pools
from target_aep.workers import worker_process
from target_aep.workers.frames import ASSIGNMENT, BLOCK, FAILED, HEAD, READY, head
from target_aep.workers.recipe import Assignment
from target_messages import EVENT_SCHEMA, record, state

PROMPT = 60
IDENTITIES = [
    {"field": "distinct_id", "namespace": "User", "primary": True},
    {"field": "properties.plan", "namespace": "Plan", "authenticated_state": "loggedOut"},
]
EAGER = """
import sys
from target_aep import record_runs
record_runs.START_AFTER, record_runs.BLOCK_BYTES, record_runs.SMALL = 0, 2000, 0
from target_aep.target import TargetAEP
TargetAEP.cli()
"""


def jsonl(*messages):
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def content(count=120):
    messages = [EVENT_SCHEMA, record(0)]
    for start in range(0, count, 30):
        messages += [*map(record, range(start, start + 32)), state(start)]
    return jsonl(*messages)


class DyingPool(LastingPool):
    """One of its workers is killed before it is given a certain block."""

    def __init__(self, count, victim_at):
        super().__init__(count)
        self.victim_at = victim_at

    def give(self, *arguments):
        if self.tasks != self.victim_at - 1:
            return super().give(*arguments)
        for pid in self.pids:  # so that none can answer before it is killed
            os.kill(pid, signal.SIGSTOP)
        task = super().give(*arguments)
        worker = next(worker for worker in self._workers if task in worker.tasks)
        os.kill(worker.pid, signal.SIGKILL)
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)
        return task


@pytest.mark.parametrize("victim_at", [1, 2, 5, 11])
@pytest.mark.parametrize("count", [1, 2])
def test_a_worker_that_is_killed_loses_and_doubles_nothing(victim_at, count):
    pool = DyingPool(count, victim_at)
    try:
        seen = run(content(), pool)
        assert len(pool.pids) == count - 1
    finally:
        pool.end_at_last()
    (warning,) = [line for line in seen.log if "worker process" in line]
    assert "ended by signal 9; nothing is lost" in warning
    seen.log.remove(warning)
    assert seen == run(content(), is_ordinary=True)


def test_workers_that_can_not_start_are_told_of_and_not_needed(monkeypatch):
    monkeypatch.setattr(worker_process.sys, "executable", "/nowhere/python")
    pool = LastingPool(2)
    assert pool.pids == []
    seen = run(content(), pool)
    assert seen == run(content(), is_ordinary=True)


def test_a_worker_that_ends_at_once_is_told_of_and_not_needed(monkeypatch):
    monkeypatch.setattr(worker_process, "_program", lambda: "raise SystemExit(3)")
    monkeypatch.setattr(record_runs, "START_AFTER", 0)
    with pool_of(2) as (pool, log):
        while pool.pids:
            pool.exchange(wait=True)
    assert [line for line in log if "ended with exit status 3" in line]


@contextmanager
def pool_of(count):
    """A pool, and what it logs."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda entry: lines.append(entry.getMessage())
    logging.getLogger("target-aep").addHandler(handler)
    pool = pools.WorkerPool(count)
    try:
        yield pool, lines
    finally:
        logging.getLogger("target-aep").removeHandler(handler)
        pool.end()


def test_a_block_without_its_assignment_is_left_to_the_target():
    with pool_of(1) as (pool, _):
        while not pool.ready:
            pool.exchange(wait=True)
        bad = pool.give(7, b"no pickle", b"{}")
        while not bad.is_done:
            pool.exchange(wait=True)
        assert bad.block is None
        assert len(pool.pids) == 1


def test_nonsense_from_a_worker_ends_it(monkeypatch):
    program = (
        "import os, time; os.write(1, bytes(13)); os.read(0, 1); "
        "os.write(1, b'\\x02' + bytes(4) + b'\\x03' + bytes(7) + b'abc'); time.sleep(60)"
    )
    monkeypatch.setattr(worker_process, "_program", lambda: program)
    with pool_of(1) as (pool, log):
        while not pool.ready:
            pool.exchange(wait=True)
        task = pool.give(1, b"", b"x")
        while not task.is_done:
            pool.exchange(wait=True)
        assert task.block is None
        assert not pool.pids
    assert len(log) == 1


def test_frames_are_as_long_as_they_say():
    assert HEAD.unpack(head(BLOCK, 3, 9)) == (BLOCK, 3, 9)
    assert len({READY, ASSIGNMENT, BLOCK, FAILED}) == 4


def test_a_worker_has_no_secret_and_nothing_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TARGET_AEP_CLIENT_SECRET", "hush")
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    (tmp_path / "msgspec.py").write_text("raise SystemExit(5)")
    with pool_of(1) as (pool, log):
        while pool.pids and not pool.ready:
            pool.exchange(wait=True)
        (pid,) = pool.pids
        environment = Path(f"/proc/{pid}/environ")
        if environment.exists():
            assert b"hush" not in environment.read_bytes()
    assert not log


# As processes ------------------------------------------------------------------------------------


def start(tmp_path, script=EAGER, **config):
    settings = {"destination": "local", "workers": 2, **config}
    (tmp_path / "config.json").write_text(json.dumps(settings), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-c", script, "--config", "config.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )


def children(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def await_end(watched):
    """Wait until a process that is no child of this one has ended."""
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    ended = poll.poll(PROMPT * 1000)
    os.close(watched)
    return bool(ended)


def feed_until_workers(process):
    """Send records until both workers are there and have something to do."""
    process.stdin.write(jsonl(EVENT_SCHEMA))
    number = 0
    while len(children(process.pid)) < 2:
        process.stdin.write(jsonl(*map(record, range(number, number + 20))))
        process.stdin.flush()
        number += 20
    return children(process.pid), number


linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")


@linux
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_a_target_that_is_ended(tmp_path, signum):
    with start(tmp_path) as process:
        workers, number = feed_until_workers(process)
        watched = [os.pidfd_open(worker) for worker in workers]
        process.stdin.write(jsonl(*map(record, range(number, number + 300))))
        process.stdin.flush()
        process.send_signal(signum)
        status = process.wait(PROMPT)
        assert status == (-9 if signum == signal.SIGKILL else 128 + signum)
        log = process.stderr.read()
        process.stdin.close()
    assert len(workers) == 2
    assert all(map(await_end, watched))
    assert b"Traceback" not in log


@linux
def test_what_is_under_way_is_loaded_while_the_tap_is_silent(tmp_path):
    """A commit comes out though the input is not at its end, and no more of it comes."""
    with start(tmp_path, batch_max_bytes=1) as process:
        _, number = feed_until_workers(process)
        process.stdin.write(jsonl(*map(record, range(number, number + 200)), state(1)))
        process.stdin.write(jsonl(record(9999), state(2), record(10_000), state(3)))
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == state(1)["value"]
        process.stdin.close()
        rest, log = process.stdout.read(), process.stderr.read()
        process.wait(PROMPT)
    assert process.returncode == 0, log
    assert [json.loads(line) for line in rest.splitlines()] == [
        state(2)["value"],
        state(3)["value"],
    ]
    rows = [
        json.loads(line)["_id"]
        for path in tmp_path.glob("aep-output/events/*/*.json")
        for line in path.read_bytes().splitlines()
    ]
    assert sorted(rows) == sorted({f"id{n}" for n in [*range(number + 200), 9999, 10_000]})


MEASURED = """
import sys
from pathlib import Path
from target_aep.workers.pool import WorkerPool

def most(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("VmHWM"))

def end(self, end=WorkerPool.end):
    print("SIZES", most("self"), *map(most, self.pids), file=sys.stderr)
    end(self)

WorkerPool.end = end
from target_aep.target import TargetAEP
TargetAEP.cli()
"""


@linux
def test_memory_stays_small_however_long_the_input_is(tmp_path):
    with start(tmp_path, MEASURED, batch_max_bytes=50_000_000) as process:
        filler = {f"property {number}": "x" * 50 for number in range(60)}
        process.stdin.write(jsonl(EVENT_SCHEMA))
        for start_at in range(0, 18_000, 600):
            numbers = range(start_at, start_at + 600)
            process.stdin.write(jsonl(*(record(n, properties=filler) for n in numbers), state(1)))
        _, log = process.communicate(timeout=PROMPT)
    assert process.returncode == 0, log
    sizes = [*map(int, log.decode().partition("SIZES ")[2].splitlines()[0].split())]
    assert len(sizes) == 3
    assert sum(sizes) < 300_000  # kilobytes


def test_what_a_worker_gets_is_no_secret():
    target = TargetAEP(config={"destination": "local", "client_secret": "hush-hush"})
    recipe = target.recipe_of("events", target.destination.bind("events"))
    assignment = Assignment(recipe, EVENT_SCHEMA["schema"], "events", ["event_id"], 10_000, False)
    assert b"hush" not in pickle.dumps(assignment)


def test_a_recipe_that_was_carried_gives_an_equal_mapper():
    target = TargetAEP(config={"destination": "local", "identities": IDENTITIES})
    recipe = target.recipe_of("events", target.destination.bind("events"))
    carried = pickle.loads(pickle.dumps(recipe))  # noqa: S301 - of this test
    assert carried.mapping_set == recipe.mapping_set
    assert carried.made_at == recipe.made_at
    event = record(1)["record"]
    row = carried.mapper().map(event)
    assert row == recipe.mapper().map(event)
    assert row["identityMap"] == {
        "Plan": [{"id": "pro", "authenticatedState": "loggedOut", "primary": False}],
        "User": [{"id": "user1", "authenticatedState": "ambiguous", "primary": True}],
    }
