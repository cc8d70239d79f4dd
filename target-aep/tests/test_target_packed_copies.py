"""Copies of records that a worker has compressed, among those that are compressed here."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.errors import DiskError
from target_aep.loading import record_copies
from target_aep.loading.record_copies import RecordCopies, pack
from target_aep.target import TargetAEP
from target_aep.workers import worker
from target_messages import EVENT_SCHEMA, record

IDENTIFIERS = st.text(max_size=3) | st.none() | st.integers(0, 9)
PIECES = st.lists(
    st.tuples(st.booleans(), st.lists(st.tuples(IDENTIFIERS, st.booleans()), min_size=1)),
    max_size=8,
)


def line_of(identifier, number):
    return json.dumps({"record": {"is": identifier, "number": number}}).encode()


@given(PIECES, st.sampled_from([1, 100, 1 << 18]))
def test_what_is_not_left_out_is_read_in_its_order(pieces, at_once):
    expected = []
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_copies, "_AT_ONCE", at_once)
        copies = RecordCopies(Path(folder) / "records.jsonl.gz")
        for number, (is_packed, entries) in enumerate(pieces):
            identifiers = [identifier for identifier, _ in entries]
            lines = [line_of(identifier, number) for identifier in identifiers]
            without = [place for place, (_, is_kept) in enumerate(entries) if not is_kept]
            if is_packed:
                copies.add_packed(pack(identifiers, b"\n".join(lines)), without)
            else:
                copies.add(identifiers, lines, without)
            expected += [
                (identifier, line)
                for place, (identifier, line) in enumerate(zip(identifiers, lines, strict=True))
                if place not in without
            ]
        copies.finish()
        assert [(identifier, line.rstrip()) for identifier, line in copies.read()] == expected


def test_packed_copies_that_can_not_be_written_are_an_error_that_names_the_disk(tmp_path):
    copies = RecordCopies(tmp_path / "no folder" / "records.jsonl.gz")
    copies.add_packed(pack(["a"], b"{}"))
    with pytest.raises(DiskError, match="can't write the spool"):
        copies.finish()


def test_a_worker_packs_the_records_of_its_rows_and_no_others(tmp_path):
    target = TargetAEP(config={"destination": "local"})
    sink = target.get_sink("events", schema=EVENT_SCHEMA["schema"], key_properties=["event_id"])
    assignment = sink.assignment("events")
    mapper = assignment.mapper()
    lines = [
        json.dumps({**record(1), "stream": "events"}).encode(),
        json.dumps({**record(2, time="2924-05-18T05:05:48.000Z"), "stream": "events"}).encode(),
        json.dumps({**record(3), "stream": "events"}).encode(),
        b"nothing",
        json.dumps({**record(4), "stream": "events"}).encode(),
    ]
    answer = worker._answer((mapper, assignment.block_mapper(mapper)), b"\n".join(lines))
    block = pickle.loads(answer)  # noqa: S301 - of this test
    assert (block.taken, len(block.ids)) == (3, 2)
    assert [(rejection.line, rejection.identifier) for rejection in block.rejected] == [(1, "id2")]
    copies = RecordCopies(tmp_path / "records.jsonl.gz")
    copies.add_packed(block.copies)
    copies.finish()
    assert [*copies.read()] == [("id1", lines[0] + b"\n"), ("id3", lines[2] + b"\n")]
