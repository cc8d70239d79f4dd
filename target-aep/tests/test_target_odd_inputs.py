"""Inputs of which nothing, or nothing good, can be made: the log says why."""

from __future__ import annotations

import io
import json

import pytest
from target_aep.errors import UnfinishedRunError
from target_aep.run_end import NO_INPUT
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state

SCHEMA = {
    "type": "SCHEMA",
    "stream": "users",
    "schema": {"properties": {"id": {"type": "integer"}}},
    "key_properties": ["id"],
}
USERS = [
    SCHEMA,
    *({"type": "RECORD", "stream": "users", "record": {"id": number}} for number in range(3)),
    state(1),
]
ADVICE = (
    "stream 'users' is mapped by the default mapping 'mixpanel', which is for "
    "tap-mixpanel-export: set mappings.users (or mapping)"
)
OWN = {"mappings": [{"sourceType": "ATTRIBUTE", "source": "name", "destination": "_id"}]}


@pytest.fixture
def load(tmp_path, monkeypatch, caplog):
    """Loads messages; gives the messages of the log, and the error in words or None."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")

    def load(*messages, **settings):
        target = TargetAEP(config={"destination": "local", **settings})
        error = None
        try:
            target.listen(io.StringIO("".join(json.dumps(each) + "\n" for each in messages)))
        except UnfinishedRunError as caught:
            error = str(caught)
            target.abandon()
        return caplog.messages, error

    return load


def test_an_empty_input_is_a_warning(load):
    log, error = load()
    assert log.count(NO_INPUT) == 1
    assert error is None


@pytest.mark.parametrize("messages", [[EVENT_SCHEMA], [state(1)], [EVENT_SCHEMA, record(1)]])
def test_an_input_with_anything_in_it_is_not_empty(load, messages):
    assert NO_INPUT not in load(*messages)[0]


@pytest.mark.parametrize("settings", [{}, {"mappings": {"events": OWN}}])
def test_a_stream_that_the_default_mapping_is_not_for_is_told_once(load, settings):
    assert load(*USERS, **settings)[0].count(ADVICE) == 1


@pytest.mark.parametrize("settings", [{"mapping": OWN}, {"mappings": {"users": OWN}}])
def test_a_mapping_of_ones_own_is_not_the_default(load, settings):
    log, error = load(*USERS, **settings)
    assert "3 of 3 records were rejected" in error
    assert ADVICE not in log


@pytest.mark.parametrize("changes", [{"event_id": None}, {"time": "no time"}])
def test_a_bad_event_is_no_matter_of_the_mapping(load, changes):
    log, error = load(EVENT_SCHEMA, record(1, **changes), state(1))
    assert "1 of 1 records were rejected" in error
    assert not any("default mapping" in line for line in log)


def test_no_others_are_loaded_where_all_are_rejected(load):
    _, error = load(*USERS)
    assert "They are in dead-letters with their reasons, and the state is right. Fix" in error
    assert "others" not in error


def test_the_others_are_loaded_where_there_are_some(load):
    _, error = load(EVENT_SCHEMA, record(1), record(2, event_id=None), state(1))
    assert "with their reasons; the others are loaded and the state is right. Fix" in error
