"""Loading in the background: in order, one unit at a time, and nothing claimed after an error."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.loading.commit_pipeline import CommitPipeline

LIMIT = 20


class BrokenError(Exception):
    """What goes wrong in these tests."""


class Gate:
    """A load that lasts until it is let through; `error` ends it with one."""

    def __init__(self, error=None):
        self.begun, self.open = threading.Event(), threading.Event()
        self.error = error
        self.state = None

    def __call__(self, state):
        self.state = state
        self.begun.set()
        assert self.open.wait(LIMIT)
        if self.error:
            raise self.error

    def let_through(self):
        self.open.set()
        return self


@pytest.fixture
def written():
    return []


@pytest.fixture
def pipeline(written):
    return CommitPipeline(written.append)


def test_a_state_is_written_after_its_records_and_is_told_to_the_load(pipeline, written):
    gate = Gate()
    pipeline.hand_over(gate)
    pipeline.close_unit({"at": 1})
    assert gate.begun.wait(LIMIT)
    assert written == []
    gate.let_through()
    pipeline.finish()
    assert written == [{"at": 1}]
    assert gate.state == {"at": 1}


def test_the_main_thread_goes_on_while_a_unit_is_loaded_and_waits_with_the_next(pipeline, written):
    first, second = Gate(), Gate()
    pipeline.hand_over(first)
    pipeline.close_unit({"at": 1})
    pipeline.hand_over(second)
    closing = threading.Thread(target=pipeline.close_unit, args=({"at": 2},))
    closing.start()
    assert first.begun.wait(LIMIT)
    assert not second.begun.is_set()
    first.let_through()
    closing.join(LIMIT)
    assert written == [{"at": 1}]
    second.let_through()
    pipeline.finish()
    assert written == [{"at": 1}, {"at": 2}]


def test_a_state_with_nothing_before_it_passes_at_once(pipeline, written):
    pipeline.close_unit({"at": 1})
    assert written == [{"at": 1}]
    pipeline.hand_over(Gate().let_through())
    pipeline.close_unit({"at": 2})
    pipeline.finish()
    pipeline.close_unit({"at": 3})
    assert written == [{"at": 1}, {"at": 2}, {"at": 3}]


def test_states_with_nothing_between_them_come_after_the_unit_under_way(pipeline, written):
    gate = Gate()
    pipeline.hand_over(gate)
    pipeline.close_unit({"at": 1})
    pipeline.close_unit({"at": 2})
    pipeline.close_unit({"at": 3})
    pipeline.close_unit(None)
    assert written == []
    gate.let_through()
    pipeline.finish()
    assert written == [{"at": 3}]
    assert gate.state == {"at": 1}


def test_without_a_state_records_are_loaded_and_nothing_is_written(pipeline, written):
    gate = Gate().let_through()
    pipeline.hand_over(gate)
    pipeline.close_unit(None)
    pipeline.close_unit(None)
    pipeline.finish()
    assert gate.begun.is_set()
    assert written == []


def test_an_empty_state_is_a_state(pipeline, written):
    pipeline.hand_over(Gate().let_through())
    pipeline.close_unit({"at": 1})
    pipeline.finish()
    pipeline.hand_over(gate := Gate())
    pipeline.close_unit({"at": 2})
    pipeline.close_unit({})
    gate.let_through()
    pipeline.finish()
    assert written == [{"at": 1}, {}]


@pytest.mark.parametrize("how", ["finish", "close_unit", "pass_on"])
def test_an_error_is_raised_in_the_main_thread_once(pipeline, written, how):
    gate = Gate(BrokenError("why"))
    pipeline.hand_over(gate)
    pipeline.close_unit({"at": 1})
    if how == "close_unit":
        pipeline.hand_over(Gate().let_through())
    gate.let_through()
    with pytest.raises(BrokenError, match="why"):
        pipeline.finish() if how == "finish" else close_after_the_unit(pipeline, {"at": 2})
    pipeline.finish()
    assert written == []


def close_after_the_unit(pipeline, state):
    wait_until_failed(pipeline)
    pipeline.close_unit(state)


def wait_until_failed(pipeline):
    pipeline._unit.exception(LIMIT)
    assert pipeline.has_failed


def test_a_state_that_waits_for_a_unit_that_fails_is_not_written(pipeline, written):
    gate = Gate(BrokenError("why"))
    pipeline.hand_over(gate)
    pipeline.close_unit({"at": 1})
    pipeline.close_unit({"at": 2})
    gate.let_through()
    with pytest.raises(BrokenError):
        pipeline.finish()
    assert written == []


def test_whether_it_has_failed_is_known_without_waiting(pipeline):
    assert not pipeline.has_failed
    gate = Gate(BrokenError("why"))
    pipeline.hand_over(gate)
    pipeline.close_unit({"at": 1})
    assert not pipeline.has_failed
    gate.let_through()
    wait_until_failed(pipeline)


def test_a_state_that_can_not_be_written_is_an_error():
    def refuse(_state):
        raise BrokenError("closed")

    pipeline = CommitPipeline(refuse)
    with pytest.raises(BrokenError):
        pipeline.close_unit({"at": 1})
    pipeline.hand_over(Gate().let_through())
    pipeline.close_unit({"at": 2})
    with pytest.raises(BrokenError):
        pipeline.finish()


def test_the_streams_of_a_unit_are_loaded_at_once_and_the_state_comes_after_all(pipeline, written):
    gates = [Gate(), Gate(), Gate()]
    for gate in gates:
        pipeline.hand_over(gate)
    pipeline.close_unit({"at": 1})
    assert all(gate.begun.wait(LIMIT) for gate in gates)
    for gate in gates[:2]:
        gate.let_through()
    assert written == []
    gates[2].let_through()
    pipeline.finish()
    assert written == [{"at": 1}]


def test_the_other_streams_of_a_unit_end_before_an_error_is_raised(pipeline, written):
    failing, other = Gate(BrokenError("why")).let_through(), Gate()
    pipeline.hand_over(failing)
    pipeline.hand_over(other)
    pipeline.close_unit({"at": 1})
    assert other.begun.wait(LIMIT)
    assert not pipeline.has_failed
    other.let_through()
    with pytest.raises(BrokenError):
        pipeline.finish()
    assert written == []


STEPS = st.lists(st.sampled_from(["record", "state", "failing"]), max_size=12)


@given(STEPS)
def test_a_state_that_is_written_has_all_its_records_loaded(steps):
    loaded, under_way, most, claimed = [], [], [], []
    pipeline = CommitPipeline(lambda state: claimed.append((state["at"], list(loaded))))

    def load(number, *, fails):
        under_way.append(number)
        most.append(len(under_way))
        under_way.remove(number)
        if fails:
            raise BrokenError
        loaded.append(number)

    with suppress(BrokenError):
        for number, step in enumerate(steps):
            if step == "state":
                pipeline.close_unit({"at": number})
                continue
            fails = step == "failing"
            pipeline.hand_over(lambda _state, n=number, f=fails: load(n, fails=f))
            pipeline.close_unit({"at": number})
        pipeline.finish()
    assert [at for at, _ in claimed] == sorted({at for at, _ in claimed})
    assert max(most, default=0) <= 1
    for at, there in claimed:
        before = [number for number in range(at + 1) if steps[number] != "state"]
        assert there == before
        assert all(steps[number] == "record" for number in before)
    if "failing" not in steps and steps:
        assert claimed[-1][0] == len(steps) - 1
