"""What stands for an `_id`: the same alone and among others, and another for another."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from target_aep.loading.seen_ids import SeenIds, id_digest, id_digests

HEX = st.text("0123456789abcdefABCDEF", min_size=32, max_size=32)
IDENTIFIERS = (
    HEX | HEX.map(str.lower) | st.text(max_size=34) | st.sampled_from(["\ud83d", " " * 32])
)


@given(st.lists(IDENTIFIERS | st.none() | st.integers()))
@example(["0" * 31, "0" * 33])
@example(["0" * 30 + " 0", "0" * 32])
def test_all_at_once_are_what_each_is(identifiers):
    digests = id_digests(identifiers)
    texts = [each if isinstance(each, str) else None for each in identifiers]
    assert digests == [None if each is None else id_digest(each) for each in texts]
    assert len(set(digests)) == len(set(texts))
    assert {len(digest) for digest in digests if digest} <= {16}


def test_numbers_that_follow_each_other_are_spread_and_told_apart(tmp_path):
    seen = SeenIds(tmp_path / "seen.sqlite")
    identifiers = [f"{number:032x}" for number in range(20_000)]
    assert seen.add_all(id_digests(identifiers)) == []
    assert max(len(each or b"") for each in seen._ids._lists) < 50 * 16
    assert seen.add_all(id_digests(identifiers[::7])) == [*range(len(identifiers[::7]))]
    seen.close()
