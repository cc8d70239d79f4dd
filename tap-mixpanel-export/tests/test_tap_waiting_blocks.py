"""Blocks of the earliest window go first, and none waits for ever."""

from __future__ import annotations

from concurrent.futures import CancelledError
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.framing.waiting_blocks import LONGEST_WAIT, WaitingBlocks

EARLY, LATE = (date(2024, 4, 3), 0), (date(2024, 4, 4), 0)


class Waiting:
    """Blocks whose requests are names, and a clock that is set."""

    def __init__(self):
        self.time = 0.0
        self.blocks = WaitingBlocks(lambda: self.time)

    def put(self, place, name):
        return self.blocks.put(place, name, ())

    def take(self):
        block = self.blocks.take()
        return block and block.request


@pytest.fixture
def waiting():
    return Waiting()


def test_the_earliest_window_goes_first_and_its_blocks_in_their_order(waiting):
    for place, name in ((LATE, "l1"), (EARLY, "e1"), (LATE, "l2"), (EARLY, "e2")):
        waiting.put(place, name)
    assert [waiting.take() for _ in range(5)] == ["e1", "e2", "l1", "l2", None]


def test_a_block_that_has_waited_for_long_goes_before_all(waiting):
    waiting.put(LATE, "l1")
    waiting.time = LONGEST_WAIT
    for name in ("e1", "e2", "e3"):
        waiting.put(EARLY, name)
    assert waiting.take() == "e1"
    waiting.time += 0.01
    assert [waiting.take() for _ in range(3)] == ["l1", "e2", "e3"]


def test_what_is_cancelled_is_not_taken(waiting):
    first, second = waiting.put(EARLY, "e1"), waiting.put(EARLY, "e2")
    first.cancel()
    assert waiting.take() == "e2"
    assert second.running()
    third = waiting.put(LATE, "l1")
    waiting.blocks.cancel()
    with pytest.raises(CancelledError):
        third.result()
    assert waiting.take() is None


@given(st.lists(st.tuples(st.sampled_from([EARLY, LATE]), st.floats(0, 3)), max_size=30))
def test_each_is_taken_once(steps):
    waiting = Waiting()
    for number, (place, seconds) in enumerate(steps):
        waiting.put(place, number)
        waiting.time += seconds
    taken = [waiting.take() for _ in steps]
    assert sorted(taken) == list(range(len(steps)))
    for place in (EARLY, LATE):
        own = [number for number in taken if steps[number][0] == place]
        assert own == sorted(own)
