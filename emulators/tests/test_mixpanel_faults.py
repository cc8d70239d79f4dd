"""Every fault of the export, as a client without any tolerance sees it."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from emulators.faults import Fault
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project

PARAMETERS = {"project_id": 1, "from_date": "2024-04-30", "to_date": "2024-04-30"}
AUTH = ("robot", "secret")
EVENTS = 40


@pytest.fixture
def emulator():
    emulator = MixpanelEmulator(
        projects=[Project(1, service_accounts=dict([AUTH]))], limits=NO_LIMITS
    )
    properties = {"time": 1714478400000, "filler": "x" * 100}
    emulator.add_events(
        1, [{"event": "A", "properties": {**properties, "n": n}} for n in range(EVENTS)]
    )
    return emulator


@pytest.fixture
def base(emulator, serve):
    return serve(emulator)


def get(base, encoding="gzip"):
    return requests.get(
        base + "/api/2.0/export",
        params=PARAMETERS,
        auth=AUTH,
        headers={"Accept-Encoding": encoding},
        timeout=10,
    )


def raw_get(base, encoding="gzip"):
    """The undecoded body, read through the standard library, which reports a missing end."""
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        headers = {"Authorization": "Basic robot:secret", "Accept-Encoding": encoding}
        connection.request("GET", "/api/2.0/export?" + urlencode(PARAMETERS), headers=headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def body_lines(content):
    return content.split(b"\n")


def is_event(line):
    try:
        value = json.loads(line)
    except ValueError:
        return False
    return isinstance(value, dict) and "properties" in value


@pytest.mark.parametrize(
    ("args", "status", "content_type", "text"),
    [
        ({}, 500, "text/plain", ""),
        ({"body": "unknown error"}, 500, "text/plain", "unknown error"),
        (
            {"status": 400, "body": {"request": "/api/2.0/export", "error": "Timeout Error."}},
            400,
            "application/json",
            '{"request": "/api/2.0/export", "error": "Timeout Error."}',
        ),
        (
            {"status": 503, "body": "<html>down</html>", "content_type": "text/html"},
            503,
            "text/html",
            "<html>down</html>",
        ),
    ],
)
def test_status(emulator, base, args, status, content_type, text):
    emulator.faults.add(Fault("status", args=args))
    response = get(base)
    assert (response.status_code, response.text) == (status, text)
    assert response.headers["Content-Type"].startswith(content_type)
    assert get(base).status_code == 200


def test_status_with_headers(emulator, base):
    emulator.faults.add(Fault("status", args={"status": 429, "headers": {"Retry-After": "3"}}))
    response = get(base)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")


@pytest.mark.parametrize("drop_bytes", [20, 8, 1])
def test_cut_gzip_ends_in_order_but_early(emulator, base, drop_bytes):
    emulator.faults.add(Fault("cut_gzip", args={"drop_bytes": drop_bytes}))
    compressed = raw_get(base)
    decompressor = zlib.decompressobj(31)
    decompressor.decompress(compressed)
    assert not decompressor.eof
    emulator.faults.add(Fault("cut_gzip", args={"drop_bytes": drop_bytes}))
    assert get(base).status_code == 200  # requests does not notice


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_cut_body_has_no_end_of_chunks(emulator, base, encoding):
    emulator.faults.add(Fault("cut_body", times=2))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(base, encoding)
    with pytest.raises(http.client.IncompleteRead) as error:
        raw_get(base, encoding)
    assert error.value.partial


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize(("drop_bytes", "is_whole_json"), [(10, False), (1, True)])
def test_cut_line_lacks_the_last_newline(emulator, base, encoding, drop_bytes, is_whole_json):
    emulator.faults.add(Fault("cut_line", args={"drop_bytes": drop_bytes}))
    body = raw_get(base, encoding)
    lines = body_lines(gzip.decompress(body) if encoding == "gzip" else body)
    assert len(lines) == EVENTS
    assert all(is_event(line) for line in lines[:-1])
    assert is_event(lines[-1]) is is_whole_json


@pytest.mark.parametrize("text", ["terminated early", "export terminated early"])
@pytest.mark.parametrize("newline", [False, True])
def test_terminated_early(emulator, base, text, newline):
    args = {"after_events": 17, "text": text, "newline": newline}
    emulator.faults.add(Fault("terminated_early", args=args))
    response = get(base)
    assert response.status_code == 200
    events, end = body_lines(response.content)[:17], body_lines(response.content)[17:]
    assert all(is_event(line) for line in events)
    assert end == [text.encode(), *([b""] if newline else [])]


def test_terminated_early_beyond_the_last_event(emulator, base):
    emulator.faults.add(Fault("terminated_early", args={"after_events": EVENTS + 1}))
    assert body_lines(get(base).content)[EVENTS:] == [b"terminated early"]


@pytest.mark.parametrize(("most", "end"), [(EVENTS, b""), (EVENTS - 1, b"terminated early")])
def test_a_project_ends_answers_that_are_too_large_for_it(serve, most, end):
    project = Project(1, service_accounts=dict([AUTH]), most_events=most)
    emulator = MixpanelEmulator(projects=[project], limits=NO_LIMITS)
    emulator.add_events(
        1, [{"event": "A", "properties": {"time": 1714478400000, "n": n}} for n in range(EVENTS)]
    )
    lines = body_lines(get(serve(emulator)).content)
    assert sum(map(is_event, lines[:-1])) == most
    assert lines[-1] == end


def test_error_tail(emulator, base):
    emulator.faults.add(Fault("error_tail", args={"after_events": 0}))
    assert get(base).content == b'{"error": "internal err'


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        ({}, b'{"event":"Broken","properties":{"time":16'),
        ({"variant": "array"}, b'["event","properties"]'),
        ({"variant": "scalar"}, b"17"),
        ({"line": "<html>"}, b"<html>"),
    ],
)
def test_malformed_line_in_a_whole_body(emulator, base, args, wrong):
    emulator.faults.add(Fault("malformed_line", args={"after_events": 3, **args}))
    lines = body_lines(get(base).content)
    assert lines[3] == wrong
    assert lines[-1] == b""
    assert sum(is_event(line) for line in lines) == EVENTS


def test_invalid_utf8_line(emulator, base):
    emulator.faults.add(Fault("malformed_line", args={"variant": "invalid_utf8"}))
    with pytest.raises(UnicodeDecodeError):
        body_lines(get(base).content)[1].decode()


def test_reset_before_an_answer(emulator, base):
    emulator.faults.add(Fault("reset"))
    with pytest.raises(ConnectionResetError):
        raw_get(base)


def test_reset_within_the_body(emulator, base):
    emulator.faults.add(Fault("reset", args={"after_bytes": 300}))
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        raw_get(base)


def test_close_before_an_answer(emulator, base):
    emulator.faults.add(Fault("close"))
    with pytest.raises(http.client.RemoteDisconnected):
        raw_get(base)


def test_hang_is_bounded(emulator, base):
    emulator.faults.add(Fault("hang", args={"seconds": 0.05}))
    with pytest.raises(http.client.RemoteDisconnected):
        raw_get(base)


def test_hang_until_the_client_goes(emulator, base):
    emulator.faults.add(Fault("hang"))
    with pytest.raises(requests.ReadTimeout):
        requests.get(base + "/api/2.0/export", params=PARAMETERS, auth=AUTH, timeout=0.2)


def test_hang_within_the_body(emulator, base):
    emulator.faults.add(Fault("hang", args={"after_bytes": 10, "seconds": 0.05}))
    with pytest.raises(http.client.IncompleteRead) as error:
        raw_get(base)
    assert len(error.value.partial) == 10


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_slow_is_whole_in_the_end(emulator, base, encoding):
    whole = get(base, encoding).content
    emulator.faults.add(Fault("slow", args={"chunk_bytes": 50, "pause": 0}))
    assert get(base, encoding).content == whole


def test_faults_match_the_query(emulator, base):
    emulator.faults.add(Fault("reset", match={"query": {"from_date": "2024-04-29"}}))
    assert get(base).status_code == 200
    assert len(emulator.faults.pending()) == 1


def test_refused_requests_use_up_no_fault(emulator, base):
    emulator.faults.add(Fault("reset"))
    assert requests.get(base + "/api/2.0/export", timeout=5).status_code == 400
    assert len(emulator.faults.pending()) == 1


def test_unknown_kinds_are_refused(emulator, base):
    faults_url = base + "/__emulator__/faults"
    body = [{"kind": "reset"}, {"kind": "earthquake"}]
    assert requests.post(faults_url, json=body, timeout=5).status_code == 400
    assert emulator.faults.pending() == []
