"""The real process on a real pipe: killed at random instants, or told to end by a signal."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from emulators import faults

SIGNALS = [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
TODAY = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = 6
FIRST_DAY = (TODAY - timedelta(days=DAYS - 1)).date()
EVENTS_OF_A_DAY = 500
KILLS = 21  # of each of the two kinds


class Process:
    """A run of the command, whose output is taken up to where it ended."""

    def __init__(self, config: dict[str, Any], state: Any, folder: Any) -> None:
        arguments = []
        for name, content in (("config", config), ("state", state)):
            if content is not None:
                path = folder / f"{name}.json"
                path.write_text(json.dumps(content))
                arguments += [f"--{name}", str(path)]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("TAP_")
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tap_mixpanel_export", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**environment, "LOGLEVEL": "INFO"},
        )
        self.output = b""
        self.log = b""
        self._said = threading.Condition()
        self._logging = threading.Thread(target=self._keep_log)
        self._logging.start()

    def _keep_log(self) -> None:
        for line in self._process.stderr:
            with self._said:
                self.log += line
                self._said.notify_all()

    def read(self, size: int = 1 << 30) -> bool:
        """Read so many bytes more; returns whether there was an end before."""
        wanted = len(self.output) + size
        while len(self.output) < wanted:
            data = os.read(self._process.stdout.fileno(), min(1 << 16, wanted - len(self.output)))
            if not data:
                return True
            self.output += data
        return False

    def wait_for_log(self, words: bytes) -> None:
        with self._said:
            assert self._said.wait_for(lambda: words in self.log, timeout=60)

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        if not self._process.stdout.closed:
            self.read()
            self._logging.join()
            self._process.stdout.close()
            self._process.stderr.close()
        return self._process.wait(timeout=60)

    def messages(self) -> list[dict[str, Any]]:
        """The lines that came whole."""
        *lines, _ = self.output.split(b"\n")
        return [json.loads(line) for line in lines]


@dataclass
class Loader:
    """A reader that keeps records up to the last STATE, and loads run after run."""

    world: Any
    folder: Any
    settings: dict[str, Any]
    state: Any = None
    came: Counter[str] = field(default_factory=Counter)
    processes: list[Process] = field(default_factory=list)

    def start(self, **settings: Any) -> Process:
        # Runs in such a row would use up the hour's requests, which the ledger remembers.
        shutil.rmtree(self.world.state_dir / "requests", ignore_errors=True)
        config = self.world.config(**{**self.settings, **settings})
        self.processes.append(Process(config, self.state, self.folder))
        return self.processes[-1]

    def load(self, process: Process) -> None:
        pending: list[str] = []
        for message in process.messages():
            if message["type"] == "RECORD":
                pending.append(message["record"]["insert_id"])
            elif message["type"] == "STATE":
                self.came.update(pending)
                pending.clear()
                self.state = message["value"]


@pytest.fixture
def project(make_world, event):
    """A world in real time, and a function that has events of some days arrive now."""
    world = make_world(real_time=True)
    numbers = count()

    def arrive(events_of_a_day, days=range(DAYS)):
        arrived = datetime.now(timezone.utc).isoformat()
        ids = []
        for day in days:
            for n in range(events_of_a_day):
                ids.append(f"e{next(numbers)}")
                moment = TODAY - timedelta(days=day) + timedelta(milliseconds=n)
                content = event(ids[-1], moment.isoformat(), arrived=arrived, pad="x" * 200)
                world.add(content)
        return ids

    return world, arrive


@pytest.fixture
def loader(project, tmp_path):
    settings = {"start_date": FIRST_DAY.isoformat(), "settle_minutes": 0}
    loader = Loader(project[0], tmp_path, settings)
    yield loader
    for process in loader.processes:
        process.send(signal.SIGKILL)
        process.end()


def kill_by_size(process, chance):
    """Kill a process once so many bytes have been read, and perhaps a pipe's more written."""
    process.read(chance.randint(0, 450_000))
    process.send(signal.SIGKILL)


def kill_by_time(process, chance):
    """Kill a process some time after its first output, while the reader reads on."""
    process.read(1)
    killing = threading.Timer(chance.uniform(0, 0.25), process.send, [signal.SIGKILL])
    killing.start()
    process.read()
    killing.join()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kill", [kill_by_size, kill_by_time])
def test_no_kill_leaves_a_gap_or_a_repeat(project, loader, kill):
    world, arrive = project
    expected = arrive(EVENTS_OF_A_DAY)
    seed = random.randrange(1 << 32)  # noqa: S311 - no secret
    chance = random.Random(seed)  # noqa: S311 - no secret
    kills = 0
    while kills < KILLS:
        process = loader.start(
            max_concurrent_requests=chance.randint(1, 4), max_window_days=chance.randint(1, 3)
        )
        kill(process, chance)
        code = process.end()
        assert code in {0, -signal.SIGKILL}, process.log.decode()
        kills += code == -signal.SIGKILL
        loader.load(process)
        if code == 0 or chance.random() < 0.2:
            expected += arrive(EVENTS_OF_A_DAY // 3)
    process = loader.start()
    assert process.end() == 0
    loader.load(process)
    assert loader.came == Counter(expected), f"{seed=}"
    assert world.leftovers() == []


@pytest.fixture
def hangs(monkeypatch):
    """Counts the requests that have begun to hang."""
    semaphore, hang = threading.Semaphore(0), faults.hang

    def counted(*arguments):
        semaphore.release()
        hang(*arguments)

    monkeypatch.setattr(faults, "hang", counted)
    return semaphore


@pytest.fixture
def finish(loader):
    """A function that checks a run that a signal ended, and what the next run adds to it."""

    def finish(process, code, expected, *, possible_days):
        assert process.end() == code
        assert "Traceback" not in process.log.decode()
        loader.load(process)
        next_day = loader.state["bookmarks"]["events"]["sweep"]["next_day"]
        days = (date.fromisoformat(next_day) - FIRST_DAY).days
        assert days in possible_days
        assert len(loader.came) == days * len(expected) // DAYS
        assert loader.world.leftovers() == []
        loader.world.emulator.faults.clear()
        resumed = loader.start()
        assert resumed.end() == 0
        loader.load(resumed)
        assert loader.came == Counter(expected)

    return finish


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_ends_downloads_that_hang(project, loader, hangs, finish, number, code):
    world, arrive = project
    expected = arrive(3)
    world.fault("hang", times=None, skip=1)
    process = loader.start(max_concurrent_requests=3)
    assert all(hangs.acquire(timeout=60) for _ in range(3))
    process.send(number)
    finish(process, code, expected, possible_days={1})


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_ends_a_run_whose_reader_is_slow(project, loader, finish, number, code):
    _, arrive = project
    expected = arrive(EVENTS_OF_A_DAY)
    process = loader.start(max_concurrent_requests=3)
    assert not process.read(50_000)  # the pipe is full behind it
    process.send(number)
    finish(process, code, expected, possible_days={0, 1})


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_ends_the_wait_for_the_budget(project, loader, finish, number, code):
    _, arrive = project
    expected = arrive(3)
    process = loader.start(max_requests_per_hour=2)
    process.wait_for_log(b"all 2 requests of this hour are used up (max_requests_per_hour)")
    process.send(number)
    finish(process, code, expected, possible_days={1, 2})
