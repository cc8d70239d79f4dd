"""Events on disk, and the admin endpoints that fill and read them."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from pathlib import Path

import pytest
import requests
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project
from emulators.mixpanel.store import EventStore
from hypothesis import given, settings
from hypothesis import strategies as st

NOON = 1714478400000  # 2024-04-30T12:00:00Z
EVENT = {"event": "A", "properties": {"time": NOON, "mp_processing_time_ms": NOON + 5}}


def stored(store, project_id=1, **interval):
    blocks = store.lines(project_id, date.min, date.max, **interval)
    return [json.loads(line) for block in blocks for line in block]


def test_reopened_from_disk(tmp_path):
    first = EventStore(tmp_path)
    first.add(1, [EVENT] * 3)
    first.add(2, [EVENT])
    again = EventStore(tmp_path)
    assert again.count(1) == 3
    assert stored(again) == [EVENT] * 3
    again.add(1, [EVENT])
    assert EventStore(tmp_path).count(1) == 4


def test_a_line_cut_by_a_crash_is_dropped(tmp_path):
    EventStore(tmp_path).add(1, [EVENT] * 2)
    (file,) = tmp_path.rglob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-7])
    store = EventStore(tmp_path)
    assert store.count(1) == 1
    store.add(1, [EVENT])
    assert stored(store) == [EVENT] * 2


def test_readers_do_not_see_later_additions(tmp_path):
    store = EventStore(tmp_path)
    store.add(1, [EVENT] * 3000)
    lines = store.lines(1, date.min, date.max)
    seen = len(next(lines))
    store.add(1, [EVENT] * 3000)
    assert seen + sum(map(len, lines)) == 3000


def test_many_blocks_are_read_completely(tmp_path):
    store = EventStore(tmp_path)
    wide = [{"event": "A", "properties": {"time": NOON + n, "x": "y" * 999}} for n in range(5000)]
    assert store.add(1, iter(wide)) == 5000
    times = [event["properties"]["time"] for event in stored(store)]
    assert sorted(times) == [NOON + n for n in range(5000)]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": 1, "properties": {"time": 1}},
        {"event": "A"},
        {"event": "A", "properties": []},
        {"event": "A", "properties": {}},
        {"event": "A", "properties": {"time": "1"}},
        {"event": "A", "properties": {"time": 1.5}},
        {"event": "A", "properties": {"time": True}},
        {"event": "A", "properties": {"time": 10**20}},
    ],
)
def test_what_is_no_event_is_refused(tmp_path, event):
    store = EventStore(tmp_path)
    with pytest.raises(ValueError, match=r"event|time"):
        store.add(1, [EVENT, event, EVENT])
    assert store.count(1) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@settings(deadline=None)
@given(
    name=st.text(),
    time=st.integers(-(10**12), 10**13),
    properties=st.dictionaries(st.text(), JSON),
    arrival=st.none() | st.text() | st.integers(),
)
def test_every_event_round_trips(name, time, properties, arrival):
    properties = {**properties, "time": time, "mp_processing_time_ms": arrival}
    event = {"event": name, "properties": properties}
    with tempfile.TemporaryDirectory() as directory:
        store = EventStore(Path(directory))
        store.add(1, [event])
        assert stored(store) == [event]


@pytest.fixture
def admin(serve):
    projects = [Project(1), Project(2)]
    emulator = MixpanelEmulator(projects=projects, limits=NO_LIMITS, now=lambda: NOON / 1000)
    return emulator, serve(emulator) + "/__emulator__"


def test_events_over_http(admin):
    emulator, url = admin
    arrived = {"event": "Ü", "properties": {"time": NOON, "x": "\u2028"}}
    body = "\n".join([json.dumps(EVENT), "", json.dumps(arrived, ensure_ascii=False)]).encode()
    events_url = f"{url}/projects/1/events"
    assert requests.post(events_url, data=body, timeout=5).json() == {"added": 2}
    assert requests.get(f"{events_url}/count", timeout=5).json() == {"count": 2, "visible": 1}
    lines = requests.get(events_url, timeout=5).content.splitlines()
    assert sorted(map(str, map(json.loads, lines))) == sorted(map(str, [EVENT, arrived]))
    visible = requests.get(events_url, params={"visible": "true"}, timeout=5).content
    assert json.loads(visible) == arrived
    assert requests.get(f"{url}/projects/2/events", timeout=5).content == b""
    assert emulator.requests.entries() == []


@pytest.mark.parametrize("line", ["{", "[1]", "{}", '{"event":"A","properties":{"time":"x"}}'])
def test_bad_lines_over_http(admin, line):
    emulator, url = admin
    body = f"{json.dumps(EVENT)}\n{line}\n"
    assert requests.post(f"{url}/projects/1/events", data=body, timeout=5).status_code == 400
    assert emulator.store.count(1) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "projects/3/events", 404),
        ("GET", "projects/x/events", 404),
        ("GET", "nothing", 404),
        ("DELETE", "projects/1/events", 405),
        ("POST", "clock", 400),
    ],
)
def test_admin_refusals(admin, method, path, status):
    _, url = admin
    assert requests.request(method, f"{url}/{path}", timeout=5).status_code == status


def test_clock_over_http(admin):
    emulator, url = admin
    clock_url = f"{url}/clock"
    start = NOON / 1000
    assert requests.get(clock_url, timeout=5).json() == {"now": start, "fixed": False}
    moved = requests.post(clock_url, json={"advance": 10}, timeout=5).json()
    assert moved == {"now": start + 10, "fixed": False}
    fixed = requests.post(clock_url, json={"now": 500}, timeout=5).json()
    assert fixed == {"now": 500, "fixed": True}
    assert requests.post(clock_url, json={"advance": 1}, timeout=5).json()["now"] == 501
    assert requests.post(clock_url, json=[1], timeout=5).status_code == 400
    assert requests.post(clock_url, json={"now": "x"}, timeout=5).status_code == 400
    assert requests.delete(clock_url, timeout=5).json() == {"now": start, "fixed": False}
    assert emulator.clock() == start


def test_emulator_keeps_events_in_its_directory(tmp_path):
    MixpanelEmulator(tmp_path, projects=[Project(1)]).add_events(1, [EVENT])
    assert MixpanelEmulator(tmp_path, projects=[Project(1)]).store.count(1) == 1


def test_temporary_directory_goes_with_the_emulator(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    emulator = MixpanelEmulator(projects=[Project(1)])
    emulator.add_events(1, [EVENT])
    assert list(tmp_path.iterdir())
    del emulator
    assert list(tmp_path.iterdir()) == []
