"""Helping processes frame blocks as this process does, and end with it."""

from __future__ import annotations

import gc
import gzip
import io
import logging
import os
import signal
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone

import pytest
from emulators.generator import generate
from emulators.jsonlines import encode_event
from tap_mixpanel_export.errors import BrokenBodyError, HelperLostError, HelperNotStartedError
from tap_mixpanel_export.export_body import BodyChecker, GzipDecoder
from tap_mixpanel_export.framing import helper_pool, queue
from tap_mixpanel_export.framing.helper_pool import FramingHelpers
from tap_mixpanel_export.framing.messages import Framing
from tap_mixpanel_export.framing.queue import FrameQueue
from tap_mixpanel_export.record_spool import SpoolPart, read_blocks

EVENT = b'{"event":"a","properties":{"time":1,"$insert_id":"i"}}\n'
CHUNK = 1 << 12
PATIENCE = 30
PLACE = date(2024, 4, 3), 0


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Bodies of a few events are large ones."""
    monkeypatch.setattr(queue, "_AT_HOME", 2000)
    monkeypatch.setattr(queue, "_AT_HOME_BESIDE", 2000)
    monkeypatch.setattr(queue, "_BLOCK", 20_000)


@pytest.fixture
def helpers():
    with FramingHelpers(2) as helpers:
        yield helpers


class Body:
    """A body on the disk."""

    def __init__(self, folder, helpers=None, **framing):
        self.path = folder / "body.spool"
        self._file = self.path.open("wb")
        self.framing = Framing(**framing)
        part = SpoolPart(self._file)
        own = helpers and helpers.of_body(self.framing, self.path, PLACE)
        self.checker = BodyChecker(
            GzipDecoder(),
            tolerate_invalid_lines=self.framing.tolerates_malformed,
            frames=FrameQueue(self.framing, part, helpers=own),
            part=part,
        )

    def feed(self, text):
        data = gzip.compress(text)
        for begin in range(0, len(data), CHUNK):
            self.checker.feed(data[begin : begin + CHUNK])

    def close(self):
        self.checker.close()
        self._file.close()

    def content(self):
        """The records' lines up to when they were made, their keys, and the malformed lines."""
        lines, keys, odd = [], [], []
        for block in read_blocks(self.path, self.checker.places):
            if isinstance(block, list):
                odd += block
            else:
                keys += block.keys
                lines += [line.partition(b',"time_extracted":')[0] for line in block.lines.split()]
        return lines, keys, odd

    def files(self):
        return sorted(path.name for path in self.path.parent.iterdir())


@pytest.fixture
def body_of(tmp_path):
    """A function that makes a body; all are closed at the end."""
    bodies = []

    def make(name, *arguments, **framing):
        folder = tmp_path / name
        folder.mkdir()
        bodies.append(Body(folder, *arguments, **framing))
        return bodies[-1]

    yield make
    for body in bodies:
        body.close()


def lines():
    """Lines of 800 events."""
    now = datetime(2024, 4, 19, tzinfo=timezone.utc)
    return [encode_event(e) + b"\n" for e in generate(3, 2, 400, start=date(2024, 4, 3), now=now)]


@pytest.fixture(scope="module")
def text():
    events = lines()
    events[100:100] = [b"\n", b"no event\n", b"\n", b'{"event":"a","properties":{}}\n']
    events[500:500] = [b"no event either\n"]
    return b"".join(events)


def facts(body):
    checker = body.checker
    return (
        checker.events,
        checker.deferred,
        checker.invalid_lines,
        checker.distances,
        checker.arrivals.cut_after(),
    )


def test_a_body_is_the_same_with_helpers_and_without(body_of, helpers, text):
    alone = body_of("alone", tolerates_malformed=True, wall_clock_zone="America/Los_Angeles")
    helped = body_of("helped", helpers, **_as_dict(alone.framing))
    for body in (alone, helped):
        body.feed(text)
        body.checker.finish()
        body.close()
    assert helped.content() == alone.content()
    assert facts(helped) == facts(alone)
    assert alone.checker.invalid_lines == 3
    assert alone.files() == ["body.spool"]
    assert helped.files() == ["body.1.spool", "body.2.spool", "body.spool"]


def _as_dict(framing):
    return {name: getattr(framing, name) for name in framing.__struct_fields__}


