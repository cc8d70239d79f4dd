"""The benchmark's static server answers as the emulator of Mixpanel does for the same days."""

from __future__ import annotations

import threading
from datetime import timedelta

import benchmark_root  # noqa: F401 - makes `benchmarks` importable
import pytest
import requests
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project

from benchmarks.event_days import FIRST_DAY, prepare_days
from benchmarks.static_server import EXPORT_PATH, StaticServer

PROJECT_ID = 7
DAYS = 3
LOGIN = ("robot", "robot-secret")


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    return prepare_days(tmp_path_factory.mktemp("days"), 600, DAYS)


@pytest.fixture
def static_url(days):
    with StaticServer(days.folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.url
        server.shutdown()
        thread.join()


@pytest.fixture
def emulator_url(static_url, tmp_path, serve):
    project = Project(PROJECT_ID, service_accounts=dict([LOGIN]))
    emulator = MixpanelEmulator(tmp_path, projects=[project], limits=NO_LIMITS)
    answer = ask(static_url, 0, DAYS - 1)
    emulator.add_events(PROJECT_ID, map(requests.compat.json.loads, answer.iter_lines()))
    return serve(emulator)


def ask(url, first, last, *, auth=LOGIN, **more):
    parameters = {
        "project_id": PROJECT_ID,
        "from_date": (FIRST_DAY + timedelta(days=first)).isoformat(),
        "to_date": (FIRST_DAY + timedelta(days=last)).isoformat(),
        "time_in_ms": "true",
        **more,
    }
    return requests.get(url + EXPORT_PATH, params=parameters, auth=auth, timeout=30)


def test_the_days_are_told_as_they_are(days, static_url):
    answer = ask(static_url, 0, DAYS - 1)
    lines = answer.content.splitlines(keepends=True)
    assert len(lines) == days.events == 600
    assert len(set(lines)) == days.distinct < days.events
    assert len(answer.content) == days.size


def test_a_history_is_made_once_and_each_time_the_same(days, tmp_path):
    assert prepare_days(days.folder.parent, 600, DAYS) == days
    again = prepare_days(tmp_path, 600, DAYS)
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        assert again.file_of(day).read_bytes() == days.file_of(day).read_bytes()


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 2), (0, 2), (2, 9), (3, 3)])
def test_both_answer_with_the_same_events(static_url, emulator_url, first, last):
    static, emulated = (ask(url, first, last) for url in (static_url, emulator_url))
    assert static.status_code == emulated.status_code == 200
    assert sorted(static.content.splitlines()) == sorted(emulated.content.splitlines())
    encodings = {each.headers.get("Content-Encoding") for each in (static, emulated)}
    assert len(encodings) == 1


def test_both_answer_a_sample_with_so_many_events(static_url, emulator_url):
    for url in (static_url, emulator_url):
        assert len(ask(url, 0, 2, limit=250).content.splitlines()) == 250


@pytest.mark.parametrize(
    "change", [{"auth": None}, {"from_date": "yesterday"}, {"to_date": "2999-01-01"}]
)
def test_both_refuse_the_same(static_url, emulator_url, change):
    for url in (static_url, emulator_url):
        assert ask(url, 0, 0, **change).status_code == 400


def test_what_it_can_not_select_is_refused(static_url):
    answer = ask(static_url, 0, 0, where='defined(properties["x"])')
    assert (answer.status_code, "where" in answer.text) == (400, True)
    assert requests.get(f"{static_url}/elsewhere", timeout=30).status_code == 404
