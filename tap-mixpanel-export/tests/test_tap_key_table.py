"""The table of keys tells them apart whatever their bytes are, up to the most it is made for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export import duplicates
from tap_mixpanel_export.duplicates import SeenKeys

# Few different beginnings: many keys are looked for from the same place; some are all zeros.
HALVES = st.sampled_from([bytes(8), b"\1" + bytes(7), bytes(7) + b"\1", b"\xff" * 8, b"\0\1" * 4])
keys = st.builds(bytes.__add__, HALVES, HALVES | st.binary(min_size=8, max_size=8))


@given(st.lists(st.lists(keys, max_size=12), max_size=6), st.integers(0, 40))
def test_any_bytes_are_a_key(tmp_path_factory, blocks, in_memory):
    known = set()
    with SeenKeys(tmp_path_factory.getbasetemp(), in_memory) as seen:
        for block in blocks:
            expected = []
            for place, key in enumerate(block):
                if key in known:
                    expected.append(place)
                known.add(key)
            assert seen.repeats_of(b"".join(block)) == expected


@pytest.mark.parametrize("first", [16, 1 << 18])
def test_a_full_table_finds_all_of_them(tmp_path, monkeypatch, first):
    monkeypatch.setattr(duplicates, "_FIRST_TABLE", first)
    numbers = range(5000)
    joined = b"".join(number.to_bytes(16, "little") for number in numbers)
    with SeenKeys(tmp_path, len(numbers)) as seen:
        for begin in range(0, len(joined), 16_000):
            assert seen.repeats_of(joined[begin : begin + 16_000]) == []
        assert seen.repeats_of(joined) == [*numbers]
        seen.clear()
        assert seen.repeats_of(joined) == []
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=30))
def test_memory_is_bounded_however_often_a_key_comes(tmp_path_factory, blocks):
    known = set()
    with SeenKeys(tmp_path_factory.getbasetemp(), 10) as seen:
        for block in blocks:
            joined = b"".join(number.to_bytes(16, "little") for number in block)
            new = [n for place, n in enumerate(block) if n not in {*known, *block[:place]}]
            repeats = seen.repeats_of(joined)
            assert [n for place, n in enumerate(block) if place not in repeats] == new
            known.update(new)
            assert len(seen._keys) == len(known)
            assert len(seen._keys._keys) <= (2 * 10 + 9) * 16
