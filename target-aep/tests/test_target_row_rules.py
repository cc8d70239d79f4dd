"""What is not sent because Experience Platform would refuse it, and what is only warned of."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.mapping.identities import DEFAULT_IDENTITIES, is_acceptable, parse_identities
from target_aep.mapping.mapper import FUTURE_SKEW, RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.row_rules import (
    MAX_IDENTITIES,
    PROFILE_MAX_BYTES,
    complaint_about,
    leave_out_blocked_identities,
)
from target_messages import EVENT_SCHEMA, reached, record, state

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
VALUES = st.one_of(
    st.sampled_from(["", " ", "null", "Anonymous", "INVALID", "x" * 1025, "x" * 1024, "1" * 38]),
    st.text(),
    st.none(),
    st.integers(),
)
MAPS = st.dictionaries(
    st.sampled_from(["ECID", "Email", "N"]),
    st.one_of(
        st.lists(st.one_of(st.fixed_dictionaries({"id": VALUES}), VALUES)),
        st.fixed_dictionaries({"id": VALUES}),
    ),
)
IDENTITIES = [
    {"source": "event_id", "destination": "_id"},
    {"source": "time", "destination": "timestamp"},
    {"source": "ids", "destination": "identityMap"},
]


def mapper(mapping="mixpanel", identities=()):
    return RecordMapper(
        load_mapping_set(mapping).for_tenant("t"), None, parse_identities(identities), lambda: NOW
    )


def event(**changes):
    return {"event_id": "e", "time": "2025-05-01T00:00:00Z", "properties": {}, **changes}


def entries(count):
    return [{"id": f"a{number}"} for number in range(count)]


@given(MAPS)
def test_only_acceptable_identities_stay_and_each_other_is_counted(identities):
    row, left_out = {"identityMap": identities}, Counter()
    given_count = sum(len(items) if isinstance(items, list) else 1 for items in identities.values())
    leave_out_blocked_identities(row, left_out)
    kept = row.get("identityMap", {})
    assert all(kept.values())
    assert all(
        is_acceptable(item["id"], namespace) for namespace, items in kept.items() for item in items
    )
    assert sum(map(len, kept.values())) + left_out.total() == given_count
    assert complaint_about(row) is None or sum(map(len, kept.values())) > MAX_IDENTITIES


def test_an_identity_that_is_blocked_costs_the_record_nothing_else():
    ids = {"ECID": [{"id": "1" * 37}], "Email": [{"id": "a@b.c"}, {"id": "null"}]}
    mapped = mapper(IDENTITIES)
    assert mapped.map(event(ids=ids))["identityMap"] == {"Email": [{"id": "a@b.c"}]}
    assert mapped.report.identities_left_out == Counter(ECID=1, Email=1)
    assert "identityMap" not in mapped.map(event(ids={"Email": [{"id": "Anonymous"}]}))


@pytest.mark.parametrize("spread", [{"N": MAX_IDENTITIES}, {"N": 15, "M": 5}])
def test_twenty_identities_are_taken_and_one_more_is_not(spread):
    ids = {namespace: entries(count) for namespace, count in spread.items()}
    mapped = mapper(IDENTITIES)
    assert mapped.map(event(ids=ids))["identityMap"] == ids
    with pytest.raises(RejectedRecordError, match="identityMap: 21 identities, more than 20"):
        mapped.map(event(ids={**ids, "Other": entries(1)}))


def test_too_many_identities_of_the_setting_count_too():
    setting = [{"field": f"f{number}", "namespace": "N"} for number in range(21)]
    values = {f"f{number}": f"v{number}" for number in range(21)}
    with pytest.raises(RejectedRecordError, match="21 identities"):
        mapper(identities=setting).map(event(**values))


def test_identities_of_no_known_shape_are_refused():
    with pytest.raises(RejectedRecordError, match="identityMap: not an object"):
        mapper(IDENTITIES).map(event(ids="a@b.c"))


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"event_id": None}, "_id", "required, but the record has no value"),
        ({"event_id": ""}, "_id", "required, but the record has no value"),
        ({"event_id": {"of": 7}}, "_id", "an object does not fit a string field"),
        ({"time": None}, "timestamp", "required, but the record has no value"),
        ({"time": "soon"}, "timestamp", "not a date-time"),
        ({"time": "1969-12-31T23:59:59.999Z"}, "timestamp", "before 1970"),
        ({"time": "2026-01-01T00:10:00.001Z"}, "timestamp", "in the future"),
    ],
)
def test_what_every_event_needs(changes, field, reason):
    with pytest.raises(RejectedRecordError) as rejection:
        mapper().map(event(**changes))
    assert rejection.value.field_path == field
    assert reason in rejection.value.reason


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", (NOW + FUTURE_SKEW).isoformat()])
def test_the_first_and_the_last_moment_are_taken(moment):
    assert mapper(identities=DEFAULT_IDENTITIES).map(event(time=moment))["timestamp"]


def test_a_record_over_10_kb_is_loaded_with_a_warning_and_counted(sandbox):
    padding = "x" * PROFILE_MAX_BYTES
    messages = [
        EVENT_SCHEMA, record(1), record(2, event_name=padding), record(3, event_name=padding),
        state(1),
    ]  # fmt: skip
    outcome = sandbox.run(messages)
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert sandbox.ids() == ["id1", "id2", "id3"]
    assert outcome.log.count("the record id2 has") == 1
    assert "the record id3 has" not in outcome.log
    assert "2 records are over 10 KB" in outcome.log


@pytest.mark.parametrize(("extra", "is_over"), [(0, False), (1, True)])
def test_10_kb_are_10_240_bytes_of_the_row(sandbox, tmp_path, extra, is_over):
    local = {"destination": "local", "local_path": str(tmp_path / "out")}
    bare = {"event_id": "e", "time": "2024-05-18T05:05:48.000Z", "pad": "x"}
    mapping = [
        {"source": "event_id", "destination": "_id"},
        {"source": "time", "destination": "timestamp"},
        {"source": "pad", "destination": "pad"},
    ]
    frame = len(b'{"_id":"e","timestamp":"2024-05-18T05:05:48.000Z","pad":""}')
    bare["pad"] = "x" * (PROFILE_MAX_BYTES - frame + extra)
    message = {"type": "RECORD", "stream": "events", "record": bare}
    outcome = sandbox.run([EVENT_SCHEMA, message, state(1)], mapping=mapping, **local)
    assert outcome.error is None
    (file,) = tmp_path.glob("out/events/*/*.json")
    assert file.stat().st_size == PROFILE_MAX_BYTES + extra + 1
    assert ("over 10 KB" in outcome.log) is is_over


def test_a_record_that_is_taken_back_is_not_counted(sandbox):
    padding = "x" * PROFILE_MAX_BYTES
    messages = [EVENT_SCHEMA, record(1), state(1), record(2, event_name=padding)]
    outcome = sandbox.run(messages)
    assert "1 records came after the last STATE" in str(outcome.error)
    assert "records are over 10 KB" not in outcome.log


def test_an_id_that_comes_twice_is_loaded_once_and_counted(sandbox):
    outcome = sandbox.run([EVENT_SCHEMA, record(1), record(1), record(2), record(1), state(1)])
    assert outcome.error is None
    assert sandbox.ids() == ["id1", "id2"]
    assert "2 records had an _id that their batch had already: loaded once" in outcome.log


def test_rejected_records_are_in_the_dead_letters_with_field_and_reason(sandbox, letters):
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()
    messages = [
        EVENT_SCHEMA, record(1), record(2, time=tomorrow), record(3, time="1969-01-01T00:00:00Z"),
        record(4, event_id=None), state(1),
    ]  # fmt: skip
    sandbox.run(messages, max_rejected_percent=100)
    assert sandbox.ids() == ["id1"]
    found = {(letter["field"], letter["reason"], letter["code"]) for letter in letters()}
    assert found == {
        ("timestamp", "in the future", "LOCAL"),
        ("timestamp", "before 1970", "LOCAL"),
        ("_id", "required, but the record has no value", "LOCAL"),
    }
