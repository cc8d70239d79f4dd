"""Answers that the emulator never gives: other framings and encodings, byte by byte."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest
from tap_mixpanel_export.errors import ExportRefusedError, RetriesExhaustedError
from tap_mixpanel_export.retries import RetryPolicy

EVENT = b'{"event":"a","properties":{"time":1710756000000,"$insert_id":"i"}}\n'


@pytest.fixture
def answer(world):
    """A function that runs the tap on one day against a server that answers with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests = []

    def serve(answers):
        for raw in answers:
            connection, _ = listener.accept()
            with connection:
                requests.append(_request(connection))
                connection.sendall(raw)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)

    def run(*answers, **settings):
        thread = threading.Thread(target=serve, args=(answers,), daemon=True)
        thread.start()
        world.policy = RetryPolicy(max_tries=len(answers))
        port = listener.getsockname()[1]
        outcome = world.run(api_url=f"http://127.0.0.1:{port}/", end_date="2024-03-18", **settings)
        thread.join(10)
        outcome.requests = requests
        return outcome

    yield run
    listener.close()


def _request(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    return received.decode("latin-1")


def http(body, *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/plain", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def chunked(*chunks, end=True):
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + (b"0\r\n\r\n" if end else b"")


ZIPPED = gzip.compress(EVENT, mtime=0)  # part of test names
WHOLE = [
    http(EVENT, f"Content-Length: {len(EVENT)}"),
    http(ZIPPED, f"Content-Length: {len(ZIPPED)}", "Content-Encoding: gzip"),
    http(chunked(ZIPPED[:9], ZIPPED[9:]), "Transfer-Encoding: chunked", "Content-Encoding: x-gzip"),
    http(
        chunked(gzip.compress(b"", mtime=0), ZIPPED),
        "Transfer-Encoding: chunked",
        "Content-Encoding: GZIP",
    ),
    http(EVENT),
    http(ZIPPED, "Content-Encoding: gzip"),
]


@pytest.mark.parametrize("raw", WHOLE)
def test_whole_answers(answer, raw):
    run = answer(raw)
    assert run.error is None
    assert run.ids() == ["i"]


@pytest.mark.parametrize("encoding", [(), ("Content-Encoding: gzip",)])
def test_an_answer_of_no_bytes_is_no_events(answer, encoding):
    run = answer(http(b"", "Content-Length: 0", *encoding))
    assert run.error is None
    assert run.records == []
    assert run.bookmark["exported_last_day"] == "2024-03-18"


BROKEN = [
    (http(EVENT, f"Content-Length: {len(EVENT) * 2}"), "IncompleteRead"),
    (http(EVENT[:-1]), "the last line is cut off"),
    (http(ZIPPED[:-1], "Content-Encoding: gzip"), "before its trailer"),
    (http(chunked(EVENT, end=False), "Transfer-Encoding: chunked"), "connection"),
    (
        http(chunked(ZIPPED[:-3]), "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
        "before its trailer",
    ),
    (
        http(chunked(EVENT), "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
        "the gzip stream is damaged",
    ),
    (http(EVENT, f"Content-Length: {len(EVENT)}", "Content-Encoding: br"), "'br' is neither"),
    (b"nonsense\r\n\r\n", "connection"),
]


@pytest.mark.parametrize(("raw", "words"), BROKEN)
def test_broken_answers_are_asked_for_again(answer, raw, words, caplog):
    run = answer(raw, WHOLE[0])
    assert run.error is None
    assert run.ids() == ["i"]
    assert words in caplog.text


def test_a_server_that_is_not_there(world):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    world.policy = RetryPolicy(max_tries=2)
    run = world.run(api_url=f"http://127.0.0.1:{port}", where='properties["email"] == "a@b.c"')
    assert isinstance(run.error, RetriesExhaustedError)
    assert f"the connection to http://127.0.0.1:{port} failed" in str(run.error)
    assert "check api_url and region" in str(run.error)
    assert "a@b.c" not in str(run.error)
    assert "email" not in str(run.error)


def test_a_host_that_nobody_knows(world, monkeypatch):
    def unknown(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no test asks a name server
    world.policy = RetryPolicy(max_tries=2)
    run = world.run(api_url="http://data.mixpanel.invalid")
    assert isinstance(run.error, RetriesExhaustedError)
    assert "check api_url and region, and the proxy's settings" in str(run.error)


def test_an_error_body_in_gzip_is_read(answer):
    words = gzip.compress(b"no such project")
    run = answer(
        http(
            words,
            f"Content-Length: {len(words)}",
            "Content-Encoding: gzip",
            status="418 I'm a teapot",
        )
    )
    assert isinstance(run.error, ExportRefusedError)
    assert "418: no such project" in str(run.error)


def test_what_is_asked(answer):
    run = answer(
        WHOLE[0],
        events=["A & B", "\u00fc"],
        where='properties["x"] == "1+1"',
        user_agent="tester/1",
    )
    (request,) = run.requests
    line, *headers = request.split("\r\n")
    assert line == (
        "GET /api/2.0/export?from_date=2024-03-18&to_date=2024-03-18&time_in_ms=true"
        "&project_id=4711&event=%5B%22A+%26+B%22%2C+%22%5Cu00fc%22%5D"
        "&where=properties%5B%22x%22%5D+%3D%3D+%221%2B1%22 HTTP/1.1"
    )
    assert "Accept: text/plain" in headers
    assert "Accept-Encoding: gzip" in headers
    assert "User-Agent: tester/1" in headers
    assert any(header.startswith("Authorization: Basic ") for header in headers)
