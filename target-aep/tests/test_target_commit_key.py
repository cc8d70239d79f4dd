"""The name of a commit: the same for a repeated run, another for anything else."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.json import deserialize_json
from target_aep.api.batch_ingestion import NewBatch, commit_of
from target_aep.loading.commit_key import CommitKey, Passed, commit_key, content_key, digest_of
from target_aep.loading.commit_progress import CommitProgress
from target_aep.loading.known_commits import KnownCommits
from target_aep.loading.record_sum import MODULUS, record_number

NAMES = st.text(max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
STATES = st.dictionaries(NAMES, VALUES, max_size=4)
COMMITS = st.tuples(NAMES, NAMES, STATES)


def received(value):
    """A value as the target has it: out of a line of JSON."""
    return deserialize_json(json.dumps(value))


def turned(value):
    """The same value with the keys of all objects in another order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


def name_of(dataset, stream, state):
    return commit_key(dataset, stream, received(state))


@given(COMMITS)
def test_the_order_of_the_keys_of_a_state_does_not_matter(commit):
    dataset, stream, state = commit
    assert name_of(dataset, stream, state) == name_of(dataset, stream, turned(state))


@given(COMMITS, COMMITS)
def test_names_are_equal_just_for_equal_commits(one, other):
    is_same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (name_of(*one) == name_of(*other)) is is_same


@given(COMMITS, st.sampled_from(range(3)), NAMES)
def test_another_dataset_stream_or_state_has_another_name(commit, part, more):
    changed = list(commit)
    changed[part] = {**commit[2], "more": [more, commit[2]]} if part == 2 else commit[part] + "x"
    assert name_of(*changed) != name_of(*commit)


def test_a_part_does_not_run_into_the_next_one():
    assert commit_key("ab", "c", {}) != commit_key("a", "bc", {})


def test_a_long_number_of_a_state_is_not_rounded():
    states = [deserialize_json(f'{{"at": 0.1000000000000000000{digit}}}') for digit in "12"]
    assert len({commit_key("d", "s", state) for state in states}) == 2


def test_records_of_other_content_have_another_name():
    keys = [content_key(d, s, c) for d in "de" for s in "st" for c in ([], [b"1"], [b"2"])]
    assert len({key.digest for key in keys}) == len(keys)


def test_equal_content_has_one_name_in_whatever_pieces():
    assert content_key("d", "s", [b"12", b"3"]) == content_key("d", "s", [b"1", b"23"])


def test_a_commit_does_not_pass_itself():
    itself = Passed(commit_key("d", "s", {"at": 1}).short, 7)
    other = Passed(itself.short, 3)
    assert commit_key("d", "s", {"at": 1}, 7, [other, itself]).passes == (other,)


SUMS = st.integers(0, MODULUS - 1)
PARTS = st.lists(SUMS, min_size=1, max_size=6)


def after_parts(parts):
    """The key of a commit of these parts, with a STATE after each."""
    progress = CommitProgress()
    for number, part in enumerate(parts):
        progress.records = (progress.records + part) % MODULUS
        progress.mark(commit_key("d", "s", number).short)
    return commit_key("d", "s", len(parts) - 1, progress.records, progress.passed)


@given(PARTS, st.data())
def test_a_commit_knows_what_lies_within_it_from_wherever_that_begins(parts, data):
    first = data.draw(st.integers(0, len(parts) - 1))
    last = data.draw(st.integers(first, len(parts) - 1))
    within = commit_key("d", "s", last, sum(parts[first : last + 1]) % MODULUS)
    whole = after_parts(parts)
    if last == len(parts) - 1:
        assert whole.ends_with(within.records)
    else:
        assert whole.passes_through(within)
    known = KnownCommits([whole])
    assert within in known or whole in known.around(within)


@given(PARTS, SUMS)
def test_other_records_do_not_lie_within_a_commit(parts, records):
    whole = after_parts(parts)
    sums = [0, *(passed.records for passed in whole.passes)]
    ends = [*sums[1:], whole.records]
    possible = {(end - start) % MODULUS for end in ends for start in sums}
    if records not in possible:
        at = [commit_key("d", "s", number, records) for number in range(len(parts))]
        known = KnownCommits([whole])
        assert not any(key in known or known.around(key) for key in at)
        assert not whole.ends_with(records)


@given(st.lists(st.dictionaries(NAMES, LEAVES, max_size=3), max_size=5), st.randoms())
def test_the_sum_of_records_does_not_depend_on_their_order(records, random):
    sums = []
    for _ in range(2):
        progress = CommitProgress()
        for one in records:
            progress.add(received(one), [])
        sums.append(progress.records)
        random.shuffle(records)
    assert len(set(sums)) == 1


def test_a_record_is_known_by_its_key_where_there_is_one():
    one, other = ({"id": 1, "user": user} for user in "ab")
    assert record_number(one, ["id"]) == record_number(other, ["id"])
    assert record_number(one, []) != record_number(other, [])
    assert record_number({"id": 1}, ["id"]) != record_number({"id": 2}, ["id"])


def test_what_is_taken_back_is_in_the_sum_no_more():
    progress = CommitProgress()
    progress.add({"id": 1}, ["id"])
    progress.mark("a" * 16)
    before = progress.records
    progress.add({"id": 2}, ["id"])
    progress.take_back()
    assert progress.records == before


@given(PARTS)
def test_what_a_batch_tells_of_its_commit_is_read_back(parts):
    key = after_parts(parts)
    document = NewBatch("d", key, 3, 5, "percent").document()
    assert commit_of(document) == key


@pytest.mark.parametrize("tags", [None, [], {"targetAepRecords": "x"}, {"targetAepPasses": [1]}])
def test_tags_of_another_form_tell_nothing(tags):
    key = CommitKey("0" * 32)
    assert commit_of({"externalId": key.external_id(1), "tags": tags}) == key


@given(COMMITS, st.integers(1, 10**6))
def test_the_digest_is_found_again_in_every_attempts_name(commit, attempt):
    key = name_of(*commit)
    external_id = key.external_id(attempt)
    assert re.fullmatch(r"target-aep-[0-9a-f]{32}-\d+", external_id)
    assert digest_of(external_id) == key.digest


def test_attempts_have_names_of_their_own():
    assert len({CommitKey("0" * 32).external_id(attempt) for attempt in range(1, 20)}) == 19


@pytest.mark.parametrize(
    "other",
    [
        None,
        5,
        "",
        "01HZ0000000000000000000000",
        f"target-aep-{'0' * 31}-1",
        f"target-aep-{'0' * 32}",
        f"target-aep-{'0' * 32}-1x",
        f"my-target-aep-{'0' * 32}-1",
    ],
)
def test_the_names_of_others_have_no_digest(other):
    assert digest_of(other) is None