def test_bodies_share_the_helpers(body_of, helpers, text):
    bodies = [body_of(f"body{number}", helpers, tolerates_malformed=True) for number in range(4)]
    alone = body_of("alone", tolerates_malformed=True)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda body: body.feed(text), bodies))
    alone.feed(text)
    for body in (alone, *bodies):
        body.checker.finish()
        body.close()
    assert all(body.content() == alone.content() for body in bodies)


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"terminated early\n", "Mixpanel aborted the export: line 802: "),
        (b"nonsense\n\n", "the body ends in a line that is no event: line 802: "),
        (b"nonsense\n" + EVENT, r"line 802: .*on_invalid_line"),
        (b'{"event":"a","properties":{}}\n' + EVENT, r"line 802: .*on_invalid_line"),
        (EVENT[:-1], "the last line is cut off"),
    ],
)
def test_a_body_fails_with_the_same_words(body_of, helpers, tail, words):
    body = body_of("body", helpers)
    with pytest.raises(BrokenBodyError, match=words):
        _feed_all(body, b"\n" + b"".join(lines()) + tail)


def _feed_all(body, text):
    body.feed(text)
    body.checker.finish()


def test_what_came_of_a_failed_body_is_counted(body_of, helpers, text):
    body = body_of("body", helpers, tolerates_malformed=True)
    body.feed(text)
    body.checker.close()
    assert body.checker.events == 800
    assert body.checker.arrivals.cut_after() is not None


@pytest.fixture
def pids(monkeypatch):
    """The helpers' processes that were started."""
    found = []

    class Noted(helper_pool.subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            found.append(self.pid)

    monkeypatch.setattr(helper_pool.subprocess, "Popen", Noted)
    return found


def test_a_helper_that_dies_fails_the_body_and_is_replaced(body_of, helpers, text, pids):
    body = body_of("body", helpers, tolerates_malformed=True)
    _feed_all(body, text)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    broken = body_of("broken", helpers, tolerates_malformed=True)
    with pytest.raises(HelperLostError, match=r"exit code -9\); if that .* set workers to 1"):
        _feed_all(broken, text)
    broken.close()  # by now both are known to be dead
    again = body_of("again", helpers, tolerates_malformed=True)
    _feed_all(again, text)
    assert again.checker.events == 800
    assert len(pids) == 4


def test_a_helper_that_cannot_be_started_is_told_of(body_of, helpers, text, monkeypatch, caplog):
    def refuse(*_arguments, **_options):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(helper_pool.subprocess, "Popen", refuse)
    body = body_of("body", helpers, tolerates_malformed=True)
    with pytest.raises(HelperLostError, match=r"cannot be started \(Resource .*workers to 1"):
        _feed_all(body, text)
    assert helpers.of_body(body.framing, body.path, PLACE) is None
    assert "going on without helper processes" in caplog.text


def test_the_tap_does_without_helpers_that_always_die(body_of, helpers, text, monkeypatch, caplog):
    program = "import no_such_module"
    monkeypatch.setattr(helper_pool, "_program", lambda: program)
    for name in ("first", "second"):
        assert caplog.text == ""
        body = body_of(name, helpers, tolerates_malformed=True)
        with pytest.raises(HelperLostError, match=r"exit code 1, ModuleNotFoundError: No module"):
            _feed_all(body, text)
        body.close()
    assert caplog.text.count("going on without helper processes") == 1
    third = body_of("third", helpers, tolerates_malformed=True)
    _feed_all(third, text)
    assert third.checker.events == 800


def test_no_line_is_quoted_by_the_words_of_a_helper(body_of, helpers, text, monkeypatch):
    monkeypatch.setattr(helper_pool, "_program", lambda: "raise KeyError('customer')")
    body = body_of("body", helpers, tolerates_malformed=True)
    with pytest.raises(HelperLostError, match=r"exit code 1, KeyError\); if"):
        _feed_all(body, text)


def test_a_helper_that_does_not_answer_is_lost(body_of, helpers, text, pids, monkeypatch):
    body = body_of("body", helpers, tolerates_malformed=True)
    _feed_all(body, text)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(helper_pool, "_LONGEST_ANSWER", 0.1)
    stopped = body_of("stopped", helpers, tolerates_malformed=True)
    with pytest.raises(HelperLostError, match="exit code -9"):
        _feed_all(stopped, text)


def test_few_bytes_wait_for_the_helpers(body_of, text, monkeypatch):
    monkeypatch.setattr(helper_pool, "_MOST_WAITING_BYTES", 1)
    with FramingHelpers(2) as helpers:
        bodies = [body_of(f"b{number}", helpers, tolerates_malformed=True) for number in range(4)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda body: _feed_all(body, text), bodies))
        assert [body.checker.events for body in bodies] == [800] * 4
        assert helpers._waiting_bytes == 0


