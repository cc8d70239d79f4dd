"""Bad records: each ends in the dataset or in the dead letters, never in both, never in neither.

Experience Platform's clock is ten days behind here, so that it refuses what the target takes for a
good row: an event of its future.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from random import Random

import pytest
from crash_forks import Pipe, PipeRunner
from crash_killer import Killer, Strike
from pair import make_pair

RECORDS = 400
A_STATE_EVERY = 50
BEHIND = timedelta(days=10)
TIMES = {"good": timedelta(days=-20), "platform": timedelta(days=-1), "local": timedelta(days=900)}


@pytest.fixture(scope="module")
def runner():
    with PipeRunner() as started:
        yield started


def messages(share, kinds):
    """A stream with a share of bad records, in no order, and its STATEs."""
    rng = Random(f"{share}/{kinds}")  # noqa: S311 - no secret rests on it
    bad = round(RECORDS * share)
    verdicts = [kinds[number % len(kinds)] for number in range(bad)] + ["good"] * (RECORDS - bad)
    rng.shuffle(verdicts)
    properties = {name: {"type": "string"} for name in ("event_id", "event_name", "time")}
    schema = {"type": "object", "properties": properties}
    yield {"type": "SCHEMA", "stream": "events", "schema": schema, "key_properties": ["event_id"]}
    now = datetime.now(timezone.utc)
    for number, verdict in enumerate(verdicts):
        moment = (now + TIMES[verdict]).isoformat(timespec="milliseconds")
        record = {"event_id": f"event-{number}", "event_name": "Test", "time": moment}
        yield {"type": "RECORD", "stream": "events", "record": record}
        if number % A_STATE_EVERY == A_STATE_EVERY - 1:
            yield {"type": "STATE", "value": {"bookmarks": {"events": {"number": number}}}}


class Poisoned:
    """A target that loads a file with bad records in it."""

    def __init__(self, folder, serve, runner, **target_settings):
        self._folder, self._runner, self._killer = folder, runner, Killer()
        self.pair = make_pair(
            folder,
            lambda app: serve(self._killer.before(app)),
            aep_settings={"now": lambda: time.time() - BEHIND.total_seconds()},
        )
        self.pair.target_config |= target_settings
        self._input = folder / "input.jsonl"
        self.log = folder / "log"

    def take(self, share, kinds):
        lines = (json.dumps(message) for message in messages(share, kinds))
        self._input.write_text("\n".join(lines) + "\n", "utf-8")

    def run(self, strike=None):
        """Load all of the file; returns the exit code and the STATEs that were written."""
        (self._folder / "tmp").mkdir(exist_ok=True)
        _, arguments = self.pair.arguments()
        states = self._folder / "states.jsonl"
        pipe = Pipe(
            [*arguments, "--input", str(self._input)],
            str(states),
            str(self.log),
            str(self._folder / "tmp"),
        )
        self._killer.arm(strike)
        (code,) = self._runner.run(pipe, self._killer)
        return code, [json.loads(line) for line in states.read_bytes().split(b"\n")[:-1]]

    def assert_whole(self, share):
        """Every record is in one place.

        Raises:
            AssertionError: It is not; with the log.
        """
        told = self.log.read_text("utf-8", "replace")
        rows = Counter(row["_id"] for row in self.pair.rows)
        letters = Counter(letter["record"]["event_id"] for letter in self.pair.dead_letters)
        assert letters.total() == round(RECORDS * share), told
        assert rows + letters == Counter(f"event-{number}" for number in range(RECORDS)), told


@pytest.fixture
def poisoned(tmp_path, serve, runner):
    made = []

    def make(**settings):
        made.append(Poisoned(tmp_path, serve, runner, **settings))
        return made[-1]

    yield make
    for each in made:
        each.pair.aep.close()


@pytest.mark.parametrize("batch_max_bytes", [1, 1 << 30])
@pytest.mark.parametrize("kinds", [("local",), ("platform",), ("local", "platform")])
@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_every_record_is_in_one_place(poisoned, share, kinds, batch_max_bytes):
    target = poisoned(batch_max_bytes=batch_max_bytes)
    target.take(share, kinds)
    code, states = target.run()
    target.assert_whole(share)
    assert code == (0 if share < 0.05 else 1)
    assert states[-1]["bookmarks"]["events"]["number"] == RECORDS - 1
    codes = {letter["code"] == "LOCAL" for letter in target.pair.dead_letters}
    assert codes == {kind == "local" for kind in kinds}
    assert all(letter["reason"] for letter in target.pair.dead_letters)


@pytest.mark.parametrize("request_number", range(5, 29, 2))
def test_every_record_is_in_one_place_after_kills_too(poisoned, request_number):
    rng = Random(request_number)  # noqa: S311 - no secret rests on it
    share = rng.choice((0.01, 0.1, 1.0))
    kinds = rng.choice((("platform",), ("local",), ("local", "platform")))
    target = poisoned(batch_max_bytes=rng.choice((1, 1 << 30)), max_rejected_percent=100)
    target.take(share, kinds)
    target.run(Strike("target", request_number, after_effect=rng.random() < 0.5))
    code, _ = target.run()
    assert code == 0, target.log.read_text("utf-8", "replace")
    target.assert_whole(share)
    assert target.run()[0] == 0
    target.assert_whole(share)
