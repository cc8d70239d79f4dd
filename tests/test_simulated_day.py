"""A day of hourly runs: few batches, and every event that arrived is there once."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from crash_forks import Pipe, PipeRunner
from emulators.generator import NO_QUIRKS, generate
from pair import PROJECT_ID, make_pair

HOURS = 24
HISTORY_DAYS = 3
AHEAD = 1.0  # seconds that Mixpanel's clock is before the tap's, so that what arrived is visible


def test_hourly_runs_stay_far_below_the_limit_of_batches(tmp_path, serve):
    pair = make_pair(tmp_path, serve)
    (tmp_path / "tmp").mkdir()
    today = datetime.now(timezone.utc).replace(hour=0, minute=30, second=0, microsecond=0)
    first_run = today - timedelta(days=10)
    last_run = first_run + timedelta(hours=HOURS - 1)
    quirks = replace(NO_QUIRKS, late=0.2)
    events = list(generate(4, HISTORY_DAYS + 1, 240, now=last_run, quirks=quirks))
    pair.mixpanel.add_events(PROJECT_ID, events)
    first_day = last_run - timedelta(days=HISTORY_DAYS)
    pair.tap_config["start_date"] = first_day.date().isoformat()

    state, loaded_by = None, []
    with PipeRunner() as runner:
        for hour in range(HOURS):
            now = (first_run + timedelta(hours=hour)).timestamp()
            pair.mixpanel.clock.release()
            pair.mixpanel.clock.advance(now + AHEAD - time.time())
            state = run_at(now, state, pair, runner)
            loaded_by.append(len(pair.rows))

    due = [event for event in events if arrival(event) <= last_run.timestamp() * 1000]
    expected = Counter(event["properties"]["$insert_id"] for event in due)
    loaded = Counter(row["_acmeretail"]["mixpanel"]["insertId"] for row in pair.rows)
    assert loaded & expected == expected
    assert max(loaded.values()) == 1
    assert loaded_by[0] < loaded_by[HOURS // 2] < loaded_by[-1]
    batches = pair.aep.inspection.summary(pair.target_config["dataset_id"])["batches"]
    assert sum(batches.values()) < 40
    pair.aep.close()


def run_at(now, state, pair, runner):
    """Run the pipe with the tap's clock at a moment; returns the last STATE."""
    tap, target = pair.arguments(state)
    states = pair.folder / "states.jsonl"
    log, temporary = pair.folder / "log", pair.folder / "tmp"
    pipe = Pipe(target, str(states), str(log), str(temporary), tap, tap_clock=now)
    assert runner.run(pipe) == [0, 0], log.read_text("utf-8", "replace")
    return json.loads(states.read_bytes().splitlines()[-1])


def arrival(event):
    return event["properties"]["mp_processing_time_ms"]
