"""The budget on disk: what threads and processes that share ``state_dir`` may do together."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.request_ledger import BudgetLimits, Lease, Refusal, RequestLedger

HOUR = 3600.0
LONGEST_WAIT = HOUR + 35
TICK = 1e-6  # a wait moves a clock by no less


class ManualClock:
    def __init__(self, time):
        self.time = time

    def now(self):
        return self.time


class WatchedClock:
    """Another's clock; keeps the last reading, by which a request was counted in."""

    def __init__(self, clock):
        self._clock = clock
        self.last = 0.0

    def now(self):
        self.last = self._clock.now()
        return self.last


@pytest.fixture
def ledger_of(tmp_path, fake_clock, logger):
    """A function that opens the ledger anew, as another run would."""

    def open_ledger(per_hour=60, at_once=100, owner="a project", clock=fake_clock):
        limits = BudgetLimits(per_hour, at_once)
        return RequestLedger(tmp_path, owner, limits, clock=clock, logger=logger)

    return open_ledger


def written(tmp_path):
    (path,) = tmp_path.rglob("begun.json")
    return path


def assert_within(begun, per_hour):
    """No sliding hour has more than its share, no sliding second more than three."""
    moments = sorted(begun)
    for period, most in ((HOUR, per_hour), (1, 3)):
        for first, next_one in zip(moments, moments[most:], strict=False):
            assert next_one - first > period


@given(
    per_hour=st.integers(1, 8),
    pauses=st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 900) | st.floats(0, 0.5)), max_size=30
    ),
)
def test_no_hour_and_no_second_sees_more_than_its_share(per_hour, pauses):
    clock = ManualClock(1.7e9)
    with tempfile.TemporaryDirectory() as folder:
        limits = BudgetLimits(per_hour, 100)
        runs = [RequestLedger(Path(folder), "p", limits, clock=clock, logger=None) for _ in "abc"]
        begun = []
        for run, pause in pauses:
            clock.time += pause
            while isinstance(answer := runs[run].try_begin(), Refusal):
                assert 0 < answer.seconds <= LONGEST_WAIT
                clock.time += answer.seconds + TICK
            answer.release()
            begun.append(clock.time)
    assert_within(begun, per_hour)


@given(jumps=st.lists(st.floats(-40 * 86400, 7200), max_size=15))
def test_a_clock_that_jumps_makes_nobody_wait_for_longer_than_an_hour(jumps):
    clock = ManualClock(1.7e9)
    with tempfile.TemporaryDirectory() as folder:
        limits = BudgetLimits(2, 1)
        ledger = RequestLedger(Path(folder), "p", limits, clock=clock, logger=None)
        for jump in jumps:
            clock.time += jump
            waited = 0.0
            while isinstance(answer := ledger.try_begin(), Refusal):
                clock.time += answer.seconds + TICK
                waited += answer.seconds
            answer.release()
            assert waited <= LONGEST_WAIT + 1


def test_threads_share_the_hour_and_the_places(ledger_of, fake_clock):
    lock, ended, begun, under_way, peak = threading.Lock(), threading.Event(), [], [], []

    def run(_number):
        clock = WatchedClock(fake_clock)
        ledger = ledger_of(per_hour=7, at_once=2, clock=clock)
        for _ in range(6):
            while isinstance(answer := ledger.try_begin(), Refusal):
                fake_clock.wait(answer.seconds, ended)
            with lock:
                begun.append(clock.last)
                under_way.append(answer)
                peak.append(len(under_way))
            with lock:
                under_way.remove(answer)
            answer.release()

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(run, range(5)))
    assert len(begun) == 30
    assert_within(begun, per_hour=7)
    assert max(peak) <= 2


# A process that makes requests by a clock in a file; each line of its log is one write.
REQUESTER = """
import fcntl, os, sys
from pathlib import Path
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger, Refusal

folder, count, per_hour, at_once = Path(sys.argv[1]), *map(int, sys.argv[2:])
log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

class Clock:
    last = 0.0

    def now(self, until=0.0):
        with (folder / "clock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.last = max(float(file.read()), until)
            file.seek(0)
            file.write(repr(self.last).ljust(30))
        return self.last

clock = Clock()
ledger = RequestLedger(folder, "p", BudgetLimits(per_hour, at_once), clock=clock, logger=None)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(count):
    while isinstance(answer := ledger.try_begin(), Refusal):
        clock.now(until=clock.last + answer.seconds + 1e-6)
    os.write(log, b"%r\\n" % clock.last)
    os.write(log, b"end\\n")
    answer.release()
"""

