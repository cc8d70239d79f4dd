"""Where a batch ends before the tap begins something new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.loading.boundaries import begins_anew
from target_messages import EVENT_SCHEMA, record

LEAVES = st.none() | st.integers() | st.text(max_size=3)
NAMES = st.sampled_from("abcd")
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
FULL = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
PATHS = st.lists(NAMES, max_size=4)


def at_path(path, value):
    for name in reversed(path):
        value = {name: value}
    return value


@given(VALUES)
def test_a_state_that_is_repeated_begins_nothing(state):
    assert not begins_anew(state, state)


@given(FULL, VALUES)
def test_a_state_without_any_null_can_only_move_on(before, after):
    assert not begins_anew(before, after)


def at_paths(value, path=()):
    """A value and all that is in its objects, by their paths."""
    if not isinstance(value, dict):
        return {path: value}
    found = {path: value}
    for name, inner in value.items():
        found |= at_paths(inner, (*path, name))
    return found


@given(VALUES, VALUES)
def test_it_begins_something_just_if_a_null_has_become_a_value(before, after):
    there = at_paths(after)
    filled = [
        path
        for path, value in at_paths(before).items()
        if value is None and there.get(path) is not None
    ]
    assert begins_anew(before, after) is bool(filled)


@given(PATHS, VALUES.filter(lambda value: value is not None), FULL)
def test_a_null_that_is_filled_in_begins_something_wherever_it_is(path, value, beside):
    before = {"sweep": at_path(path, None), "beside": beside}
    assert begins_anew(before, {"sweep": at_path(path, value), "beside": beside})
    assert not begins_anew({"sweep": at_path(path, value)}, {"sweep": at_path(path, None)})


@given(NAMES, VALUES)
def test_a_null_that_goes_or_comes_begins_nothing(name, other):
    assert not begins_anew({name: None}, {"e": other})
    assert not begins_anew({"e": 1}, {"e": 1, name: other})


@pytest.mark.parametrize(
    ("before", "after", "begins"),
    [
        ({"bookmarks": {"events": {"sweep": None, "at": 1}}}, None, False),
        (None, {"bookmarks": {}}, True),
        ({"at": 1}, {"at": 2}, False),
        ({"at": [None]}, {"at": [1]}, False),
        ({"sweep": None}, {"sweep": 0}, True),
        ({"sweep": None}, {"sweep": {}}, True),
    ],
)
def test_cases(before, after, begins):
    assert begins_anew(before, after) is begins


def swept(at, sweep):
    value = {"bookmarks": {"events": {"at": at, "sweep": sweep}}}
    return {"type": "STATE", "value": value}


def test_a_batch_ends_before_a_sweep_begins(sandbox):
    left_open = [EVENT_SCHEMA, record(0), swept(1, {"until": 5}), record(1), swept(5, None)]
    begun = [swept(5, {"until": 9}), record(2), swept(9, None)]
    outcome = sandbox.run([*left_open, *begun])
    assert outcome.error is None
    assert outcome.states[-1] == swept(9, None)["value"]
    assert sandbox.summary()["batches"] == {"success": 2}
    assert sandbox.ids() == ["id0", "id1", "id2"]


def test_a_bookmark_that_moves_on_ends_no_batch(sandbox):
    windows = [message for day in range(4) for message in (record(day), swept(day, {"until": 5}))]
    outcome = sandbox.run([EVENT_SCHEMA, *windows])
    assert outcome.states == [swept(3, {"until": 5})["value"]]
    assert sandbox.summary()["batches"] == {"success": 1}


def test_records_between_two_states_let_the_batch_go_on(sandbox):
    outcome = sandbox.run([EVENT_SCHEMA, record(0), swept(1, None), record(1), swept(2, {"u": 1})])
    assert outcome.states == [swept(2, {"u": 1})["value"]]
    assert sandbox.summary()["batches"] == {"success": 1}
