"""No worker process outlives the target, whenever a signal comes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from pathlib import Path

import pytest
from target_aep.held_signals import ENDING, signals_held
from target_aep.workers import pool as pools
from target_aep.workers.worker_process import Worker
from target_messages import EVENT_SCHEMA, record
from test_target_workers import EAGER, PROMPT, await_end, jsonl, start

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
SIGNALLED = """
import os, signal, sys
from target_aep.workers import pool
class Started(pool.Worker):
    def __init__(self):
        super().__init__()
        os.kill(self.pid, signal.SIGSTOP)  # it does not see that its stdin is closed
        print("worker", self.pid, file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.{name})
pool.Worker = Started
"""


@linux
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_workers_that_are_just_being_started_are_ended_too(tmp_path, name):
    script = SIGNALLED.replace("{name}", name) + EAGER
    with start(tmp_path, script) as process:
        _, log = process.communicate(jsonl(EVENT_SCHEMA, *map(record, range(99))), timeout=PROMPT)
    pids = [int(pid) for pid in re.findall(rb"^worker (\d+)$", log, re.MULTILINE)]
    try:
        assert process.returncode == 128 + signal.Signals[name]
        assert len(pids) == 2
        assert b"Received " + name.encode() in log
        assert b"Traceback" not in log
        assert all(map(has_ended, pids))
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def has_ended(pid):
    try:
        return await_end(os.pidfd_open(pid))
    except ProcessLookupError:
        return True


def test_a_worker_is_known_until_it_has_ended(monkeypatch):
    pool = pools.WorkerPool(2)
    seen = []

    def end(worker):
        seen.append(worker in pool._workers)
        ended(worker)

    ended = Worker.end
    monkeypatch.setattr(Worker, "end", end)
    pool._workers[0].give_up()
    pool.exchange(wait=False)
    pool.end()
    assert seen == [True, True]
    assert pool.pids == []


@pytest.fixture
def heard():
    """The signals that were heard, in this process."""
    numbers = []
    before = {each: signal.signal(each, lambda n, _: numbers.append(n)) for each in ENDING}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def test_signals_come_after_the_block(heard):
    with signals_held():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert heard == []
    assert heard == [signal.SIGTERM, signal.SIGINT]
    signal.raise_signal(signal.SIGINT)
    assert heard[2:] == [signal.SIGINT]


def test_a_signal_is_not_lost_over_an_error(heard):
    @signals_held()
    def fail():
        signal.raise_signal(signal.SIGTERM)
        raise OSError("no more processes")

    with pytest.raises(OSError, match="no more processes"):
        fail()
    assert heard == [signal.SIGTERM]


def test_another_thread_holds_nothing(heard):
    def hold():
        with signals_held():
            held.append(signal.getsignal(signal.SIGTERM))

    held, handler = [], signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert held == [handler]
    assert heard == []
