"""Windows are downloaded ahead: in order, within the limits, and nothing is lost by a failure."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from contextlib import contextmanager

import pytest
from emulators.faults import Fault
from emulators.mixpanel import Limits
from emulators.mixpanel.limits import RateLimiter
from emulators.server import EmulatorServer
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter
from tap_mixpanel_export.errors import ExportRefusedError, StorageError
from tap_mixpanel_export.export_body import BodyChecker
from werkzeug.wrappers import Request
from werkzeug.wsgi import ClosingIterator

PATIENCE = 30
LONGEST_FREE = 60.0  # seconds of a wait that passes at once
DAYS = [f"2024-03-{day}" for day in range(10, 21)]
SECOND, THIRD, FOURTH, FIFTH = DAYS[1:5]
ALL_DAYS = {"start_date": DAYS[0]}


class Gate:
    """Stands before the emulator: knows what is under way, and can hold answers back."""

    def __init__(self, app):
        self._app = app
        self._changed = threading.Condition()
        self._held = set()
        self.plain_text = False
        self.begun = []
        self.ended = []
        self.under_way = 0

    def __call__(self, environ, start_response):
        day = Request(environ).args["from_date"]
        if self.plain_text:
            environ["HTTP_ACCEPT_ENCODING"] = "identity"
        with self._changed:
            self.begun.append(day)
            self.under_way += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: day not in self._held, PATIENCE)
        return ClosingIterator(self._app(environ, start_response), [lambda: self._end(day)])

    def hold(self, *days):
        """Give no answer about these days for now."""
        with self._changed:
            self._held.update(days)

    def release(self, *days):
        """Give the answers about these days, or all."""
        with self._changed:
            self._held.difference_update(days or DAYS)
            self._changed.notify_all()

    def reaches(self, condition, seconds=PATIENCE):
        """Wait until a condition holds; returns whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _end(self, day):
        with self._changed:
            self.ended.append(day)
            self.under_way -= 1
            self._changed.notify_all()


class HookedWriter(SimpleSingerWriter):
    """Calls a hook with each message before it counts as written."""

    def __init__(self, hook):
        self._hook = hook
        self.messages = []

    def write_message(self, message):
        content = message.to_dict()
        self._hook(content)
        self.messages.append(content)

    def ids(self):
        return [m["record"]["insert_id"] for m in self.messages if m["type"] == "RECORD"]

    def sweep(self):
        states = [m["value"] for m in self.messages if m["type"] == "STATE"]
        return states[-1]["bookmarks"]["events"]["sweep"]


@pytest.fixture
def gate(world, event):
    """The gate before a project of one small event and one large one on each day."""
    for day in DAYS:
        world.add(event(f"{day} a", f"{day}T09:00:00"))
        world.add(event(f"{day} b", f"{day}T10:00:00", pad=[f"{n * 7919}" for n in range(400)]))
    gate = Gate(world.emulator)
    with EmulatorServer(gate) as server:
        world.url = server.url
        yield gate
        gate.release()


NAMES = sorted(f"{day} {name}" for day in DAYS for name in "ab")


def started(world, hook=lambda _: None, **settings):
    """A tap and its writer."""
    writer = HookedWriter(hook)
    tap = world.tap_class()(config=world.config(**ALL_DAYS, **settings), message_writer=writer)
    return tap, writer


@contextmanager
def under_way(tap):
    """A run in a thread; gives the list that its error comes into."""
    errors = []

    def sync():
        try:
            tap.sync_all()
        except Exception as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    thread = threading.Thread(target=sync)
    thread.start()
    yield errors
    thread.join(PATIENCE)
    assert not thread.is_alive()


def at_first_record_of(day, action):
    """A hook that does something once, while this day is being emitted."""
    done = []

    def hook(message):
        is_it = message["type"] == "RECORD" and message["record"]["insert_id"].startswith(day)
        if is_it and not done:
            done.append(True)
            action()

    return hook


def downloads():
    """The days that threads of the tap download or wait for."""
    prefix = "window "
    names = [thread.name for thread in threading.enumerate()]
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def in_order(ids):
    """Whether the days come in order, whatever the order within a day."""
    days = [name[:10] for name in ids]
    return days == sorted(days)


@pytest.mark.parametrize("at_once", [2, 4])
def test_the_next_days_are_asked_for_while_one_is_emitted(world, gate, at_once):
    seen = []

    def look():
        seen.append(gate.reaches(lambda: len(gate.begun) >= 1 + at_once))
        # Threads send their requests in any order, so the latest may be behind the one after it.
        seen.append(gate.reaches(lambda: set(DAYS[2 : 1 + at_once]) <= set(gate.begun)))

    tap, writer = started(world, at_first_record_of(SECOND, look), max_concurrent_requests=at_once)
    tap.sync_all()
    assert seen == [True, True]
    assert sorted(writer.ids()) == NAMES
    assert in_order(writer.ids())


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_never_more_than_the_limit_is_under_way(world, gate, at_once):
    gate.hold(*DAYS[1:])
    tap, writer = started(world, max_concurrent_requests=at_once)
    with under_way(tap) as errors:
        assert gate.reaches(lambda: DAYS[0] in gate.ended)
        for number, day in enumerate(DAYS[1:], start=1):
            expected = min(at_once, len(DAYS) - number)
            assert gate.reaches(lambda expected=expected: gate.under_way == expected)
            assert not gate.reaches(lambda: gate.under_way > at_once, 0.05)
            gate.release(day)
            assert gate.reaches(lambda day=day: day in gate.ended)
    assert errors == []
    assert Counter(gate.begun) == Counter(DAYS)
    assert in_order(writer.ids())


