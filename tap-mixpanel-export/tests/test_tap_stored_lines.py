"""Lines that the system moves from a file into a pipe are those of the file, and whole."""

from __future__ import annotations

import io
import os
import signal
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.line_writer import LineWriter
from tap_mixpanel_export.record_spool import RecordBlock
from tap_mixpanel_export.stored_lines import StoredLines, takes_moves

LINES = [b'{"n":%d,"pad":"%s"}\n' % (n, b"x" * (n * 37 % 3000)) for n in range(400)]
BEFORE = b"something else"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "lines.spool"
    path.write_bytes(BEFORE + b"".join(LINES) + b"more")
    return path


@pytest.fixture(scope="module")
def stored(path):
    return StoredLines(path, [(len(BEFORE), len(BEFORE) + sum(map(len, LINES)))])


def places(numbers):
    """Where lines begin and end in all of them."""
    for number in sorted(numbers):
        begin = sum(map(len, LINES[:number]))
        yield begin, begin + len(LINES[number])


@contextmanager
def piped(received, at=None, then=None):
    """An output whose bytes come out at the other end; `then` is called when `at` have come."""
    source, target = os.pipe()

    def receive():
        while piece := os.read(source, 4096):
            is_before = at is not None and len(received) < at
            received.extend(piece)
            if is_before and len(received) >= at:
                then()
        os.close(source)

    reader = threading.Thread(target=receive)
    reader.start()
    try:
        with io.BufferedWriter(io.FileIO(target, "wb"), 1 << 20) as output:
            yield output
    finally:
        reader.join()


def test_a_pipe_gets_the_lines(stored):
    received = bytearray()
    with piped(received) as output:
        assert takes_moves(output.fileno())
        assert stored.move(output)
    assert received == stored.read() == b"".join(LINES)


@given(st.sets(st.integers(0, len(LINES) - 1), max_size=9))
def test_parts_are_moved_alone(stored, numbers):
    received = bytearray()
    parts = stored.parts(places(numbers))
    with piped(received) as output:
        assert parts.move(output)
    assert received == parts.read() == b"".join(LINES[number] for number in sorted(numbers))


def test_empty_parts_are_none(stored):
    assert stored.parts([(0, 0), (5, 5)]).spans == []


def test_a_file_is_left_to_others(stored, tmp_path):
    with (tmp_path / "out").open("wb") as output:
        assert not takes_moves(output.fileno())
        assert not stored.move(output)
    assert (tmp_path / "out").read_bytes() == b""


def test_a_writer_writes_them_wherever_stdout_is_led(stored, capfd):
    writer = LineWriter()
    writer.write_lines(b"first\n")
    writer.write_lines(stored)
    writer.write_lines(b"last\n")
    assert capfd.readouterr().out == f"first\n{b''.join(LINES).decode()}last\n"


def test_records_are_read_from_them(stored):
    assert RecordBlock(len(LINES), stored).lines == b"".join(LINES)


class StoppedError(Exception):
    """Raised by the handler of a signal."""


def move_and_wait(stored, output, told):
    stored.move(output, told)
    threading.Event().wait(60)  # for a signal: the pipe held what was left


@pytest.mark.parametrize("at", [1, 70_000, 200_000, 400_000])
def test_a_signal_ends_it_after_a_whole_line(stored, at):
    def stop(_number, _frame):
        raise StoppedError

    before = signal.signal(signal.SIGUSR1, stop)
    received, told = bytearray(), []
    try:
        with (
            piped(received, at, lambda: os.kill(os.getpid(), signal.SIGUSR1)) as output,
            pytest.raises(StoppedError),
        ):
            move_and_wait(stored, output, told.append)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert received.endswith(b"\n")
    assert b"".join(LINES).startswith(received)
    assert received == b"".join(LINES) or told == [received.count(b"\n")]


def test_nobody_reads(stored):
    source, target = os.pipe()
    os.close(source)
    told = []
    with io.BufferedWriter(io.FileIO(target, "wb")) as output, pytest.raises(BrokenPipeError):
        stored.move(output, told.append)
    assert told == [0]


def test_a_file_that_is_cut_is_an_error_before_anything_is_written(tmp_path):
    path = tmp_path / "cut.spool"
    path.write_bytes(b"one\ntwo\n")
    received = bytearray()
    stored = StoredLines(path, [(0, 20)])
    with piped(received) as output, pytest.raises(StorageError, match=r"cut\.spool .*was cut"):
        stored.move(output)
    with pytest.raises(StorageError, match=r"cut\.spool .*was cut"):
        stored.read()
    assert received == b""


def test_a_file_that_is_gone_is_told_of(tmp_path):
    stored = StoredLines(tmp_path / "gone.spool", [(0, 20)])
    with piped(bytearray()) as output:
        for use in (stored.read, lambda: stored.move(output)):
            with pytest.raises(StorageError, match=r"cannot read .*gone\.spool \(No such file"):
                use()
