"""The order in which the threads of one run begin their requests."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date

import pytest
from tap_mixpanel_export.clock import SystemClock
from tap_mixpanel_export.errors import RunEndedError
from tap_mixpanel_export.request_ledger import BudgetLimits, Lease, Refusal, RequestLedger
from tap_mixpanel_export.request_queue import RequestQueue

FIRST, SECOND, THIRD = ((date(2024, 3, day), 0) for day in (1, 2, 3))
PATIENCE = 30  # seconds, for what is bound to happen


class Held:
    """Stands for a place of the ledger."""

    def __init__(self):
        self.is_released = False

    def release(self):
        self.is_released = True


class FreeLedger:
    """Refuses nothing unless told, and keeps what it gave."""

    def __init__(self, *refusals):
        self._refusals = list(refusals)
        self.places = []
        self.asked = threading.Event()

    def try_begin(self):
        self.asked.set()
        if self._refusals:
            return self._refusals.pop(0)
        self.places.append(Held())
        return Lease(7, self.places[-1])


class WatchedEvent(threading.Event):
    """Tells when a thread that waits for its turn has looked at it."""

    def __init__(self):
        super().__init__()
        self.looked = threading.Event()

    def is_set(self):
        self.looked.set()
        return super().is_set()


@pytest.fixture
def queue_of(fake_clock, logger):
    def queue_of(ledger, at_once=1, clock=fake_clock):
        return RequestQueue(ledger, at_once=at_once, clock=clock, logger=logger)

    return queue_of


@pytest.fixture
def threads():
    with ThreadPoolExecutor(8) as pool:
        yield pool


@contextmanager
def waiting(threads, queue, place, order):
    """A thread that waits for its turn and then adds its place to ``order``."""
    ended = WatchedEvent()

    def take():
        with queue.turn(place, ended):
            order.append(place)

    done = threads.submit(take)
    assert ended.looked.wait(PATIENCE)
    yield done, ended
    done.result(PATIENCE)


def test_a_turn_tells_what_is_left_and_frees_its_place(queue_of):
    ledger = FreeLedger()
    with queue_of(ledger).turn(FIRST, threading.Event()) as requests_left:
        assert requests_left == 7
        assert not ledger.places[0].is_released
    assert ledger.places[0].is_released


def test_the_earliest_place_goes_first_whoever_has_waited_longer(queue_of, threads):
    queue, order = queue_of(FreeLedger()), []
    holding = queue.turn(FIRST, threading.Event())
    holding.__enter__()
    with waiting(threads, queue, THIRD, order), waiting(threads, queue, SECOND, order):
        assert order == []
        holding.__exit__(None, None, None)
    assert order == [SECOND, THIRD]


def test_after_a_pause_the_earliest_place_goes_first(queue_of, threads):
    queue, order = queue_of(FreeLedger()), []
    with ExitStack() as all_waiting, queue.pause():
        for place in (SECOND, THIRD, FIRST):
            all_waiting.enter_context(waiting(threads, queue, place, order))
        assert order == []
    assert order == [FIRST, SECOND, THIRD]


def test_a_reserved_place_comes_before_later_ones_until_its_turn(queue_of, threads):
    queue, order = queue_of(FreeLedger(), at_once=2), []
    queue.reserve(FIRST)
    with waiting(threads, queue, SECOND, order):
        assert order == []
        with queue.turn(FIRST, threading.Event()):
            pass  # the other may begin while this one is under way
    assert order == [SECOND]


def test_a_reservation_that_is_taken_back_holds_nobody(queue_of, threads):
    queue, order = queue_of(FreeLedger(), at_once=2), []
    queue.reserve(FIRST)
    with waiting(threads, queue, SECOND, order):
        assert order == []
        queue.cancel(FIRST)
    queue.cancel(FIRST)
    assert order == [SECOND]


def test_never_more_than_at_once_are_under_way(queue_of, threads):
    ledger = FreeLedger()
    queue = queue_of(ledger, at_once=2)
    both, lock, under_way, peak = threading.Barrier(2), threading.Lock(), set(), []

    def take(number):
        with queue.turn((date(2024, 3, 1), number), threading.Event()):
            with lock:
                under_way.add(number)
                peak.append(len(under_way))
            both.wait(PATIENCE)
            with lock:
                under_way.remove(number)

    list(threads.map(take, range(6)))
    assert max(peak) == 2
    assert len(ledger.places) == 6
    assert all(place.is_released for place in ledger.places)


def test_a_pause_holds_all_back_until_the_last_one_ends(queue_of, threads):
    queue, order = queue_of(FreeLedger(), at_once=4), []
    with ExitStack() as held_back, queue.pause():
        with queue.pause():
            _, ended = held_back.enter_context(waiting(threads, queue, FIRST, order))
        ended.looked.clear()
        assert ended.looked.wait(PATIENCE)
        assert order == []
    assert order == [FIRST]


def test_a_failed_request_gives_its_turn_away(queue_of, threads):
    ledger, order = FreeLedger(), []
    queue = queue_of(ledger)

    def fail():
        with queue.turn(FIRST, threading.Event()), waiting(threads, queue, SECOND, order):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with queue.turn(THIRD, threading.Event()):
        assert ledger.places[0].is_released


def test_who_waits_for_a_turn_is_told_that_nobody_needs_it(queue_of, threads):
    queue, order = queue_of(FreeLedger()), []
    ended = WatchedEvent()

    def take():
        with queue.turn(SECOND, ended):
            order.append(SECOND)

    with queue.turn(FIRST, threading.Event()):
        done = threads.submit(take)
        assert ended.looked.wait(PATIENCE)
        ended.set()
        with pytest.raises(RunEndedError):
            done.result(PATIENCE)
    assert order == []
    with queue.turn(THIRD, threading.Event()):
        pass  # nobody is left in the queue before it


def test_who_waits_for_the_budget_is_told_that_nobody_needs_it(queue_of, threads):
    ledger, ended = FreeLedger(Refusal(3600.0, "used up")), threading.Event()
    queue = queue_of(ledger, clock=SystemClock())

    def take():
        with queue.turn(FIRST, ended):
            raise AssertionError

    done = threads.submit(take)
    assert ledger.asked.wait(PATIENCE)
    ended.set()
    with pytest.raises(RunEndedError):
        done.result(PATIENCE)
    with queue.turn(THIRD, threading.Event()):
        assert len(ledger.places) == 1


def waits(caplog, level=logging.INFO):
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == level and record.getMessage().startswith("waiting")
    ]


def test_one_wait_of_several_is_said_once(queue_of, threads, tmp_path, fake_clock, logger, caplog):
    limits = BudgetLimits(3, 3)
    ledger = RequestLedger(tmp_path, "p", limits, clock=fake_clock, logger=logger)
    queue = queue_of(ledger, at_once=3)

    def take(number):
        with queue.turn((date(2024, 3, 1), number), threading.Event()):
            pass

    with caplog.at_level(logging.INFO):
        for number in range(3):
            take(number)
        fake_clock.advance(minutes=10)
        list(threads.map(take, range(3, 6)))
    (line,) = waits(caplog)
    assert line.startswith("waiting 0:50:35, until 13:00:35 UTC: all 3 requests of this hour")
    assert line.endswith("are used up (max_requests_per_hour)")


def test_each_reason_to_wait_has_one_line_and_brief_ones_have_none(queue_of, caplog):
    refusals = [
        Refusal(0.4, "brief", is_brief=True),
        Refusal(90.0, "the hour"),
        Refusal(0.25, "no place"),
        Refusal(0.25, "no place"),
    ]
    with (
        caplog.at_level(logging.DEBUG),
        queue_of(FreeLedger(*refusals)).turn(FIRST, threading.Event()),
    ):
        assert waits(caplog) == [
            "waiting 0:01:30, until 12:01:30 UTC: the hour",
            "waiting: no place",
        ]