@pytest.mark.parametrize("first", [THIRD, FOURTH, FIFTH])
def test_answers_in_another_order_come_out_in_the_order_of_days(world, gate, first):
    others = [day for day in (SECOND, THIRD, FOURTH, FIFTH) if day != first]
    gate.hold(SECOND, THIRD, FOURTH, FIFTH)
    tap, writer = started(world, max_concurrent_requests=4)
    with under_way(tap) as errors:
        assert gate.reaches(lambda: gate.under_way == 4)
        gate.release(first)
        assert gate.reaches(lambda: first in gate.ended)
        for day in reversed(others):
            gate.release(day)
            assert gate.reaches(lambda day=day: day in gate.ended)
    assert errors == []
    assert sorted(writer.ids()) == NAMES
    assert in_order(writer.ids())


def test_slow_answers_come_out_in_the_order_of_days(world, gate):
    for skip in (1, 2, 3):
        world.fault("slow", times=1, skip=skip, chunk_bytes=900, pause=0.03)
    tap, writer = started(world, max_concurrent_requests=4)
    tap.sync_all()
    assert sorted(writer.ids()) == NAMES
    assert in_order(writer.ids())
    assert len(gate.begun) == len(DAYS)


def test_a_later_day_that_fails_takes_nothing_from_the_days_before_it(world, gate):
    gate.hold(SECOND)
    world.emulator.faults.add(refusal_of(FIFTH))
    tap, writer = started(world, max_concurrent_requests=4)
    with under_way(tap) as errors:
        assert gate.reaches(lambda: FIFTH in gate.ended and FOURTH in gate.ended)
        gate.release()
    (error,) = errors
    assert isinstance(error, ExportRefusedError)
    assert "403" in str(error)
    assert sorted(writer.ids()) == [name for name in NAMES if name[:10] < FIFTH]
    assert writer.sweep()["next_day"] == FIFTH
    assert world.leftovers() == []


def refusal_of(day):
    body = {"error": "no permission"}
    return Fault("status", None, {"query": {"from_date": day}}, {"status": 403, "body": body})


def test_days_on_their_way_are_given_up_when_the_run_ends(world, gate, killed):
    gate.hold(*DAYS[DAYS.index(FOURTH) :])

    def end():
        assert gate.reaches(lambda: THIRD in gate.ended and {FOURTH, FIFTH} <= set(gate.begun))
        raise killed

    tap, _ = started(world, at_first_record_of(SECOND, end), max_concurrent_requests=4)
    with pytest.raises(killed):
        tap.sync_all()
    assert world.leftovers() == []
    assert set(gate.ended) == {DAYS[0], SECOND, THIRD}
    gate.release()
    for thread in threading.enumerate():
        if thread.name.startswith("window "):
            thread.join(PATIENCE)
    assert downloads() == set()
    assert world.leftovers() == []
    assert len(gate.begun) <= 6


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_the_disk_holds_no_more_windows_than_allowed(world, gate, at_once):
    counts = []

    def look(message):
        if message["type"] == "RECORD" and message["record"]["insert_id"][:10] > DAYS[0]:
            wanted = min(len(DAYS), DAYS.index(message["record"]["insert_id"][:10]) + at_once)
            gate.reaches(lambda: len(gate.ended) >= wanted)
            counts.append(len(world.leftovers()))

    tap, writer = started(world, look, max_concurrent_requests=at_once)
    tap.sync_all()
    assert sorted(writer.ids()) == NAMES
    assert at_once <= max(counts) <= at_once + 1
    assert world.leftovers() == []


@pytest.mark.parametrize("plain_text", [False, True])
def test_spool_files_are_compressed_whatever_the_server_sends(world, gate, plain_text):
    gate.plain_text = plain_text
    inflated, stored = [], []

    def look():
        path = min(world.leftovers())  # the day that is being written out
        stored.append(path.stat().st_size)
        inflated.append(len(gzip.decompress(path.read_bytes())))

    tap, writer = started(world, at_first_record_of(DAYS[0], look))
    tap.sync_all()
    assert sorted(writer.ids()) == NAMES
    ((size,), (compressed,)) = inflated, stored
    assert 0 < compressed < size / 2


