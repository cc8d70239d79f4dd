"""Servers that are silent, drip or never end: discovery and ``--test`` end all the same.

Each of these servers would hold a client for ever, so a test that ends has found a deadline.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
from contextlib import ExitStack, suppress
from typing import ClassVar

import pytest
from filelock import FileLock
from tap_mixpanel_export.app_host import MOST_BYTES, AnswerTooLongError, ask_app_host
from tap_mixpanel_export.connection_check.check import ConnectionCheck
from tap_mixpanel_export.connection_check.residency import Residency
from tap_mixpanel_export.deadline import Deadline
from tap_mixpanel_export.events_schema import SCHEMA

SECRET = "Zr8uVq2LxTn4Pw6y"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSED = HEAD + b"Connection: close\r\n\r\n"
LONG_PIECE = b"10000\r\n" + b" " * 65536 + b"\r\n"


def drip(beginning, piece):
    """What a server sends that never ends its answer."""
    return itertools.chain([beginning], itertools.repeat(piece))


ENDLESS = {
    "silent": lambda: iter(()),
    "status line": lambda: drip(b"HTTP/1.1 2", b"0"),
    "header": lambda: drip(HEAD + b"X-Long: ", b"x"),
    "chunked body": lambda: drip(CHUNKED, b"1\r\n \r\n"),
    "chunk's size": lambda: drip(CHUNKED, b"0"),
    "body without an end": lambda: drip(UNTIL_CLOSED, b" "),
    "silent after its head": lambda: iter([CHUNKED]),
    "error": lambda: drip(CHUNKED.replace(b"200 OK", b"500 Oops"), b"1\r\n \r\n"),
}


class EndlessServer:
    """Sends a piece every so often to each client until that leaves."""

    def __init__(self, pieces, pause=0.02):
        self._pieces = pieces
        self._pause = pause
        self._stopping = threading.Event()
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked = 0

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, what, *args):
        thread = threading.Thread(target=what, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._serve, client)

    def _serve(self, client):
        with client, suppress(OSError):
            client.recv(65536)
            self.asked += 1
            for piece in self._pieces():
                client.sendall(piece)
                if self._stopping.wait(self._pause):
                    return
            self._stopping.wait()


@pytest.fixture
def endless():
    """A function that starts a server of a kind of endlessness."""
    with ExitStack() as servers:

        def start(kind):
            return servers.enter_context(EndlessServer(ENDLESS[kind]))

        yield start


@pytest.fixture
def hasty(world, capsys):
    """A function that discovers within a moment; returns the stream's catalog entry."""

    def run(seconds=0.6, **settings):
        class HastyTap(world.tap_class()):
            """The tap with a short deadline."""

            longest_look: ClassVar = seconds

        config = world.config(**settings)
        HastyTap(config=config, validate_config=False, setup_mapper=False).run_discovery()
        (entry,) = json.loads(capsys.readouterr().out)["streams"]
        return entry

    return run


@pytest.mark.parametrize("kind", ENDLESS)
def test_discovery_ends(hasty, endless, caplog, kind):
    server = endless(kind)
    entry = hasty(api_url=server.url, app_url=server.url)
    assert entry["schema"] == SCHEMA
    assert "Lexicon: " in caplog.text
    assert "a sample of events: " in caplog.text
    assert server.asked <= 2
    assert SECRET not in caplog.text


@pytest.mark.parametrize("kind", ["silent", "header", "body without an end"])
def test_an_endless_lexicon_leaves_time_for_the_sample(hasty, world, event, endless, caplog, kind):
    world.add(event("a", "2024-03-18T10:00:00", **{"$browser": "Safari"}))
    caplog.set_level("INFO")
    entry = hasty(seconds=6, app_url=endless(kind).url)
    assert "$browser" in entry["schema"]["properties"]["properties"]["properties"]
    assert "within 2 s" in caplog.text


@pytest.mark.parametrize("kind", ENDLESS)
def test_the_checks_end(world, endless, logger, kind):
    server = endless(kind)
    tap = world.tap_class()(config=world.config(api_url=server.url, app_url=server.url))
    check = ConnectionCheck(
        tap.settings, Residency(None, {}), seconds=0.6, clock=world.clock, logger=logger
    )
    found = {finding.check: finding for finding in check.findings()}
    assert found["credentials"].verdict.name == "WARN"
    assert found["export"].verdict.name == "FAIL"
    assert "run --test again" in found["export"].text
    assert found["quota"].verdict.name == "OK"


def test_the_deadline_is_named(world, endless, logger):
    server = endless("body without an end")
    tap = world.tap_class()(config=world.config(api_url=server.url))
    check = ConnectionCheck(
        tap.settings, Residency(None, {}), seconds=1.0, clock=world.clock, logger=logger
    )
    (text,) = [finding.text for finding in check.findings() if finding.check == "export"]
    assert text.startswith(f"{server.url} sent no whole answer within 1 s; a run has more patience")


def test_another_run_that_keeps_the_memory(hasty, world, caplog):
    hasty()
    (lock,) = (world.state_dir / "discovery").glob("*.lock")
    caplog.clear()
    with FileLock(lock):
        assert hasty(seconds=0.1)["schema"] == SCHEMA
    assert "another run has looked for the project's properties for more than" in caplog.text


@pytest.fixture
def settings(world):
    return world.tap_class()(config=world.config()).settings


def test_an_answer_without_bounds_is_given_up(settings):
    with EndlessServer(lambda: drip(CHUNKED, LONG_PIECE), pause=0) as server:
        with pytest.raises(AnswerTooLongError) as caught:
            ask_app_host(settings, server.url, "/api/app/me", deadline=Deadline(600))
        assert server.asked == 1
    assert f"{server.url}/api/app/me has more than {MOST_BYTES >> 20} MiB" in str(caught.value)


def test_an_endless_lexicon_is_asked_once(hasty, world, event, caplog):
    world.add(event("a", "2024-03-18T10:00:00", **{"$browser": "Safari"}))
    caplog.set_level("INFO")
    with EndlessServer(lambda: drip(CHUNKED, LONG_PIECE), pause=0) as server:
        entry = hasty(seconds=600, app_url=server.url)
        assert server.asked == 1
    assert "$browser" in entry["schema"]["properties"]["properties"]["properties"]
    assert "without Lexicon: the answer of http" in caplog.text


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
def test_an_answer_that_is_nested_without_bounds(settings, status):
    body = b"[" * 200_000
    head = HEAD.replace(b"200 OK", status) + b"Content-Length: %d\r\n\r\n" % len(body)
    with EndlessServer(lambda: iter([head + body])) as server:
        answer = ask_app_host(settings, server.url, "/api/app/me", deadline=Deadline(600))
    with pytest.raises(ValueError, match=r"nested|Expecting"):
        answer.json()


def test_no_time_left(settings):
    with EndlessServer(ENDLESS["silent"]) as server, pytest.raises(Exception, match="no time was"):
        ask_app_host(settings, server.url, "/api/app/me", deadline=Deadline(0))
    assert server.asked == 0
