"""Limits of Experience Platform that a run waits for by itself."""

from __future__ import annotations

import logging
import threading
from itertools import pairwise

import pytest
from emulators.faults import Fault
from hypothesis import given
from hypothesis import strategies as st
from target_aep.api.calls import CallRules
from target_aep.api.pacing import FileLimits, Pacing, SlidingLimit
from target_aep.errors import PlatformError, TargetError
from target_aep.sink import XdmSink
from target_messages import EVENT_SCHEMA, reached, record, state

TOKEN = {"method": "POST", "path": "/ims/token/v3"}
ALL = 50
SECONDS = 60.0
TICK = 1e-6
FILE = 400
"""Bytes; room for one row of these tests and not for two."""


class Clock:
    """Time that passes only where it is waited for; `ends` is when the run ends."""

    def __init__(self, now=1000.0):
        self.now = now
        self.waits = []
        self.ends = False

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        return self.ends


def limit(clock, most=ALL, seconds=SECONDS):
    return SlidingLimit(most, seconds, "so much", clock)


@given(st.lists(st.tuples(st.integers(0, ALL), st.floats(0, 2 * SECONDS))))
def test_no_window_ever_holds_more_than_the_limit(asked):
    clock = Clock()
    subject = limit(clock)
    taken = []
    for amount, pause in asked:
        clock.now += pause
        subject.take(amount, clock.wait)
        taken.append((clock.now, amount))
    for end, _ in taken:
        window = [amount for moment, amount in taken if end - SECONDS + TICK < moment <= end]
        assert sum(window) <= ALL


@given(st.lists(st.integers(1, ALL), min_size=1))
def test_nothing_waits_while_there_is_room(amounts):
    clock = Clock()
    subject = limit(clock, most=sum(amounts))
    for amount in amounts:
        subject.take(amount, clock.wait)
    assert not clock.waits


def test_a_wait_is_as_long_as_the_oldest_stays_and_is_said_once(caplog):
    clock = Clock()
    subject = limit(clock)
    subject.take(ALL - 1, clock.wait)
    clock.now += 20
    subject.take(1, clock.wait)
    subject.take(1, clock.wait)
    assert clock.waits == [pytest.approx(40, abs=1)]
    (line,) = [entry for entry in caplog.records if entry.levelno == logging.WARNING]
    assert line.getMessage() == "Waiting 40 s: so much"


def test_what_is_larger_than_the_limit_waits_for_an_empty_window():
    clock = Clock()
    subject = limit(clock)
    subject.take(10 * ALL, clock.wait)
    assert not clock.waits
    subject.take(10 * ALL, clock.wait)
    assert sum(clock.waits) == pytest.approx(SECONDS, abs=1)


def test_memory_does_not_grow_with_the_amounts():
    clock = Clock()
    subject = limit(clock, most=10**9)
    for _ in range(5000):
        clock.now += 0.01
        subject.take(1, clock.wait)
    assert len(subject._slices) < 1000


def test_a_run_that_ends_waits_for_nothing():
    clock = Clock()
    subject = limit(clock)
    subject.take(ALL, clock.wait)
    clock.ends = True
    with pytest.raises(PlatformError, match="the run is ending"):
        subject.take(1, clock.wait)


def test_threads_come_in_one_after_the_other():
    clock = Clock()
    subject = limit(clock, most=1)
    moments = []

    def take():
        subject.take(1, clock.wait)
        moments.append(clock.now)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clock.waits) == 7
    assert all(second - first >= 0 for first, second in pairwise(sorted(moments)))


def paced(monkeypatch, **limits):
    """Runs with these limits, on a clock of their own."""
    clock = Clock()
    pacing = Pacing(**{name: limit(clock, most) for name, most in limits.items()})

    class Ending(threading.Event):
        """Time passes on the clock, so no test waits."""

        def wait(self, timeout=None):
            clock.wait(timeout or 0)
            return self.is_set()

    def rules(*arguments):
        return CallRules(*arguments, stopped=Ending(), pacing=pacing)

    monkeypatch.setattr("target_aep.configured_target.CallRules", rules)
    return clock


