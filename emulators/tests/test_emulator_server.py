"""The common server: broken connections, framing, stopping."""

from __future__ import annotations

import socket
import threading

import pytest
import requests
from emulators.faults import Fault, FaultPlan, RequestLog, admin_response, break_transport
from emulators.server import EmulatorServer, close_connection, reset_connection
from werkzeug.wrappers import Request, Response

BIG = b"x" * 20_000_000


@Request.application
def echo(request):
    return Response(str(len(request.get_data())), status=200)


@Request.application
def refuse(_request):
    return Response("no", status=401)


@pytest.mark.parametrize("body", [b"", b"abc", BIG], ids=len)
@pytest.mark.parametrize("chunked", [False, True])
def test_the_app_sees_exactly_the_body(body, chunked):
    with EmulatorServer(echo) as server:
        data = iter([body]) if chunked and body else body
        assert requests.put(server.url, data=data, timeout=10).text == str(len(body))


def test_an_unread_body_does_not_hide_the_answer():
    with EmulatorServer(refuse) as server:
        answer = requests.put(server.url, data=BIG, timeout=10)
    assert (answer.status_code, answer.text) == (401, "no")
    assert answer.headers["Connection"] == "close"
    assert answer.headers["Content-Length"] == "2"


def raw_exchange(server, request):
    """Everything the server sent, and whether the connection ended by a reset."""
    host, port = server.url.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(request)
        try:
            while data := client.recv(65536):
                received += data
        except ConnectionResetError:
            return received, True
    return received, False


GET = b"GET / HTTP/1.1\r\nHost: emulator\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nHost: emulator\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("request_bytes", [GET, PUT], ids=["GET", "PUT"])
def test_reset_before_an_answer(request_bytes):
    with EmulatorServer(lambda environ, _start: reset_connection(environ)) as server:
        assert raw_exchange(server, request_bytes) == (b"", True)


@pytest.mark.parametrize("request_bytes", [GET, PUT], ids=["GET", "PUT"])
def test_close_before_an_answer(request_bytes):
    with EmulatorServer(lambda environ, _start: close_connection(environ)) as server:
        assert raw_exchange(server, request_bytes) == (b"", False)


@pytest.mark.parametrize(("end", "reset"), [(reset_connection, True), (close_connection, False)])
def test_end_in_the_middle_of_a_chunked_body(end, reset):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"part"
        end(environ)

    with EmulatorServer(app) as server:
        received, was_reset = raw_exchange(server, GET)
    assert was_reset is reset
    assert received.endswith(b"4\r\npart\r\n")


def test_stop_lets_hanging_handlers_go():
    plan = FaultPlan()
    plan.add(Fault("hang"))
    reached = threading.Event()

    @Request.application
    def app(request):
        reached.set()
        fault = plan.take(request)
        assert fault
        break_transport(fault, request)

    answers = []
    with EmulatorServer(app) as server:
        client = threading.Thread(target=lambda: answers.append(raw_exchange(server, GET)))
        client.start()
        assert reached.wait(10)
    client.join(10)
    assert answers == [(b"", False)]


def test_hang_is_bounded():
    plan = FaultPlan()
    plan.add(Fault("hang", args={"seconds": 0}))

    @Request.application
    def app(request):
        break_transport(plan.take(request), request)

    with EmulatorServer(app) as server:
        assert raw_exchange(server, GET) == (b"", False)


@pytest.fixture
def admin():
    """Server url, fault plan and request log of an app that has only the admin endpoints."""
    plan, log = FaultPlan(), RequestLog()

    @Request.application
    def app(request):
        return admin_response(request, plan, log) or Response(status=log.add(request, 404).status)

    with EmulatorServer(app) as server:
        yield server.url, plan, log


def test_faults_over_http(admin):
    url, plan, _ = admin
    faults_url = f"{url}/__emulator__/faults"
    one = {"kind": "reset", "times": None, "match": {"path": "/a"}}
    assert requests.post(faults_url, json=one, timeout=5).json() == {"added": 1}
    assert requests.post(faults_url, json=[{"kind": "hang"}] * 2, timeout=5).json() == {"added": 2}
    assert [fault["kind"] for fault in requests.get(faults_url, timeout=5).json()] == [
        "reset",
        "hang",
        "hang",
    ]
    assert requests.delete(faults_url, timeout=5).status_code == 204
    assert plan.pending() == []
    assert requests.put(faults_url, timeout=5).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"7",
        b'{"kind":"x","match":{"host":"y"}}',
        b'{"kind":"x","match":[]}',
        b'{"kind":"x","y":1}',
    ],
)
def test_malformed_faults_are_refused(admin, body):
    url, plan, _ = admin
    assert requests.post(f"{url}/__emulator__/faults", data=body, timeout=5).status_code == 400
    assert plan.pending() == []


def test_request_log_hides_secrets(admin):
    url, _, log = admin
    requests.get(f"{url}/a", params={"client_secret": "s3cret", "x": "1"}, timeout=5)
    log_url = f"{url}/__emulator__/requests"
    (entry,) = requests.get(log_url, timeout=5).json()
    assert entry["query"] == {"client_secret": "***", "x": "1"}
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/a", 404)
    assert requests.delete(log_url, timeout=5).status_code == 204
    assert log.entries() == []
    assert requests.post(log_url, timeout=5).status_code == 405


def _request(method="GET", path="/a/b", query="n=1"):
    return Request.from_values(path, method=method, query_string=query)


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "GET", "path": "/a", "query": {"n": 1}}, True),
        ({"method": "PUT"}, False),
        ({"path": "/b"}, False),
        ({"query": {"n": "2"}}, False),
        ({"query": {"m": "1"}}, False),
    ],
)
def test_match(match, hit):
    assert Fault("status", match=match).matches(_request()) is hit


def test_take_counts_skips_and_filters_kinds():
    plan = FaultPlan()
    plan.add(Fault("reset", times=2, skip=1), Fault("hang", times=None))
    taken = [plan.take(_request(), kinds={"reset"}) for _ in range(4)]
    assert [fault and fault.kind for fault in taken] == [None, "reset", "reset", None]
    assert plan.take(_request()).kind == "hang"
    assert plan.take(_request()).kind == "hang"
    plan.clear()
    assert plan.take(_request()) is None
