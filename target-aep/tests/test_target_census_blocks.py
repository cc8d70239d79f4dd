"""The census of properties: the same, whoever has counted which part of the records."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_comparison import LastingPool, assert_same
from target_aep.mapping.counts import MappingCounts
from target_aep.mapping.report import MappingReport
from target_aep.provisioning.property_census import PropertyCensus
from target_messages import EVENT_SCHEMA, record, state
from test_target_record_runs import lines

VALUES = [1, 2**60, True, "a", "7", "2024-05-18", {"k": 1}, {"k": {"odd key": 2}}, [1, "b"], [[]]]


@pytest.fixture(scope="module")
def pool():
    pool = LastingPool(2)
    yield pool
    pool.end_at_last()


def told(census):
    seen = {
        name: (
            census.has_clashed(name),
            {path: dict(n) for path, n in census[name]._counts.items()},
        )
        for name in census
    }
    return seen, census.others


def count(census, block):
    for name, value, is_alone in block:
        if is_alone:
            census.observe(name, value, has_clashed=value is True)
        else:
            census.observe_texts({name: str(value)}, {name: value})


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(VALUES[:-1]), st.booleans()),
            max_size=8,
        ),
        max_size=8,
    ),
    st.integers(1, 9),
    st.lists(st.integers(0, 2), min_size=8, max_size=8),
)
def test_any_split_among_workers_gives_the_census_of_the_whole(blocks, most, who):
    alone, gathered = PropertyCensus(most), PropertyCensus(most)
    workers = {1: PropertyCensus(most), 2: PropertyCensus(most)}
    for block, number in zip(blocks, who, strict=False):
        count(alone, block)
        if number == 0:
            count(gathered, block)
            continue
        count(workers[number], block)
        counts = MappingCounts(MappingReport(), workers[number].take())
        if counts.is_whole:
            gathered.add(pickle.loads(pickle.dumps(counts)).census)  # noqa: S301 - our own
        else:
            count(gathered, block)
    assert told(gathered) == told(alone)


def with_names(number, names):
    message = record(number)
    message["record"]["properties"].update(dict.fromkeys(names, number))
    return message


def names_of(first, count):
    return [f"p{number % 6_000}" for number in range(first, first + count)]


@pytest.mark.parametrize("evolution", ["off", "plan"])
def test_more_names_than_are_told_apart_in_a_run(pool, evolution):
    """They come again when others have taken their place; one record alone has too many, too."""
    messages = [with_names(number, names_of(number * 97, 100)) for number in range(90)]
    messages.insert(70, with_names(500, names_of(700, 6_000)))
    messages += [with_names(600, names_of(5_900, 200)), state(1)]
    seen = assert_same(lines(EVENT_SCHEMA, *messages), pool, schema_evolution=evolution)
    assert [line for line in seen.log if "(other names) (" in line]
    beyond = [line for line in seen.log if "were of properties beyond" in line]
    assert bool(beyond) == (evolution == "plan")


def test_a_report_counts_more_names_than_a_run_tells_apart():
    block = MappingReport(most_names=10)
    block.count_unconverted(*map(str, range(8)))
    taken = block.take()
    assert (len(taken.unconverted_parts), block.most_names) == (8, 10)
    whole = MappingReport(most_names=3)
    whole.add(taken)
    whole.add(taken)
    assert whole.unconverted_parts == {"0": 2, "1": 2, "2": 2, "(other names)": 10}
