"""States as Meltano keeps them: each merged into the ones before it, key by key, depth first."""

from __future__ import annotations

import copy
import json

import pytest
from meltano.core.utils import merge

NO_SWEEP = dict.fromkeys(["arrived_after", "arrived_until", "first_day", "last_day", "next_day"])


class Keeper:
    """Runs the tap as Meltano does, and keeps what a target commits at STATE messages."""

    def __init__(self, world):
        self.world = world
        self.state = {}

    def run(self, *, full_refresh=False, kill_after=None, **settings):
        state = copy.deepcopy(self.state) if self.state and not full_refresh else None
        run = self.world.run(state, kill_after=kill_after, **settings)
        committed, pending = [], []
        for message in run.messages:
            if message["type"] == "RECORD":
                pending.append(message["record"]["insert_id"])
            if message["type"] == "STATE":
                committed, pending = committed + pending, []
                self.state = merge(message["value"], self.state)
                assert self.state == message["value"]
        assert kill_after is not None or run.error is None
        return sorted(committed)


@pytest.fixture
def keeper(world, event):
    world.add(event("a", "2024-03-18T10:00:00"), event("b", "2024-03-19T10:00:00"))
    return Keeper(world)


def test_a_run_after_a_full_refresh(keeper, event):
    assert keeper.run() == ["a", "b"]
    keeper.world.clock.advance(hours=1)
    assert keeper.run(full_refresh=True) == ["a", "b"]
    assert keeper.state["bookmarks"]["events"]["sweep"] == NO_SWEEP
    keeper.world.clock.advance(hours=2)
    keeper.world.add(event("late", "2024-03-18T11:00:00", arrived="2024-03-20T13:00:00"))
    assert keeper.run() == ["late"]
    keeper.world.clock.advance(hours=1)
    assert keeper.run() == []


@pytest.mark.parametrize("first", [4, None])
@pytest.mark.parametrize("refresh", [2, 4, None])
def test_full_refreshes_and_interrupted_runs_in_any_mixture(keeper, event, first, refresh):
    keeper.run(kill_after=first)
    keeper.world.clock.advance(hours=1)
    brought = keeper.run(full_refresh=True, kill_after=refresh)
    keeper.world.clock.advance(hours=3)
    keeper.world.add(event("late", "2024-03-19T11:00:00", arrived="2024-03-20T13:30:00"))
    assert sorted(brought + keeper.run()) == ["a", "b", "late"]
    keeper.world.clock.advance(hours=1)
    assert keeper.run() == []


def test_an_interrupted_incremental_run_after_a_full_refresh(keeper, event):
    keeper.run()
    keeper.world.clock.advance(hours=1)
    keeper.run(full_refresh=True)
    keeper.world.clock.advance(hours=2)
    keeper.world.add(event("late", "2024-03-18T11:00:00", arrived="2024-03-20T13:00:00"))
    brought = keeper.run(kill_after=5)
    keeper.world.clock.advance(hours=1)
    assert sorted(brought + keeper.run()) == ["late"]


def test_a_plain_bookmark_is_completed_by_the_first_run(keeper):
    plain = {"replication_key": "time", "replication_key_value": "2024-03-19T00:00:00Z"}
    keeper.state = {"bookmarks": {"events": plain}}
    run = keeper.world.run(copy.deepcopy(keeper.state))
    for state in run.states:
        keeper.state = merge(json.loads(json.dumps(state)), keeper.state)
    assert keeper.state == run.state
    keeper.world.clock.advance(hours=1)
    assert keeper.run() == []