def units(count):
    """As many batches, because each is full at its STATE."""
    for number in range(count):
        yield from (record(number), state(number))


def test_batches_are_paced(sandbox, monkeypatch):
    clock = paced(monkeypatch, batches=2)
    outcome = sandbox.run([EVENT_SCHEMA, *units(5)], batch_max_bytes=1)
    assert outcome.error is None
    assert outcome.states == reached(*range(5))
    assert sandbox.calls("POST", "/batches") == 2 * 5
    assert outcome.log.count("Waiting 60 s: so much") == 2
    assert clock.now >= 1000 + 2 * SECONDS


def test_uploads_are_paced_by_their_bytes(sandbox, monkeypatch):
    paced(monkeypatch, upload=1)
    outcome = sandbox.run([EVENT_SCHEMA, *units(3)], batch_max_bytes=1)
    assert outcome.error is None
    assert len(sandbox.ids()) == 3
    assert outcome.log.count("Waiting 60 s: so much") == 2


def test_the_limits_are_those_of_the_guardrails():
    pacing = Pacing()
    clock = Clock()
    pacing.batches.take(2_000, clock.wait)
    pacing.upload.take(20 * 10**9, clock.wait)
    assert not clock.waits
    clock.ends = True
    with pytest.raises(PlatformError, match="2,000 batches a minute"):
        pacing.batches.take(1, clock.wait)
    with pytest.raises(PlatformError, match="20 GB an hour"):
        pacing.upload.take(1, clock.wait)


def test_a_batch_closes_at_the_first_state_after_so_many_files(sandbox, monkeypatch):
    monkeypatch.setattr(XdmSink, "file_limits", FileLimits(close_after=2, most=5))
    messages = [EVENT_SCHEMA]
    for number in range(6):
        messages += [record(number), state(number)]
    outcome = sandbox.run(messages, file_max_bytes=FILE)
    assert outcome.error is None
    assert outcome.states[-1:] == reached(5)
    assert len(sandbox.ids()) == 6
    assert sandbox.calls("POST", "/batches/") == 3


def test_a_batch_that_would_have_too_many_files_is_an_error(sandbox, monkeypatch):
    monkeypatch.setattr(XdmSink, "file_limits", FileLimits(close_after=2, most=5))
    messages = [EVENT_SCHEMA, *map(record, range(6)), state(1)]
    outcome = sandbox.run(messages, file_max_bytes=FILE)
    assert isinstance(outcome.error, TargetError)
    assert str(outcome.error).startswith("file_max_bytes: the batch would get more than 5 files")
    assert outcome.states == []
    assert sandbox.ids() == []


def test_25_000_files_are_the_most():
    FileLimits().check(25_000)
    with pytest.raises(TargetError, match="more than 25,000 files"):
        FileLimits().check(25_001)


@pytest.mark.parametrize("times", [1, 7, 15])
def test_a_throttled_credential_is_waited_for(sandbox, times):
    args = {"status": 429, "headers": {"Retry-After": "0"}}
    sandbox.emulator.faults.add(Fault("status", times=times, match=TOKEN, args=args))
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)])
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert outcome.log.count("the IMS token: IMS answered 429, it throttles") == times
    assert "trying again in 0.0 s (try 2 of 20)" in outcome.log


def test_a_credential_that_stays_throttled_ends_the_run(sandbox):
    fault = Fault("status", times=None, match=TOKEN, args={"status": 429})
    sandbox.emulator.faults.add(fault)
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)])
    assert isinstance(outcome.error, PlatformError)
    assert "IMS answered 429" in str(outcome.error)
    assert outcome.states == []


def test_other_faults_of_ims_have_no_more_tries_than_before(sandbox):
    fault = Fault("status", times=None, match=TOKEN, args={"status": 503})
    sandbox.emulator.faults.add(fault)
    outcome = sandbox.run([EVENT_SCHEMA, record(1), state(1)])
    assert "IMS answered 503; gave up after 4 tries" in str(outcome.error)
    assert sandbox.calls("POST", "/ims/token/v3") == 4
