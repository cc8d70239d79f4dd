"""Blocks are counted and told apart as their events would be, one after the other."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.arrival_sample import ArrivalSample
from tap_mixpanel_export.cores import available_cores
from tap_mixpanel_export.duplicates import SeenKeys
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.framing.framer import Framer
from tap_mixpanel_export.framing.messages import Framing
from tap_mixpanel_export.record_spool import RecordBlock, SpooledBlock, SpoolPart, read_blocks

# Keys of few different bytes: the rest of one is often found across the rests of two others.
keys = st.lists(st.sampled_from(b"ab"), min_size=16, max_size=16).map(bytes)


@given(
    blocks=st.lists(st.lists(keys, max_size=9), max_size=9),
    in_memory=st.integers(0, 30),
)
def test_repeats_are_those_that_a_set_would_find(blocks, in_memory):
    known = set()
    with tempfile.TemporaryDirectory() as folder, SeenKeys(Path(folder), in_memory) as seen:
        for block in blocks:
            expected = []
            for place, key in enumerate(block):
                if key in known:
                    expected.append(place)
                known.add(key)
            assert seen.repeats_of(b"".join(block)) == expected


def test_rests_are_only_found_whole(tmp_path):
    beginning, rest = b"xx", b"abcdefghijklmn"
    with SeenKeys(tmp_path) as seen:
        first, second = beginning + b"1" * 7 + rest[:7], beginning + rest[7:] + b"2" * 7
        assert seen.repeats_of(first + second) == []
        assert seen.repeats_of(beginning + rest) == []
        assert seen.repeats_of(second + beginning + rest + first) == [0, 1, 2]


@given(st.lists(st.integers(0, 3000), max_size=4), st.randoms(use_true_random=False))
def test_a_sample_of_many_is_that_of_one_after_the_other(sizes, chance):
    many, kept, stride, seen = ArrivalSample(), [], 1, 0
    for size in sizes:
        arrivals = [chance.randrange(10**6) for _ in range(size)]
        many.add_all(arrivals)
        for arrival in arrivals:
            if seen % stride == 0:
                kept.append(arrival)
                if len(kept) == 2000:
                    del kept[1::2]
                    stride *= 2
            seen += 1
    assert vars(many) == {"_kept": kept, "_stride": stride, "_seen": seen}


def line(number, name="a", time=0):
    return (
        f'{{"event":"{name}","properties":{{"time":{time},"$insert_id":"i{number}"}}}}\n'.encode()
    )


@given(
    numbers=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    split=st.integers(0, 20),
    is_plain=st.booleans(),
)
def test_records_without_repeats_are_the_first_of_each(numbers, split, is_plain):
    with tempfile.TemporaryDirectory() as folder, SeenKeys(Path(folder)) as seen:
        path = Path(folder) / "body.spool"
        framer, places, lines = Framer(Framing()), [], []
        with path.open("wb") as file:
            part = SpoolPart(file)
            for block in (numbers[:split], numbers[split:]):
                framed = framer.frame(b"".join(map(line, block)))
                lines += framed.payload.splitlines(keepends=True)
                part.keep(framed, is_plain=is_plain)
                places += framed.places
        blocks = [b for b in read_blocks(path, places) if isinstance(b, SpooledBlock)]
        assert b"".join(block.lines for block in blocks) == b"".join(lines)
        fresh = [block.without(seen) for block in blocks]
        first = [each for at, each in enumerate(lines) if numbers[at] not in numbers[:at]]
        assert b"".join(block.lines for block in fresh) == b"".join(first)
        assert sum(block.count for block in fresh) == len(first)


@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize("harm", ["cut", "changed", "removed"])
def test_a_file_that_was_harmed_is_told_of(tmp_path, is_plain, harm):
    path = tmp_path / "body.spool"
    framed = Framer(Framing()).frame(b"".join(map(line, range(9))))
    with path.open("wb") as file:
        SpoolPart(file).keep(framed, is_plain=is_plain)
    content = path.read_bytes()
    if harm == "removed":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if harm == "cut" else content[:20] + b"!" + content[21:])
    with pytest.raises(StorageError, match=r"cannot read .*body\.spool \(.*run again"):
        list(read_blocks(path, framed.places))


def test_late_records_are_counted_by_their_own_time():
    tricky = r"x\",\"time\":\"1960-01-01T00:00:00.000Z"
    text = b"".join(line(n, tricky, time=n * 1000) for n in range(10))
    framed = Framer(Framing()).frame(text)
    block = RecordBlock(10, framed.payload)
    assert block.count_until("1970-01-01T00:00:04.000Z") == 5
    assert [record["event_name"] for record in block.records()] == [tricky.replace("\\", "")] * 10


def test_there_is_a_core():
    assert available_cores() >= 1