def test_the_disk_is_asked_now_and_then(monkeypatch):
    asked = []
    monkeypatch.setattr(queue, "_ASKED_EACH", 3 * len(EVENT))
    with io.BytesIO() as file:
        frames = FrameQueue(
            Framing(), SpoolPart(file), has_room=lambda: asked.append(file.tell()) or True
        )
        for _ in range(30):
            frames.add([b"\n"], samples=False)
        assert asked == []
        for _ in range(30):
            frames.add([EVENT], samples=False)
    assert 10 <= len(asked) <= 30


def test_helpers_end_at_once_and_obey_no_signal_of_their_own(body_of, text, pids):
    with FramingHelpers(2) as helpers:
        body = body_of("body", helpers, tolerates_malformed=True)
        _feed_all(body, text)
        assert len(pids) == 2
        for pid in pids:
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        body = body_of("other", helpers, tolerates_malformed=True)
        _feed_all(body, text)
        assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_nothing_is_started_for_a_small_body(body_of, helpers, pids):
    body = body_of("body", helpers)
    _feed_all(body, EVENT * 30)
    assert pids == []


def test_they_start_while_the_work_is_done_here(body_of, helpers, text, pids, monkeypatch):
    monkeypatch.setattr(queue, "_WAKING", 3000)
    monkeypatch.setattr(queue, "_AT_HOME", 1 << 30)
    greeted = threading.Event()
    greet = helper_pool._Helper.greet

    def note(helper):
        greet(helper)
        greeted.set()

    monkeypatch.setattr(helper_pool._Helper, "greet", note)
    first = body_of("first", helpers, tolerates_malformed=True)
    for _ in range(3):
        first.feed(EVENT * 60)
    first.checker.finish()
    assert greeted.wait(PATIENCE)
    helpers.wake()  # who are awake
    second = body_of("second", helpers, tolerates_malformed=True)
    _feed_all(second, text)
    assert len(pids) == 2
    assert first.files() == ["body.spool"]
    assert "body.1.spool" in second.files() or "body.2.spool" in second.files()


def test_helpers_that_cannot_be_woken_are_told_of_by_the_first_block(
    body_of, helpers, text, monkeypatch, caplog
):
    monkeypatch.setattr(helper_pool, "_program", lambda: "raise SystemExit(3)")
    helpers.wake()
    body = body_of("body", helpers, tolerates_malformed=True)
    with pytest.raises(HelperLostError, match="exit code 3"):
        _feed_all(body, text)
    assert caplog.text == ""


def failing(kind):
    def frame(_helper, _request, _pieces):
        raise kind("of no use")

    return frame


def test_a_block_is_answered_whatever_a_logger_does(tmp_path, monkeypatch):
    class Unwell(logging.Logger):
        def warning(self, *_arguments, **_options):
            raise RuntimeError

    monkeypatch.setattr(helper_pool._Helper, "frame", failing(HelperNotStartedError))
    with FramingHelpers(1, Unwell("unwell")) as helpers:
        body = helpers.of_body(Framing(), tmp_path / "body.spool", PLACE)
        future = body.frame([EVENT], samples=False, is_plain=True)
        assert isinstance(future.exception(PATIENCE), HelperNotStartedError)
        assert helpers._waiting_bytes == 0


def test_what_failed_is_not_kept(tmp_path, helpers, monkeypatch):
    class Piece(bytearray):
        pass

    monkeypatch.setattr(helper_pool._Helper, "frame", failing(HelperLostError))
    body = helpers.of_body(Framing(), tmp_path / "body.spool", PLACE)
    piece = Piece(EVENT)
    alive = weakref.ref(piece)
    gc.disable()
    try:
        future = body.frame([piece], samples=False, is_plain=True)
        del piece
        assert isinstance(future.exception(PATIENCE), HelperLostError)
        helpers.__exit__(None, None, None)  # the thread is through with it
        del future
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("workers", "bodies", "pending"), [(2, 4, 3), (16, 4, 5), (64, 100, 2)])
def test_one_body_leaves_room_for_the_others(tmp_path, workers, bodies, pending):
    with FramingHelpers(workers, bodies=bodies) as helpers:
        body = helpers.of_body(Framing(), tmp_path / "body.spool", PLACE)
        assert body.most_pending == pending


def test_a_full_disk_is_an_error_of_the_system(body_of, helpers, text):
    body = body_of("body", helpers, tolerates_malformed=True)
    for number in (1, 2):
        (body.path.parent / f"body.{number}.spool").mkdir()  # which no one can write to
    with pytest.raises(IsADirectoryError):
        _feed_all(body, text)


def test_nothing_of_the_working_directory_is_imported(body_of, text, tmp_path, monkeypatch):
    for name in ("json", "msgspec", "signal", "isal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with FramingHelpers(1) as helpers:
        body = body_of("body", helpers, tolerates_malformed=True)
        _feed_all(body, text)
    assert body.checker.events == 800
