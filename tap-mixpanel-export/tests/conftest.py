"""Runs of the tap against the Mixpanel emulator, with a clock that tests move."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from connection_world import Mixpanel
from emulators.faults import Fault
from emulators.mixpanel import NO_LIMITS, Limits, MixpanelEmulator, Project, running
from hypothesis import settings
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter
from tap_mixpanel_export.clock import SystemClock
from tap_mixpanel_export.errors import TapError
from tap_mixpanel_export.retries import RetryPolicy
from tap_mixpanel_export.tap import TapMixpanelExport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulators.mixpanel.project import TimeBasis

# No example is timed and none is kept: the machine may be busy, and tests leave nothing behind.
settings.register_profile("unhurried", deadline=None, database=None)
settings.load_profile("unhurried")

PROJECT_ID = 4711
USERNAME = "loader.5f3a.mp-service-account"
SECRET = "Zr8uVq2LxTn4Pw6y"
API_SECRET = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OAUTH_TOKEN = "oauth-7d9c1f2e8b"
NOW = datetime(2024, 3, 20, 12, 0, tzinfo=timezone.utc)


class FakeClock:
    """Stands still unless it is moved; sleeping moves it."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def wait(self, seconds: float, ended: threading.Event) -> None:
        del ended
        with self._lock:
            self.slept.append(seconds)
            self._now += seconds

    def advance(self, **units: float) -> None:
        days, hours = units.get("days", 0), units.get("hours", 0)
        self._now += days * 86400 + hours * 3600 + units.get("minutes", 0) * 60

    def set(self, now: float) -> None:
        self._now = now

    def now_ms(self) -> int:
        return int(self._now * 1000)


class Killed(BaseException):
    """Stands for a kill at the instant of an output line."""


class MemoryWriter(SimpleSingerWriter):
    """Keeps the messages as a reader of the pipe would have them."""

    def __init__(self, kill_after: int | None = None) -> None:
        self.lines: list[str] = []
        self._kill_after = kill_after

    def write_message(self, message: Any) -> None:
        if self._kill_after is not None and len(self.lines) >= self._kill_after:
            raise Killed
        self.lines.append(self.format_message(message))


@dataclass
class Run:
    """What one run wrote."""

    messages: list[dict[str, Any]]
    error: BaseException | None = None

    @property
    def records(self) -> list[dict[str, Any]]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD"]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any] | None:
        return self.states[-1] if self.states else None

    @property
    def bookmark(self) -> dict[str, Any]:
        return self.states[-1]["bookmarks"]["events"]

    def ids(self) -> list[str]:
        return [record["insert_id"] for record in self.records]


