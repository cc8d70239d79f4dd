"""Plays a case of the crash matrix: disturbed runs, then plain ones from the last STATE written."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from crash_forks import Pipe
from crash_killer import Killer
from emulators.generator import NO_QUIRKS, Quirks, generate, late_events
from pair import PROJECT_ID, make_pair

_RUNS = 4
"""An undisturbed run may find what was left of a killed one; it must be done by the fourth."""
_LOOKBACK_DAYS = 5


class CrashPlay:
    """A pair of emulators with a killer before them, and what a user keeps between two runs."""

    def __init__(self, folder, serve, case, runner):
        self.killer, self._case, self._runner = Killer(), case, runner
        self.pair = make_pair(
            folder,
            lambda app: serve(self.killer.before(app)),
            aep_settings={"promotion": case.promotion},
        )
        self.pair.tap_config |= case.tap_settings
        self.pair.target_config |= case.target_settings
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self._states = folder / "states.jsonl"
        self._state = None
        self._waves = 0
        self.sent = Counter()
        self._log = folder / "log"

    def play(self):
        """Play it; afterwards every event must be somewhere, once.

        Raises:
            AssertionError: It is not, or undisturbed runs fail.
        """
        self._add_history()
        if self._case.is_warm:
            assert self.run() == [0, 0], self._told("the run before any disturbance failed")
            self._add_late()
        for disturbance, brings_late in zip(self._case.runs, self._case.late, strict=True):
            self.pair.aep.faults.add(*disturbance.faults)
            self.run(disturbance.strike)
            self.pair.aep.faults.clear()
            if brings_late:
                self._add_late()
        assert self._runs_well(), self._told("undisturbed runs fail")
        lost, doubled = self.sent - self.accounted, self.accounted - self.sent
        assert not lost, self._told(f"lost {lost.total()}: {list(lost)[:3]}")
        assert not doubled, self._told(f"doubled {doubled.total()}: {list(doubled)[:3]}")

    def run(self, strike=None):
        """Run the pipe from the last STATE; returns the exit codes."""
        shutil.rmtree(self.pair.folder / "tap" / "requests", ignore_errors=True)
        tap, target = self.pair.arguments(self._state)
        self.killer.arm(strike)
        with self._log.open("a") as log:
            log.write(f"--- run, killed by {strike}\n")
        pipe = Pipe(target, str(self._states), str(self._log), str(self._temporary), tap)
        codes = self._runner.run(pipe, self.killer)
        for line in self._states.read_bytes().split(b"\n")[:-1]:
            self._state = json.loads(line)
        with self._log.open("a") as log:
            log.write(f"--- ended {codes} after {self.killer.seen} requests at {self._state}\n")
        return codes

    @property
    def accounted(self):
        """How often each event is in the dataset or in the dead letters."""
        mapped = (row["_acmeretail"]["mixpanel"]["insertId"] for row in self.pair.rows)
        letters = (letter["record"]["insert_id"] for letter in self.pair.dead_letters)
        return Counter(mapped) + Counter(letters)

    def _runs_well(self):
        return any(self.run() == [0, 0] for _ in range(_RUNS))

    def _add_history(self):
        past = datetime.now(timezone.utc).replace(hour=12) - timedelta(days=20)
        quirks = replace(NO_QUIRKS, future=0.01, late=Quirks().late, unicode=0.1)
        days, per_day = self._case.days, self._case.per_day
        self.pair.tap_config["start_date"] = (past - timedelta(days=days - 1)).date().isoformat()
        self.pair.tap_config["end_date"] = past.date().isoformat()
        self._add(generate(self._case.seed, days, per_day, now=past, quirks=quirks))

    def _add_late(self):
        """Events of the days before that arrive now, after what the last run has asked for."""
        self._waves += 1
        past = datetime.now(timezone.utc).replace(hour=12) - timedelta(days=20)
        seed = f"{self._case.seed}/{self._waves}"
        days = min(self._case.days, _LOOKBACK_DAYS)
        events = list(late_events(seed, 25, days=days, now=past, quirks=NO_QUIRKS))
        for event in events:
            event["properties"]["mp_processing_time_ms"] = int(time.time() * 1000)
        self._add(events)

    def _add(self, events):
        events = [event for event in events if self._is_asked_for(event)]
        self.sent.update(event["properties"]["$insert_id"] for event in events)
        self.pair.mixpanel.add_events(PROJECT_ID, events)

    def _is_asked_for(self, event):
        moment = datetime.fromtimestamp(event["properties"]["time"] / 1000, timezone.utc)
        first, last = (self.pair.tap_config[name] for name in ("start_date", "end_date"))
        return first <= moment.date().isoformat() <= last

    def _told(self, problem):
        lines = self._log.read_text("utf-8", "replace").splitlines()
        log = "\n".join(line for line in lines if "METRIC" not in line)
        return f"case {self._case.seed}: {problem}\n{self._case}\n{log}"
