"""Records that came twice, once rejected and once taken: their letters say that they are in."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from singer_sdk.singerlib.json import serialize_json
from target_aep.loading import spool as spools
from target_aep.loading.seen_ids import SeenIds, id_digest
from target_aep.loading.spool import BatchSpool
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.target import TargetAEP
from target_messages import EVENT_SCHEMA, record, state

BEFORE = datetime(2023, 1, 1, tzinfo=timezone.utc)
AFTER = datetime(2025, 1, 1, tzinfo=timezone.utc)
AT = {"time": "2024-05-18T05:05:48.000Z"}
TIMESTAMP = {"source": "time", "destination": "timestamp"}
BY_COLUMN = [{"source": "event_id", "destination": "_id"}, TIMESTAMP]
BY_PROPERTY = [{"source": "properties.plan", "destination": "_id"}, TIMESTAMP]
BY_EXPRESSION = [
    {"sourceType": "EXPRESSION", "source": "lower(event_id)", "destination": "_id"},
    TIMESTAMP,
]


class Clock(TargetAEP):
    """A target whose clock is set by what is read."""

    moment = AFTER

    @staticmethod
    def now():
        return Clock.moment


@pytest.fixture
def load(tmp_path):
    def load(*messages, **config):
        """Load messages; a moment among them is the time from then on. Rows and letters."""
        config |= {"destination": "local", "local_path": f"{tmp_path}/out"}
        config |= {"dead_letter_path": f"{tmp_path}/letters", "max_rejected_percent": 100}
        config["run_summary_path"] = f"{tmp_path}/summary.json"
        Clock(config=config).listen(lines(messages))
        return [
            [json.loads(line) for path in tmp_path.glob(files) for line in lines_of(path)]
            for files in ("out/events/*/*.json", "letters/*")
        ]

    return load


def lines(messages):
    for message in messages:
        if isinstance(message, datetime):
            Clock.moment = message
        else:
            yield serialize_json(message).encode() + b"\n"


def lines_of(path):
    return path.read_bytes().splitlines()


def no_pass(*_):
    raise AssertionError("all records were read again")


@pytest.mark.parametrize("mapping", ["mixpanel", BY_COLUMN, BY_PROPERTY, BY_EXPRESSION])
def test_a_record_that_was_taken_later_is_marked(load, mapping):
    twice = record(1, **AT)
    rows, (letter,) = load(
        EVENT_SCHEMA, BEFORE, twice, AFTER, twice, record(2, **AT), state(1), mapping=mapping
    )
    assert letter["record"] == twice["record"]
    assert letter["retried"]["_id"] in {row["_id"] for row in rows}


@pytest.mark.parametrize("mapping", ["mixpanel", BY_COLUMN])
def test_where_no_row_can_be_of_a_rejected_record_none_is_read_again(load, mapping, monkeypatch):
    monkeypatch.setattr(BatchSpool, "records", no_pass)
    messages = [EVENT_SCHEMA, BEFORE, record(1, **AT), AFTER, record(2, **AT), state(1)]
    rows, (letter,) = load(*messages, mapping=mapping)
    assert len(rows) == 1
    assert "retried" not in letter


@pytest.mark.parametrize("mapping", [BY_PROPERTY, BY_EXPRESSION])
def test_where_the_id_can_not_be_told_all_are_read(load, mapping, monkeypatch):
    monkeypatch.setattr(BatchSpool, "records", no_pass)
    messages = [EVENT_SCHEMA, BEFORE, record(1, **AT), AFTER, record(2, **AT), state(1)]
    with pytest.raises(AssertionError, match="read again"):
        load(*messages, mapping=mapping)


def test_another_record_with_the_same_id_marks_nothing(load):
    other = record(1, event_name="another", **AT)
    rows, (letter,) = load(EVENT_SCHEMA, BEFORE, record(1, **AT), AFTER, other, state(1))
    assert len(rows) == 1
    assert "retried" not in letter


def taking(number):
    """A mapping that rejects all records but one."""
    source = f"iif(event_id == 'id{number}', time, null)"
    return [BY_COLUMN[0], {**TIMESTAMP, "sourceType": "EXPRESSION", "source": source}]


def test_a_letter_of_an_earlier_run_is_marked_though_this_one_rejects_another(load):
    messages = [EVENT_SCHEMA, AFTER, record(1, **AT), record(2, **AT), state(1)]
    rows, letters = load(*messages, mapping=taking(9))
    assert (len(rows), len(letters)) == (0, 2)
    rows, letters = load(*messages, mapping=taking(1))
    assert [row["_id"] for row in rows] == ["id1"]
    marked = {letter["record"]["event_id"]: "retried" in letter for letter in letters}
    assert marked == {"id1": True, "id2": False}


@pytest.mark.parametrize(
    ("mapping", "identifier"), [(BY_COLUMN, "id1"), (BY_PROPERTY, None), (BY_EXPRESSION, None)]
)
def test_a_rejection_tells_the_id_that_equal_records_share(mapping, identifier):
    mapper = RecordMapper(load_mapping_set(mapping).for_tenant("t"), None, (), lambda: BEFORE)
    with pytest.raises(RejectedRecordError, match="in the future") as rejection:
        mapper.map(record(1, **AT)["record"])
    assert rejection.value.identifier == identifier


@pytest.mark.parametrize("in_memory", [0, 1, 10])
def test_seen_ids_tell_whether_they_hold_one_of_some(tmp_path, in_memory):
    seen = SeenIds(tmp_path / "seen", in_memory)
    assert not seen.holds_any([id_digest("a")])
    seen.add_all([id_digest("a"), None, id_digest("b")])
    assert seen.holds_any([id_digest("c"), id_digest("a")])
    assert seen.holds_any([id_digest("b")])
    assert not seen.holds_any([id_digest("c"), id_digest("d")])
    assert not seen.holds_any([])
    seen.close()


@pytest.mark.parametrize(
    ("rejected", "expected"), [([], False), (["b"], False), (["a"], True), ([None], True)]
)
def test_a_spool_tells_whether_a_row_may_be_of_a_rejected_record(tmp_path, rejected, expected):
    spool = BatchSpool(tmp_path / "spool", "events", 200)
    for identifier in rejected:
        spool.add_rejected({"reason": "why"}, identifier)
    spool.add_row({"_id": "a"}, {})
    for _ in range(2):
        spool.finish()
        assert spool.may_hold_rejected is expected


def test_of_very_many_rejected_records_it_is_not_told(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "_MOST_REJECTED_IDS", 2)
    spool = BatchSpool(tmp_path / "spool", "events", 200)
    for identifier in "abc":
        spool.add_rejected({"reason": "why"}, identifier)
    spool.finish()
    assert spool.may_hold_rejected