@dataclass
class World:
    """An emulated project, a clock, and a tap to run on them."""

    emulator: MixpanelEmulator
    url: str
    clock: FakeClock
    state_dir: Path
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    keeps_ledger: bool = False
    """Whether a run knows of the requests of the runs before; else each has an hour of its own."""

    def config(self, **settings: Any) -> dict[str, Any]:
        config = {
            "service_account_username": USERNAME,
            "service_account_secret": SECRET,
            "project_id": PROJECT_ID,
            "api_url": self.url,
            "start_date": "2024-03-18",
            "state_dir": str(self.state_dir),
            "request_timeout": 20,
            "max_window_days": 1,
            "max_concurrent_requests": 1,
            **settings,
        }
        return {name: value for name, value in config.items() if value is not None}

    def tap_class(self) -> type[TapMixpanelExport]:
        class TestedTap(TapMixpanelExport):
            """The tap with the test's clock and without waits."""

            clock: ClassVar = self.clock
            retry_policy: ClassVar = self.policy

        return TestedTap

    def run(
        self,
        state: dict[str, Any] | None = None,
        *,
        kill_after: int | None = None,
        catalog: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Run:
        if not self.keeps_ledger:
            shutil.rmtree(self.state_dir / "requests", ignore_errors=True)
        writer = MemoryWriter(kill_after)
        error: BaseException | None = None
        try:
            tap = self.tap_class()(
                config=self.config(**settings),
                state=json.loads(json.dumps(state)),
                catalog=catalog,
                message_writer=writer,
            )
            tap.sync_all()
        except (TapError, Killed) as caught:
            error = caught
        return Run([json.loads(line) for line in writer.lines], error)

    def add(self, *events: dict[str, Any]) -> None:
        self.emulator.add_events(PROJECT_ID, events)

    def fault(self, kind: str, *, times: int | None = 1, skip: int = 0, **args: Any) -> None:
        self.emulator.faults.add(Fault(kind, times=times, skip=skip, args=args))

    def refuse(self, status: int, body: Any, *, times: int | None = 1, **headers: str) -> None:
        self.fault("status", times=times, status=status, body=body, headers=headers)

    def requests(self) -> list[tuple[str, str]]:
        """The days of every export request, in order."""
        entries = self.emulator.requests.entries("/api/2.0/export")
        return [(entry.query["from_date"], entry.query["to_date"]) for entry in entries]

    def leftovers(self) -> list[Path]:
        """Spool files that are still there."""
        return [path for path in self.state_dir.rglob("*.spool") if path.is_file()]


def event(
    insert_id: str,
    time: str,
    *,
    arrived: str | None = "",
    name: str = "Opened",
    **properties: Any,
) -> dict[str, Any]:
    """An event at an ISO time (UTC or wall clock); arrives at once unless told."""
    content: dict[str, Any] = {
        "time": millis(time),
        "distinct_id": "ada",
        "$insert_id": insert_id,
        **properties,
    }
    if arrived is not None:
        content.setdefault("$mp_api_timestamp_ms", millis(arrived or time))
        content["mp_processing_time_ms"] = millis(arrived or time)
    return {"event": name, "properties": content}


def millis(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


@pytest.fixture(name="event")
def event_fixture() -> Any:
    return event


@pytest.fixture(name="millis")
def millis_fixture() -> Any:
    return millis


@pytest.fixture
def killed() -> type[Killed]:
    return Killed


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock(NOW.timestamp())


@pytest.fixture
def logger() -> logging.Logger:
    return logging.getLogger("tap-mixpanel-export.test")


@pytest.fixture(autouse=True)
def restored_signals() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Any]:
    """A function that makes a world: time_basis, zone, limits, now, real_time."""
    worlds = []

    def make(
        *,
        time_basis: TimeBasis = "utc",
        zone: str = "UTC",
        limits: Limits = NO_LIMITS,
        plan_allows_export: bool = True,
        most_events: int | None = None,
        real_time: bool = False,
    ) -> World:
        clock = FakeClock(NOW.timestamp())
        project = Project(
            PROJECT_ID,
            time_basis=time_basis,
            timezone=zone,
            plan_allows_export=plan_allows_export,
            most_events=most_events,
            service_accounts={USERNAME: SECRET},
            api_secret=API_SECRET,
            oauth_tokens=[OAUTH_TOKEN],
        )
        other = Project(PROJECT_ID + 1)
        emulator = MixpanelEmulator(
            tmp_path / f"mixpanel{len(worlds)}",
            projects=[project, other],
            limits=limits,
            now=SystemClock().now if real_time else clock.now,
        )
        server = running(emulator)
        url = server.__enter__()
        worlds.append(server)
        return World(emulator, url, clock, tmp_path / "state")

    yield make
    for server in worlds:
        server.__exit__(None, None, None)


@pytest.fixture
def world(make_world: Any) -> World:
    return make_world()


@pytest.fixture
def restored_logging(monkeypatch):
    """Takes back what the command line does to the process."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    loggers = [logging.getLogger(name) for name in ("", "tap-mixpanel-export", "singer_sdk")]
    before = [([*logger.handlers], logger.level, logger.propagate) for logger in loggers]
    yield
    logging.captureWarnings(capture=False)
    for logger, (handlers, level, propagates) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagates


@pytest.fixture
def mixpanel(fake_clock, tmp_path, capsys, restored_logging):
    """Mixpanel as `--test` meets it."""
    del restored_logging
    world = Mixpanel(fake_clock, tmp_path, capsys)
    yield world
    world.stop()
