"""Mixpanel's limits, as its emulator saw them: over several runs at once, and over a backfill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
import tap_on_shared_clock
from emulators.faults import Fault
from emulators.mixpanel import Limits, MixpanelEmulator, Project, running

PROJECT_ID = 4711
SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
NOW = 1_718_000_000.0
FIRST_DAYS = [date(2024, 1, 1), date(2024, 2, 20), date(2024, 4, 10)]
DAYS_OF_A_RUN = 50
AT_ONCE = 4


@pytest.fixture
def mixpanel(tmp_path, monkeypatch):
    """An emulator with Mixpanel's limits on the shared clock, and when it took in requests."""
    clock = tap_on_shared_clock.SharedClock(tmp_path / "clock")
    clock.start(NOW)
    emulator = MixpanelEmulator(
        tmp_path / "mixpanel",
        projects=[Project(PROJECT_ID, api_secret=SECRET)],
        limits=Limits(),
        now=clock.now,
        limit_clock=clock.now,
    )
    taken_in, enter = [], emulator.limiter.enter

    def counted(project_id):
        try:
            taken_in.append(clock.now())
            enter(project_id)
        finally:
            clock.arrives()

    monkeypatch.setattr(emulator.limiter, "enter", counted)
    with running(emulator) as url:
        yield SimpleNamespace(emulator=emulator, url=url, taken_in=taken_in)


@pytest.fixture
def started(mixpanel, tmp_path):
    """A function that starts a run of some days; the runs share state_dir."""
    with ExitStack() as stack:

        def start(first_day):
            config = {
                "api_secret": SECRET,
                "project_id": PROJECT_ID,
                "api_url": mixpanel.url,
                "state_dir": str(tmp_path / "state"),
                "start_date": first_day.isoformat(),
                "end_date": (first_day + timedelta(days=DAYS_OF_A_RUN - 1)).isoformat(),
                "max_window_days": 1,
                "max_concurrent_requests": AT_ONCE,
            }
            path = tmp_path / f"{first_day}.json"
            path.write_text(json.dumps(config))
            launcher, clock = tap_on_shared_clock.__file__, tmp_path / "clock"
            process = subprocess.Popen(
                [sys.executable, launcher, clock, "--config", path],
                stdin=subprocess.DEVNULL,
                stdout=stack.enter_context((tmp_path / f"{first_day}.out").open("wb")),
                stderr=stack.enter_context((tmp_path / f"{first_day}.err").open("wb")),
                env={**os.environ, "LOGLEVEL": "INFO"},
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


def most_within(moments, seconds):
    """The most of some moments that lie within so many seconds, the first of them excluded."""
    return max(sum(1 for m in moments if end - seconds < m <= end) for end in moments)


@pytest.mark.timeout(120)
def test_three_runs_together_keep_within_the_limits(mixpanel, started, event, tmp_path):
    days = [first + timedelta(days=n) for first in FIRST_DAYS for n in range(DAYS_OF_A_RUN)]
    for day in days:
        arrived = f"{day}T12:00:00"
        mixpanel.emulator.add_events(PROJECT_ID, [event(f"{day}", arrived, pad="x" * 300)])
    # Slow enough for requests to overlap.
    mixpanel.emulator.faults.add(Fault("slow", times=None, args={"pause": 0.01}))
    for process in [started(first_day) for first_day in FIRST_DAYS]:
        assert process.wait() == 0

    entries = mixpanel.emulator.requests.entries("/api/2.0/export")
    assert {entry.status for entry in entries} == {200}
    assert Counter(entry.query["from_date"] for entry in entries) == Counter(map(str, days))
    assert most_within(mixpanel.taken_in, 3600) == 60
    assert 2 <= most_within(mixpanel.taken_in, 1) <= 3
    assert 2 <= mixpanel.emulator.limiter.peak(PROJECT_ID) <= AT_ONCE
    assert mixpanel.taken_in[-1] - mixpanel.taken_in[0] > 2 * 3600
    for first_day in FIRST_DAYS:
        log = (tmp_path / f"{first_day}.err").read_text()
        assert "all 60 requests of this hour are used up (max_requests_per_hour)" in log


def test_a_run_with_several_requests_at_once_asks_in_the_order_of_days(mixpanel, started):
    process = started(FIRST_DAYS[0])
    assert process.wait() == 0
    entries = mixpanel.emulator.requests.entries("/api/2.0/export")
    asked = [entry.query["from_date"] for entry in entries]
    assert len(asked) == DAYS_OF_A_RUN
    assert asked == sorted(asked)


def test_two_years_of_a_small_project_take_about_a_request_a_month(world, event):
    first_day = date(2022, 3, 20)
    days = [first_day + timedelta(days=n) for n in range(731)]
    world.add(*(event(f"{day}", f"{day}T08:00:00") for day in days))
    run = world.run(
        start_date=first_day.isoformat(), max_window_days=None, max_concurrent_requests=None
    )
    assert sorted(run.ids()) == [str(day) for day in days]
    asked = sorted(world.requests())
    assert len(asked) <= 30
    assert asked[0][0] == first_day.isoformat()
    for (_, last_day), (next_day, _) in pairwise(asked):
        assert date.fromisoformat(next_day) - date.fromisoformat(last_day) == timedelta(days=1)
