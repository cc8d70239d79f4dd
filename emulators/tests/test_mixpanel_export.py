"""The export endpoint: who may ask, what may be asked, what comes back."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import datetime, timezone

import pytest
import requests
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project

NOW = datetime(2024, 5, 2, 3, 0, tzinfo=timezone.utc).timestamp()
NOON = 1714478400000  # 2024-04-30T12:00:00Z
DAY = {"from_date": "2024-04-30", "to_date": "2024-04-30"}
ACCOUNT = ("robot", "pa:ss")


def event(number=0, name="Click", **properties):
    properties = {"time": NOON + number, "distinct_id": f"u{number}", **properties}
    return {"event": name, "properties": properties}


@pytest.fixture
def emulator():
    projects = [
        Project(1, service_accounts={"robot": "pa:ss"}, api_secret="s1", oauth_tokens={"t1"}),
        Project(2, service_accounts={"other": "x"}, service_account_error=400, secret_error=401),
        Project(3, plan_allows_export=False, service_accounts={"robot": "pa:ss"}),
        Project(4, time_basis="project", timezone="US/Pacific", api_secret="s4"),
    ]
    return MixpanelEmulator(projects=projects, limits=NO_LIMITS, now=lambda: NOW)


@pytest.fixture
def export(emulator, serve):
    """A function that asks for an export of project 1 and returns the response."""
    url = serve(emulator) + "/api/2.0/export"

    def ask(headers=None, auth=ACCOUNT, **parameters):
        parameters = {"project_id": 1, **DAY, **parameters}
        given = {name: value for name, value in parameters.items() if value is not None}
        return requests.get(url, params=given, headers=headers, auth=auth, timeout=10)

    return ask


def rows(response):
    assert response.status_code == 200, response.text
    assert response.content == b"" or response.content.endswith(b"\n")
    return [json.loads(line) for line in response.content.split(b"\n") if line]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


UNAUTHENTICATED = (400, "Unable to authenticate request")


@pytest.mark.parametrize(
    ("auth", "headers", "project_id", "status", "text"),
    [
        (None, None, 1, *UNAUTHENTICATED),
        (None, {"Authorization": "Digest x"}, 1, *UNAUTHENTICATED),
        (None, {"Authorization": "Basic ###"}, 1, *UNAUTHENTICATED),
        (ACCOUNT, None, None, *UNAUTHENTICATED),
        (("robot", "wrong"), None, 1, 401, "Invalid credentials"),
        (("nobody", "pa:ss"), None, 1, 401, "Invalid credentials"),
        (("other", "wrong"), None, 2, *UNAUTHENTICATED),
        (ACCOUNT, None, 2, 403, "No permission"),
        (ACCOUNT, None, 99, 403, "No permission"),
        (("nobody", "wrong"), None, 99, 401, "Invalid credentials"),
        (("s1", ""), None, 2, 401, "Invalid credentials"),
        (("wrong", ""), None, 1, *UNAUTHENTICATED),
        (("wrong", ""), None, None, *UNAUTHENTICATED),
        (None, bearer("wrong"), 1, 401, "Invalid credentials"),
        (None, bearer("t1"), None, *UNAUTHENTICATED),
        (None, bearer("t1"), 2, 403, "No permission"),
        (ACCOUNT, None, 3, 402, "Your plan does not support raw data export."),
    ],
)
def test_refused_credentials(export, auth, headers, project_id, status, text):
    response = export(auth=auth, headers=headers, project_id=project_id)
    assert response.status_code == status
    assert text in response.text


RAW_ACCOUNT = {"Authorization": "Basic robot:pa:ss"}
SECRET_WITHOUT_COLON = {"Authorization": "Basic " + base64.b64encode(b"s1").decode()}


@pytest.mark.parametrize(
    ("auth", "headers", "project_id"),
    [
        (ACCOUNT, None, 1),
        (None, RAW_ACCOUNT, 1),
        (("s1", ""), None, None),
        (("s1", ""), None, 1),
        (None, SECRET_WITHOUT_COLON, None),
        (None, bearer("t1"), 1),
    ],
)
def test_accepted_credentials(emulator, export, auth, headers, project_id):
    emulator.add_events(1, [event()])
    assert len(rows(export(auth=auth, headers=headers, project_id=project_id))) == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"from_date": None},
        {"to_date": None},
        {"from_date": "2024-4-30"},
        {"from_date": "2024-02-30"},
        {"from_date": "2024-04-30T00:00:00"},
        {"from_date": "2024-05-01"},
        {"from_date": ["2024-04-29", "2024-04-30"]},
        {"project_id": "one"},
        {"event": "Click"},
        {"event": '"Click"'},
        {"event": "[1]"},
        {"limit": "0"},
        {"limit": "100001"},
        {"limit": "many"},
        {"time_in_ms": "yes"},
        {"page": "1"},
        {"where": 'properties["x"'},
        {"where": ""},
    ],
    ids=str,
)
def test_malformed_parameters(export, parameters):
    response = export(**parameters)
    assert response.status_code == 400
    assert response.json()["request"].startswith("/api/2.0/export?")
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("project_id", "auth", "last_day"),
    [(1, ACCOUNT, "2024-05-02"), (4, ("s4", ""), "2024-05-01")],
    ids=["UTC days", "days of the project's zone"],
)
def test_to_date_ends_today(export, project_id, auth, last_day):
    assert export(auth=auth, project_id=project_id, to_date=last_day).status_code == 200
    too_late = f"{last_day[:-1]}{int(last_day[-1]) + 1}"
    response = export(auth=auth, project_id=project_id, to_date=too_late)
    assert (response.status_code, response.text) == (400, "to_date cannot be later than today")


def test_days_are_inclusive_days_of_the_stored_time(emulator, export):
    midnight = NOON + 43_200_000
    times = [midnight - 86_400_001, midnight - 86_400_000, midnight - 1, midnight]
    emulator.add_events(1, [event(time=time) for time in times])
    got = [row["properties"]["time"] for row in rows(export(time_in_ms="true"))]
    assert sorted(got) == times[1:3]
    assert len(rows(export(from_date="2024-04-29", to_date="2024-05-01"))) == 4


def test_project_basis_returns_the_wall_clock_as_stored(emulator, export):
    emulator.add_events(4, [event(time=1652825148000)])
    (row,) = rows(
        export(auth=("s4", ""), project_id=4, from_date="2022-05-17", to_date="2022-05-17")
    )
    assert row["properties"]["time"] == 1652825148


ODD_PROPERTIES = {
    "time": NOON + 999,
    "distinct_id": "",
    "$insert_id": None,
    "text": 'a\u2028b\u2029c\u0085d\u000b é 👩‍👩‍👧 \u0000\ufeff "quoted" \\',
    'properties":{"time":1,': '{"event":"x","properties":{"time":5}}',
    "big": 2**63 + 1,
    "float": 1.0,
    "small": 1e-7,
    "nested": [[1, [2.5, None]], {"a": {"b": []}}, {}],
    "City": "X",
    "city": "y",
    " odd name.with-$dots": False,
}


def test_properties_come_verbatim(emulator, export):
    odd = {"event": 'Odd "properties":{"time":3', "properties": ODD_PROPERTIES}
    emulator.add_events(1, [odd])
    response = export(time_in_ms="true")
    (row,) = rows(response)
    assert row == odd
    assert str(row) == str(odd)
    assert "\u2028b\u2029c\u0085d".encode() in response.content
    in_seconds = {**ODD_PROPERTIES, "time": NOON // 1000}
    (row,) = rows(export())
    assert row["properties"] == in_seconds
    assert rows(export(event=json.dumps([odd["event"]])))[0]["properties"] == in_seconds


def test_lone_surrogates_survive_escaped(emulator, export):
    lone = event(name="\udc00", x="\ud83d")
    emulator.add_events(1, [lone, event()])
    assert rows(export(event='["\\udc00"]', time_in_ms="1")) == [lone]


def test_event_limit_and_empty(emulator, export):
    emulator.add_events(1, [event(n, name=f"é{n % 3}") for n in range(30)])
    names = {row["event"] for row in rows(export(event='["é0","é2"]'))}
    assert names == {"é0", "é2"}
    assert len(rows(export(limit=7))) == 7
    for nothing in (export(event="[]"), export(from_date="2024-04-29", to_date="2024-04-29")):
        assert nothing.status_code == 200
        assert nothing.content == b""
        assert "Content-Encoding" not in nothing.headers


def test_order_is_shuffled_and_repeatable(emulator, export):
    emulator.add_events(1, [event(n) for n in range(50)])
    first, second = export(), export()
    times = [row["properties"]["distinct_id"] for row in rows(first)]
    assert times != [f"u{n}" for n in range(50)]
    assert sorted(times) == sorted(f"u{n}" for n in range(50))
    assert first.content == second.content


@pytest.mark.parametrize(
    ("accepted", "body_bytes", "encoding"),
    [
        ("gzip", 1400, None),
        ("gzip", 1401, "gzip"),
        ("deflate, gzip;q=0.5", 5000, "gzip"),
        ("gzip;q=0", 5000, None),
        ("*", 5000, None),
        ("identity", 5000, None),
        (None, 5000, None),
    ],
)
def test_gzip_above_1400_bytes_if_accepted(emulator, export, accepted, body_bytes, encoding):
    filler = body_bytes - len(json.dumps(event(x=""), separators=(",", ":"))) - len("\n")
    emulator.add_events(1, [event(x="z" * filler)])
    response = export(headers={"Accept-Encoding": accepted}, time_in_ms="true")
    assert len(response.content) == body_bytes
    assert response.headers.get("Content-Encoding") == encoding
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Content-Type"] == "text/plain"


def test_gzip_stream_is_whole(emulator, serve):
    emulator.add_events(1, [event(n, x="y" * 1000) for n in range(3000)])
    with requests.get(
        serve(emulator) + "/api/2.0/export",
        params={"project_id": 1, **DAY},
        auth=ACCOUNT,
        timeout=10,
        stream=True,
    ) as response:
        text = gzip.decompress(response.raw.read(decode_content=False))
    assert text.count(b"\n") == 3000


def test_visible_from_the_processing_time_on(emulator, export):
    now_ms = int(NOW * 1000)
    stamps = [0, now_ms, now_ms + 1, now_ms + 60_000]
    emulator.add_events(1, [event(n, mp_processing_time_ms=at) for n, at in enumerate(stamps)])
    emulator.add_events(1, [event(9)])

    def visible():
        return sorted(row["properties"]["distinct_id"] for row in rows(export()))

    assert visible() == ["u0", "u1", "u9"]
    emulator.clock.advance(0.001)
    assert visible() == ["u0", "u1", "u2", "u9"]
    emulator.clock.fix(NOW + 60)
    assert visible() == ["u0", "u1", "u2", "u3", "u9"]


def test_me_lists_the_projects_of_a_service_account(emulator, serve):
    url = serve(emulator) + "/api/app/me"
    answer = requests.get(url, auth=ACCOUNT, timeout=5).json()
    assert set(answer["results"]["projects"]) == {"1", "3"}
    assert requests.get(url, auth=("robot", "wrong"), timeout=5).status_code == 401
    assert requests.get(url, auth=("s1", ""), timeout=5).status_code == 401
    assert requests.get(url, timeout=5).status_code == 401


def test_nothing_else_is_there(emulator, serve):
    url = serve(emulator)
    assert requests.get(url + "/api/2.0/engage", timeout=5).status_code == 404
    assert requests.post(url + "/api/2.0/export", data=b"x", timeout=5).status_code == 405


def test_requests_are_logged(emulator, export):
    export()
    export(auth=None)
    assert [entry.status for entry in emulator.requests.entries("/api/2.0/export")] == [200, 400]
    assert emulator.requests.entries()[0].query == {"project_id": "1", **DAY}
