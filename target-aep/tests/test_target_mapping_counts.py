"""Counts of mappers in several processes, put together as one mapper would have them."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_records import generated_records
from target_aep.data_prep.policies import Policies
from target_aep.mapping.identities import DEFAULT_IDENTITIES, parse_identities
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.provisioning.property_census import PropertyCensus
from target_aep.xdm.schema import parse_schema

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
TEXT = {"type": "string"}
MAP = {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}
SCHEMA = {
    "type": "object",
    "properties": {
        "_id": TEXT,
        "timestamp": {"type": "string", "format": "date-time"},
        "identityMap": {**MAP, "additionalProperties": {"type": "array", "items": MAP}},
        "environment": {
            "type": "object",
            "properties": {"carrier": {"type": "string", "maxLength": 3}},
        },
        "_acme": {
            "type": "object",
            "properties": {
                "mixpanel": {
                    "type": "object",
                    "properties": {
                        "otherProperties": MAP,
                        "properties": {
                            "type": "object",
                            "properties": {
                                "quantity": {"type": "integer"},
                                "plan": {"type": "boolean"},
                                "SourceAmount": TEXT,
                            },
                        },
                    },
                }
            },
        },
    },
}


def mapper_of(census, mapping_set=None, schema=None):
    return RecordMapper(
        mapping_set or load_mapping_set("mixpanel").for_tenant("acme"),
        schema or parse_schema(SCHEMA),
        parse_identities([*DEFAULT_IDENTITIES, {"field": "currency", "namespace": "ECID"}]),
        lambda: NOW,
        census=census,
    )


def map_all(mapper, events):
    for event in events:
        try:
            mapper.map(event)
        except RejectedRecordError:
            continue


def odd_records():
    """Those of the generator, some with keys that no map can have, some with many parts."""
    odd = [
        {"": 1, "a\ud800": "x", "carrier": "long", "$carrier": "too long"},
        {"parts": {f"p{number}": number for number in range(150)}},
        {"parts": {f"q{number}": [number] for number in range(150)}},
        {"odd": {"no name": 1, "deep": [[[[[[1]]]]]]}},
    ]
    plain = generated_records(120)
    return [
        {
            **event,
            "properties": {**event["properties"], **(odd[index % 4] if index % 7 == 0 else {})},
        }
        for index, event in enumerate(plain)
    ]


RECORDS = odd_records()


def told(mapper, census):
    report = mapper.report
    seen = [(name, census.has_clashed(name), sorted_counts(census[name])) for name in census]
    return [*report.lines()], report.map_line(), report.unconverted, seen, census.others


def sorted_counts(seen):
    return sorted((path, sorted(counts.items())) for path, counts in seen._counts.items())


@settings(max_examples=30)
@given(st.lists(st.integers(0, len(RECORDS)), max_size=6).map(sorted), st.sampled_from([3, 5_000]))
def test_blocks_of_records_add_up_to_what_one_mapper_counts(cuts, most_names):
    census = PropertyCensus(most_names)
    alone = mapper_of(census)
    map_all(alone, RECORDS)

    gathered = PropertyCensus(most_names)
    main, worker = mapper_of(gathered), mapper_of(PropertyCensus())
    for begin, end in zip([0, *cuts], [*cuts, len(RECORDS)], strict=True):
        map_all(worker, RECORDS[begin:end])
        main.add_counts(pickle.loads(pickle.dumps(worker.take_counts())))  # noqa: S301 - our own
    assert told(main, gathered) == told(alone, census)


def test_what_was_taken_is_not_taken_again():
    mapper = mapper_of(PropertyCensus())
    map_all(mapper, RECORDS)
    taken = mapper.take_counts()
    assert taken.report.in_map
    assert list(taken.census)
    again = mapper.take_counts()
    assert not [*again.report.lines()]
    assert not again.report.in_map
    assert not list(again.census)
    map_all(mapper, RECORDS)
    assert mapper.take_counts().report == taken.report


def test_without_a_census_there_are_counts_all_the_same():
    mapper = mapper_of(None)
    map_all(mapper, RECORDS[:5])
    counts = mapper.take_counts()
    assert counts.census is None
    other = mapper_of(PropertyCensus())
    other.add_counts(counts)
    assert other.report.in_map == counts.report.in_map


def test_all_that_a_mapper_is_made_of_can_be_sent_to_a_process():
    for name in ("mixpanel", "adobe-source"):
        mapping_set = load_mapping_set(name).for_tenant("acme")
        parts = (mapping_set, parse_schema(SCHEMA), Policies(null_in_arithmetic="zero"))
        assert pickle.loads(pickle.dumps(parts)) == parts  # noqa: S301 - our own
    pattern = parse_schema({"type": "object", "properties": {"a": {**TEXT, "pattern": "^a+$"}}})
    assert pickle.loads(pickle.dumps(pattern)) == pattern  # noqa: S301 - our own