HOLDER = """
import sys, time
from pathlib import Path
from tap_mixpanel_export.clock import SystemClock
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger

limits = BudgetLimits(60, 1)
lease = RequestLedger(Path(sys.argv[1]), "p", limits, clock=SystemClock(), logger=None).try_begin()
print(type(lease).__name__, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def started():
    """A function that starts a process; all are ended at the test's end."""
    processes = []

    def start(script, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_processes_share_the_hour_and_the_places(started, tmp_path):
    (tmp_path / "clock").write_text(repr(1.7e9).ljust(30))
    processes = [started(REQUESTER, tmp_path, 12, 10, 2) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait(timeout=50) for process in processes] == [0, 0, 0]
    lines = (tmp_path / "log").read_text().split()
    begun = [float(line) for line in lines if line != "end"]
    assert len(begun) == 36
    assert_within(begun, per_hour=10)
    under_way = 0
    for line in lines:
        under_way += -1 if line == "end" else 1
        assert under_way <= 2


def test_a_place_is_freed_by_the_death_of_the_process_that_held_it(started, tmp_path, logger):
    process = started(HOLDER, tmp_path)
    assert process.stdout.readline() == "Lease\n"
    clock = ManualClock(4e9)  # long after its request began
    ledger = RequestLedger(tmp_path, "p", BudgetLimits(60, 1), clock=clock, logger=logger)
    answer = ledger.try_begin()
    assert isinstance(answer, Refusal)
    assert "1 requests of other runs are under way (max_concurrent_requests)" in answer.reason
    process.kill()
    process.wait()
    answer = ledger.try_begin()
    assert isinstance(answer, Lease)
    answer.release()


def test_a_place_is_freed_by_release(ledger_of, fake_clock):
    one, other = ledger_of(at_once=2), ledger_of(at_once=2)
    first = one.try_begin()
    fake_clock.advance(minutes=1)
    second = other.try_begin()
    fake_clock.advance(minutes=1)
    assert isinstance(one.try_begin(), Refusal)
    assert isinstance(other.try_begin(), Refusal)
    second.release()
    third = one.try_begin()
    assert isinstance(third, Lease)
    for lease in (first, third):
        lease.release()


def test_a_refusal_says_how_long_and_why(ledger_of, fake_clock):
    ledger = ledger_of(per_hour=4)
    reason = "Mixpanel allows 3 requests a second"
    for _ in range(2):
        ledger.try_begin().release()
        assert ledger.try_begin() == Refusal(pytest.approx(0.1), reason, is_brief=True)
        fake_clock.set(fake_clock.now() + 0.125)
    ledger.try_begin().release()
    assert ledger.try_begin() == Refusal(1.0, reason, is_brief=True)
    fake_clock.advance(minutes=10)
    ledger.try_begin().release()
    fake_clock.advance(minutes=10)
    reason = "all 4 requests of this hour are used up (max_requests_per_hour)"
    assert ledger.try_begin() == Refusal(HOUR + 35 - 1200.25, reason)


def test_a_refused_request_is_not_counted(ledger_of, tmp_path):
    ledger = ledger_of(at_once=1)
    lease = ledger.try_begin()
    before = written(tmp_path).read_bytes()
    assert isinstance(ledger.try_begin(), Refusal)
    assert written(tmp_path).read_bytes() == before
    lease.release()


def test_what_is_left_of_the_hour_is_counted_over_runs(ledger_of, fake_clock):
    left = []
    for _ in range(4):
        lease = ledger_of(per_hour=4).try_begin()
        lease.release()
        left.append(lease.requests_left)
        fake_clock.advance(minutes=1)
    assert left == [3, 2, 1, 0]
    fake_clock.advance(hours=2)
    assert ledger_of(per_hour=4).try_begin().requests_left == 3


def test_what_other_limits_left_behind_counts_for_smaller_ones(ledger_of, fake_clock):
    for _ in range(5):
        ledger_of(per_hour=10).try_begin().release()
        fake_clock.advance(minutes=10)
    answer = ledger_of(per_hour=2).try_begin()
    assert isinstance(answer, Refusal)
    fake_clock.wait(answer.seconds, threading.Event())
    assert ledger_of(per_hour=2).try_begin().requests_left == 0


def test_the_file_does_not_grow_with_the_runs(ledger_of, fake_clock, tmp_path):
    for _ in range(20):
        ledger_of().try_begin().release()
        fake_clock.advance(minutes=30)
    assert len(json.loads(written(tmp_path).read_bytes())) <= 3


DAMAGED = [b"", b"[1.0,", b"\xff\xfe", b"null", b"7", b'{"a": 1}', b'["x"]', b"[[1]]", b"[null]"]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_begins_anew_and_is_said(ledger_of, tmp_path, fake_clock, caplog, content):
    ledger_of(per_hour=2).try_begin().release()
    written(tmp_path).write_bytes(content)
    lease = ledger_of(per_hour=2).try_begin()
    lease.release()
    assert lease.requests_left == 1
    assert "is damaged; it begins anew" in caplog.text
    caplog.clear()
    fake_clock.advance(minutes=1)
    assert ledger_of(per_hour=2).try_begin().requests_left == 0
    assert caplog.text == ""


def test_projects_have_budgets_of_their_own_and_no_secret_is_written(ledger_of, tmp_path):
    leases = [
        ledger_of(per_hour=1, at_once=1, owner=name).try_begin() for name in ("a-secret", "b")
    ]
    assert [lease.requests_left for lease in leases] == [0, 0]
    for path in tmp_path.rglob("*"):
        assert "a-secret" not in str(path)
        assert path.is_dir() or b"a-secret" not in path.read_bytes()
    for lease in leases:
        lease.release()


def test_a_state_dir_that_is_no_directory_is_named(tmp_path, fake_clock, logger):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(StorageError, match=r"state_dir: cannot write to .*file"):
        RequestLedger(path, "p", BudgetLimits(60, 1), clock=fake_clock, logger=logger)


def test_a_failed_write_is_named_and_takes_no_place(ledger_of, tmp_path):
    ledger = ledger_of(at_once=1)
    (folder,) = (tmp_path / "requests").iterdir()
    obstacle = folder / "begun.new"
    obstacle.mkdir()
    with pytest.raises(StorageError, match=r"state_dir: cannot write to .*requests"):
        ledger.try_begin()
    obstacle.rmdir()
    ledger.try_begin().release()
