"""Rows on disk: each `_id` once, with its record, and what is not covered by a STATE taken back."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.errors import TargetError
from target_aep.loading import record_copies
from target_aep.loading.mapped_block import MappedBlock, Rejection
from target_aep.loading.seen_ids import SeenIds, id_digest
from target_aep.loading.spool import BatchSpool

TEXTS = st.text(max_size=6)


def row(identifier, size=0):
    return {"_id": identifier, "filler": "x" * size}


def source(identifier):
    return {"event_id": identifier, "deep": {"n": 2**60, "t": "ü\n"}}


def fill(spool, identifiers, size=0):
    for identifier in identifiers:
        spool.add_row(row(identifier, size), source(identifier))


def ids_in(spool):
    return [
        json.loads(line)["_id"] for file in spool.files for line in file.read_bytes().splitlines()
    ]


@pytest.fixture
def spool(tmp_path):
    spool = BatchSpool(tmp_path / "spool", "events", 200)
    yield spool
    spool.remove()


def test_rows_come_in_files_under_their_size(spool):
    fill(spool, "abcdefghij", size=40)
    spool.finish()
    assert [file.name for file in spool.files] == [f"events-{n:05d}.json" for n in range(1, 5)]
    assert all(0 < file.stat().st_size <= 200 for file in spool.files)
    assert ids_in(spool) == list("abcdefghij")
    assert spool.total_bytes == sum(file.stat().st_size for file in spool.files)


def test_a_row_larger_than_a_file_may_be_is_an_error_that_names_the_setting(spool):
    with pytest.raises(TargetError, match=r"the record big has .* file_max_bytes"):
        fill(spool, ["big"], size=500)


def test_a_repeated_id_is_left_out_and_counted(spool):
    fill(spool, "abacab")
    spool.finish()
    assert ids_in(spool) == ["a", "b", "c"]
    assert (spool.rows, spool.repeated) == (3, 3)
    assert len(spool.records_of({"a", "b", "c"})) == 3


def test_rows_without_an_id_that_is_a_text_are_all_kept(spool):
    for _ in range(2):
        spool.add_row({"x": 1}, {})
        spool.add_row({"_id": 5}, {})
    spool.finish()
    assert (spool.rows, spool.repeated) == (4, 0)


@given(st.lists(TEXTS, unique=True, max_size=8), st.sets(TEXTS, max_size=4))
def test_the_records_of_rows_are_found_by_any_id(identifiers, others):
    with TemporaryDirectory() as folder:
        spool = BatchSpool(Path(folder) / "spool", "events", 10_000)
        fill(spool, identifiers)
        spool.finish()
        wanted = set(identifiers[::2]) | (others - set(identifiers))
        found = spool.records_of(wanted)
        assert found == {identifier: source(identifier) for identifier in identifiers[::2]}


def test_nothing_is_found_where_nothing_is_kept(spool):
    assert spool.records_of({"a"}) == {}
    fill(spool, "a")
    spool.finish()
    assert spool.records_of(set()) == {}


def test_rows_that_are_set_aside_are_taken_out_of_their_files(spool):
    fill(spool, "abcdefgh", size=40)
    spool.finish()
    assert spool.set_aside({"b", "h", "g", "unknown"}) == 3
    assert spool.rows == 5
    assert ids_in(spool) == list("acdef")
    assert spool.set_aside({"b"}) == 0
    assert spool.set_aside(()) == 0
    assert set(spool.records_of({"b", "h"})) == {"b", "h"}


def test_a_file_without_any_row_left_is_no_file_of_the_batch(spool):
    fill(spool, "abcdef", size=40)
    spool.finish()
    assert spool.set_aside(set("abc")) == 3
    assert [file.name for file in spool.files] == ["events-00002.json"]
    assert spool.set_aside(set("def")) == 3
    assert spool.files == []
    assert spool.rows == 0


SIZES = st.integers(0, 90)
ROWS = st.lists(st.tuples(st.sampled_from("rx"), SIZES), max_size=12)


@given(ROWS, ROWS)
def test_what_came_after_the_mark_is_taken_back(before, after):
    with TemporaryDirectory() as folder:
        spool = BatchSpool(Path(folder) / "spool", "events", 200)
        add_numbered(spool, before, "b")
        if before:  # else nothing is covered, as without any STATE
            spool.set_mark()
        add_numbered(spool, after, "a")
        assert spool.unmarked == len(after)
        assert spool.take_back() == len(after)
        rows = [f"b{n}" for n, (kind, _) in enumerate(before) if kind == "r"]
        assert ids_in(spool) == rows
        assert (spool.rows, spool.rejected) == (len(rows), len(before) - len(rows))
        assert len(list(spool.letters())) == spool.rejected
        assert spool.records_of(set(rows)) == {name: source(name) for name in rows}
        assert spool.unmarked == 0


def add_numbered(spool, kinds, prefix):
    for number, (kind, size) in enumerate(kinds):
        if kind == "r":
            fill(spool, [f"{prefix}{number}"], size)
        else:
            spool.add_rejected({"reason": "y" * size})


def test_a_repeated_record_after_the_mark_is_none_that_is_taken_back(spool):
    fill(spool, "ab")
    spool.set_mark()
    fill(spool, "ba")
    assert spool.unmarked == 0
    assert spool.take_back() == 0
    assert ids_in(spool) == ["a", "b"]


def test_removed_it_leaves_nothing(spool, tmp_path):
    fill(spool, "abc")
    spool.add_rejected({"reason": "why"})
    spool.remove()
    spool.remove()
    assert list(tmp_path.iterdir()) == []


def add(seen, identifier):
    return not seen.add_all([id_digest(identifier)])


@given(st.lists(TEXTS | st.sampled_from(["\ud83d", "\udc00", "\ud83d\ude00"])), st.integers(0, 4))
def test_ids_are_known_like_those_of_a_set_whatever_fits_into_memory(identifiers, in_memory):
    with TemporaryDirectory() as folder:
        seen, plain = SeenIds(Path(folder) / "seen.sqlite", in_memory), set()
        for identifier in identifiers:
            assert add(seen, identifier) is (identifier not in plain)
            plain.add(identifier)
            assert len(seen._ids) <= in_memory
        seen.close()


def test_ids_beyond_the_bound_are_in_a_file(tmp_path):
    path = tmp_path / "seen.sqlite"
    seen = SeenIds(path, in_memory=100)
    assert all(add(seen, str(number)) for number in range(100))
    assert not path.exists()
    assert all(add(seen, str(number)) for number in range(100, 1000))
    assert path.exists()
    assert len(seen._ids) == 100
    assert not any(add(seen, str(number)) for number in range(1000))
    seen.close()


def test_a_file_of_ids_that_can_not_be_made_is_an_error_that_names_the_disk(tmp_path):
    seen = SeenIds(tmp_path / "nowhere" / "seen.sqlite", in_memory=0)
    with pytest.raises(TargetError, match="can't write the spool"):
        add(seen, "a")


def block_of(identifiers, **changes):
    rows = [b'{"_id":"%b"}\n' % identifier.encode() for identifier in identifiers]
    ends = [sum(map(len, rows[: place + 1])) for place in range(len(rows))]
    digests = [id_digest(identifier) for identifier in identifiers]
    ids = [*identifiers]
    block = MappedBlock(len(ids), bytearray(b"".join(rows)), ends, ids, digests)
    return replace(block, **changes)


def messages_of(identifiers):
    return [
        json.dumps({"type": "RECORD", "record": {"is": identifier, "_sdc_sequence": 1}}).encode()
        for identifier in identifiers
    ]


@given(st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=6), max_size=6))
def test_blocks_give_what_their_rows_give_one_by_one(blocks):
    with TemporaryDirectory() as folder:
        spools = [BatchSpool(Path(folder) / name, "events", 40) for name in ("one", "other")]
        repeated = 0
        for identifiers in blocks:
            left_out = spools[0].add_block(block_of(identifiers), messages_of(identifiers))
            repeated += len(left_out)
            for identifier in identifiers:
                spools[1].add_row({"_id": identifier}, {"is": identifier})
        for spool in spools:
            spool.finish()
        found = [
            (
                spool.rows,
                spool.repeated,
                spool.total_bytes,
                [file.read_bytes() for file in spool.files],
                [*spool.records()],
                spool.records_of(set("abcxyz")),
            )
            for spool in spools
        ]
        assert found[0] == found[1]
        assert repeated == found[0][1]


def test_lines_without_a_row_and_lines_that_are_spelled_anew_are_kept_so(spool):
    block = block_of(
        "ac",
        taken=3,
        rejected=[Rejection(1, None, "why")],
        respelled={2: b'{"record":{"is":"C"}}'},
    )
    assert spool.add_block(block, messages_of("abc")) == []
    spool.finish()
    assert [*spool.records()] == [("a", {"is": "a"}), ("c", {"is": "C"})]


def test_many_records_are_kept_in_their_order(spool):
    for start in range(0, 3000, 100):
        names = [f"n{number}" for number in range(start, start + 100)]
        lines = [
            json.dumps({"record": {"is": name, "random": os.urandom(200).hex()}}).encode()
            for name in names
        ]
        spool.add_block(block_of(names), lines)
    spool.finish()
    assert [record["is"] for _, record in spool.records()] == [f"n{n}" for n in range(3000)]


def test_records_that_can_not_be_kept_are_an_error_that_names_the_disk(spool, monkeypatch):
    monkeypatch.setattr(record_copies.isal_zlib, "compressobj", full_disk)
    spool.add_block(block_of("a"), messages_of("a"))
    with pytest.raises(TargetError, match="can't write the spool"):
        spool.finish()


def full_disk(*_):
    raise OSError(28, "No space left on device")
