"""A signal ends the output at once: after a whole line if somebody reads, and with its own code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from tap_mixpanel_export.line_writer import LineWriter
from tap_mixpanel_export.whole_lines import finish_line, opened, write_whole

LONG = b'{"pad":"%s"}\n' % (b"x" * (3 << 20))


class StoppedError(Exception):
    """Raised by the handler of a signal."""


@pytest.fixture
def stops():
    """A function that has the main thread stopped by a signal."""

    def stop(_number, _frame):
        raise StoppedError

    before = signal.signal(signal.SIGUSR1, stop)
    main = threading.main_thread().ident
    yield lambda: signal.pthread_kill(main, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def pipe():
    """The ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_long_line_is_finished_for_a_reader(pipe, stops):
    source, target = pipe
    received = bytearray()

    def read():
        received.extend(os.read(source, 1000))
        stops()
        while not received.endswith(b"\n"):
            received.extend(os.read(source, 1 << 16))

    reader = threading.Thread(target=read)
    output = opened(target, 2 * len(LONG))
    reader.start()
    told = []
    with pytest.raises(StoppedError):
        write_whole(output, memoryview(LONG + LONG), told.append)
    reader.join()
    assert received == LONG
    assert told == [1]


def test_nobody_is_waited_for(pipe, stops):
    source, target = pipe
    output = opened(target, len(LONG))

    def read():
        os.read(source, 1000)
        stops()

    reader = threading.Thread(target=read)
    reader.start()
    with pytest.raises(StoppedError):
        write_whole(output, memoryview(LONG))
    reader.join()
    output.close()  # has nothing left to write


def test_a_reader_that_has_gone_does_not_hide_the_signal(stops, monkeypatch):
    source, target = os.pipe()

    def read():
        os.read(source, 1000)
        stops()
        os.close(source)

    reader = threading.Thread(target=read)
    with open(target, "w", encoding="ascii") as stdout:  # noqa: PTH123 - it is no path
        monkeypatch.setattr(sys, "stdout", stdout)
        reader.start()
        with pytest.raises((StoppedError, BrokenPipeError)):
            LineWriter().write_lines(LONG)
        reader.join()


def test_a_line_is_finished_alone(pipe):
    source, target = pipe
    finish_line(target, b"rest\nnext\n")
    assert os.read(source, 100) == b"rest\n"


def test_messages_are_utf_8(monkeypatch):
    read, write = os.pipe()
    with (
        open(read, "rb") as source,  # noqa: PTH123 - it is no path
        open(write, "w", encoding="ascii") as stdout,  # noqa: PTH123 - as above
    ):
        monkeypatch.setattr(sys, "stdout", stdout)
        writer = LineWriter()
        monkeypatch.setattr(writer, "format_message", lambda _message: '"S\u00e3o"')
        writer.write_message(None)
        assert source.read(7) == '"S\u00e3o"\n'.encode()


@pytest.fixture
def command(world, event, tmp_path):
    """A function that starts the command on a pipe that nobody empties yet."""
    pad = "x" * 4000
    world.add(*(event(f"e{n}", "2024-03-18T10:00:00", pad=pad) for n in range(400)))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(world.config(end_date="2024-03-18")))
    environment = {name: value for name, value in os.environ.items() if name[:4] != "TAP_"}
    processes = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "tap_mixpanel_export", "--config", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=environment,
        )
        processes.append(process)
        received = b""
        while b'"RECORD"' not in received:
            received += os.read(process.stdout.fileno(), 100)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_whose_reader_has_stopped(command, number, code):
    process = command()
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    assert b"Traceback" not in process.stderr.read()


def test_a_signal_for_the_whole_pipeline_keeps_its_code(command):
    process = command()
    os.killpg(process.pid, signal.SIGINT)
    process.stdout.close()
    assert process.wait(timeout=60) == 130
    assert b"Traceback" not in process.stderr.read()
