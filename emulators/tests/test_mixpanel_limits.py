"""Rate limits of the export endpoint, on a clock that the tests move."""

from __future__ import annotations

import re
import threading

import pytest
import requests
from emulators.faults import Fault
from emulators.mixpanel import Limits, MixpanelEmulator, Project

AUTH = ("robot", "secret")


class ManualClock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def limited(clock, serve):
    """A function that starts an emulator with these limits; returns it and a way to ask it."""

    def start(**limits):
        projects = [Project(number, service_accounts=dict([AUTH])) for number in (1, 2)]
        emulator = MixpanelEmulator(projects=projects, limits=Limits(**limits), limit_clock=clock)
        url = serve(emulator) + "/api/2.0/export"

        def ask(project_id=1, **more):
            parameters = {"project_id": project_id, "from_date": "2024-01-01", **more}
            parameters.setdefault("to_date", "2024-01-01")
            return requests.get(url, params=parameters, auth=AUTH, timeout=10)

        return emulator, ask

    return start


def test_three_a_second(limited, clock):
    _, ask = limited()
    assert [ask().status_code for _ in range(4)] == [200, 200, 200, 429]
    assert "4/3 queries running in the last second" in ask().json()["error"]
    assert ask(project_id=2).status_code == 200
    clock.now += 1
    assert ask().status_code == 200


def test_sixty_in_a_sliding_hour(limited, clock):
    _, ask = limited(per_second=None)
    for _ in range(60):
        assert ask().status_code == 200
        clock.now += 10
    refused = ask()
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    # The server may still be at the end of the answer before it, which the client has whole.
    assert re.fullmatch(
        r"Query rate limit exceeded for project_id: 1\. [12]/100 queries running concurrently and "
        r"61/60 queries running in the last hour",
        refused.json()["error"],
    )
    assert refused.json()["request"].startswith("/api/2.0/export?project_id=1")
    clock.now += 3600 - 600 - 0.001
    assert ask().status_code == 429
    clock.now += 0.001
    assert ask().status_code == 200
    assert ask().status_code == 429


@pytest.mark.parametrize(("count_refused", "after"), [(False, 200), (True, 429)])
def test_whether_refused_requests_count(limited, clock, count_refused, after):
    _, ask = limited(per_hour=1, per_second=None, count_refused=count_refused)
    assert ask().status_code == 200
    clock.now += 3000
    assert ask().status_code == 429
    clock.now += 600
    assert ask().status_code == after


def test_retry_after_if_configured(limited):
    _, ask = limited(per_second=1, retry_after=7)
    ask()
    assert ask().headers["Retry-After"] == "7"


def test_requests_that_are_no_queries_do_not_count(limited):
    _, ask = limited(per_second=1)
    assert ask(to_date="soon").status_code == 400
    assert ask().status_code == 200


def test_concurrency(limited):
    emulator, ask = limited(per_second=None, concurrent=1)
    emulator.faults.add(Fault("hang"))
    hanging = threading.Event()
    take = emulator.faults.take

    def take_and_tell(*args):
        fault = take(*args)
        hanging.set()
        return fault

    emulator.faults.take = take_and_tell
    client = threading.Thread(target=_ask_in_vain, args=(ask,), daemon=True)
    client.start()
    assert hanging.wait(10)
    refused = ask()
    assert refused.status_code == 429
    assert refused.json()["error"] == "too many export requests in progress for this project"
    assert ask(project_id=2).status_code == 200
    assert emulator.limiter.peak(1) == 1


def _ask_in_vain(ask):
    with pytest.raises(requests.ConnectionError):
        ask()


def test_a_whole_answer_frees_its_slot(limited):
    emulator, ask = limited(per_second=None, concurrent=1)
    emulator.add_events(1, [{"event": "A", "properties": {"time": 1704100000000}}])
    assert ask().status_code == 200
    assert _eventually_free(emulator)


@pytest.mark.parametrize("kind", ["status", "reset", "close", "cut_body"])
def test_a_failed_answer_frees_its_slot(limited, kind):
    emulator, ask = limited(per_second=None, concurrent=1)
    event = {"event": "A", "properties": {"time": 1704100000000, "x": "y" * 100}}
    emulator.add_events(1, [event])
    emulator.faults.add(Fault(kind))
    try:
        assert ask().status_code == 500
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        assert kind != "status"
    assert _eventually_free(emulator)
    assert ask().status_code == 200


def _eventually_free(emulator):
    """The server frees a slot just after the client saw the end."""
    freed = threading.Event()
    for _ in range(500):
        if emulator.limiter.running(1) == 0:
            return True
        freed.wait(0.01)
    return False