class HeldClock:
    """Long waits of a fake clock last until the test lets them end; several pass together."""

    def __init__(self, clock):
        self._clock = clock
        self._changed = threading.Condition()
        self._ended = 0
        self._begun = 0

    def now(self):
        return self._clock.now()

    def advance(self, **units):
        self._clock.advance(**units)

    def wait(self, seconds, ended):
        if seconds <= LONGEST_FREE:
            self._clock.wait(seconds, ended)
            return
        until = self.now() + seconds
        with self._changed:
            self._begun += 1
            number = self._begun
            self._changed.notify_all()
            self._changed.wait_for(lambda: number <= self._ended, PATIENCE)
            self._clock.set(max(until, self.now()))

    def reaches(self, count):
        """Wait for so many long waits to begin; returns whether they did."""
        with self._changed:
            return self._changed.wait_for(lambda: self._begun >= count, PATIENCE)

    def release(self, count=1_000):
        """Let so many long waits end, the first ones."""
        with self._changed:
            self._ended = count
            self._changed.notify_all()


@pytest.fixture
def held_clock(world):
    clock = HeldClock(world.clock)
    world.clock = clock
    yield clock
    clock.release()


def test_while_one_request_waits_out_a_refusal_no_other_begins(world, gate, held_clock):
    gate.hold(SECOND, THIRD, FOURTH)
    world.fault("status", skip=1, status=429, body="slow down", headers={"Retry-After": "77"})
    tap, writer = started(world, max_concurrent_requests=3, max_requests_per_hour=5)
    with under_way(tap) as errors:
        assert gate.reaches(lambda: len(gate.begun) == 4)
        gate.release(THIRD)
        assert held_clock.reaches(1)
        gate.release(SECOND)
        while FIFTH not in downloads():
            assert not gate.reaches(lambda: FIFTH in gate.begun, 0.01)
        assert not gate.reaches(lambda: FIFTH in gate.begun, 0.5)
        held_clock.release(1)
        assert held_clock.reaches(2)  # one was the last of this hour
        assert gate.reaches(lambda: len(gate.begun) == 5)
        assert gate.begun[4] == THIRD
        gate.release()
        held_clock.release()
    assert errors == []
    assert sorted(writer.ids()) == NAMES
    assert in_order(writer.ids())


def test_the_next_request_that_the_hour_allows_goes_to_the_earliest_day(world, gate, held_clock):
    gate.hold(DAYS[0], THIRD, FOURTH)
    world.emulator.faults.add(cut_of(THIRD))
    tap, writer = started(world, max_concurrent_requests=3, max_requests_per_hour=4)
    with under_way(tap) as errors:
        assert gate.reaches(lambda: gate.begun == DAYS[:1])
        world.clock.advance(minutes=10)  # so that after an hour one request may begin
        gate.release(DAYS[0])
        assert gate.reaches(lambda: set(gate.begun) == set(DAYS[:4]))
        assert held_clock.reaches(1)  # the fifth day waits for the next hour
        gate.release(THIRD)
        assert held_clock.reaches(2)  # and now the third, whose answer was cut
        held_clock.release(2)
        assert held_clock.reaches(3)  # one waits for the request after that
        assert gate.reaches(lambda: len(gate.begun) == 5)
        assert gate.begun[4] == THIRD
        gate.release()
        held_clock.release()
    assert errors == []
    assert sorted(writer.ids()) == NAMES
    assert in_order(writer.ids())


def cut_of(day):
    return Fault("cut_body", 1, {"query": {"from_date": day}})


@pytest.mark.usefixtures("gate")
def test_refusals_that_count_do_not_keep_the_hour_used_up(world):
    limits = Limits(per_hour=60, per_second=None, count_refused=True)
    world.emulator.limiter = RateLimiter(limits, world.clock.now)
    for _ in range(58):  # another tool's requests
        world.emulator.limiter.enter(4711)
        world.emulator.limiter.leave(4711)
    tap, writer = started(world, max_concurrent_requests=4)
    tap.sync_all()
    assert sorted(writer.ids()) == NAMES
    entries = world.emulator.requests.entries()
    assert sum(entry.status == 200 for entry in entries) == len(DAYS)
    refused = Counter(entry.query["from_date"] for entry in entries if entry.status == 429)
    assert 0 < max(refused.values()) <= 30
    assert len(refused) <= 4


def test_a_day_that_cannot_be_stored_leaves_the_days_before_it(world, gate, monkeypatch):
    feed = BodyChecker.feed

    def full(checker, data):
        if threading.current_thread().name == f"window {FIFTH}":
            raise OSError(28, "No space left on device")
        feed(checker, data)

    monkeypatch.setattr(BodyChecker, "feed", full)
    gate.hold(SECOND)
    tap, writer = started(world, max_concurrent_requests=4)
    with under_way(tap) as errors:
        assert gate.reaches(lambda: FIFTH in gate.begun)
        gate.release()
    (error,) = errors
    assert isinstance(error, StorageError)
    assert str(error).startswith("state_dir: cannot write to")
    assert sorted(writer.ids()) == [name for name in NAMES if name[:10] < FIFTH]
    assert writer.sweep()["next_day"] == FIFTH
    assert world.leftovers() == []
