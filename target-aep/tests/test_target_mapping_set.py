"""Mapping sets: malformed ones are refused before any record."""

from __future__ import annotations

import pytest
from target_aep.errors import TargetError
from target_aep.mapping_check import complaints_about
from target_aep.mapping_set import load_mapping_set, parse_mapping_set

ONE = [{"source": "a", "destination": "b"}]
REST = {"source": "properties", "fields": "x.fields", "rest": "x.rest"}


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({}, "non-empty list 'mappings'"),
        ([], "non-empty list 'mappings'"),
        ("text", "non-empty list 'mappings'"),
        ([1], "mapping 1: not an object"),
        ([{"destination": "a"}], "mapping 1: 'source' is missing"),
        ([{"source": "a"}], "mapping 1: 'destination' is missing"),
        ([{"source": "a", "destination": "b", "sourceType": "X"}], "unknown sourceType 'X'"),
        ({"mappings": ONE, "remainder": {}}, "'remainder' needs the texts source, fields, rest"),
        ({"mappings": ONE, "remainder": 5}, "'remainder' is not an object"),
        ({"mappings": ONE, "remainder": {**REST, "source": 5}}, "needs the texts source"),
        ({"mappings": ONE, "remainder": {**REST, "columns": [1]}}, "'columns' must give"),
        ({"mappings": ONE, "remainder": {**REST, "columns": {"a": 1}}}, "'columns' must give"),
    ],
)
def test_refuses_malformed_mapping_sets(document, complaint):
    with pytest.raises(TargetError, match=complaint):
        parse_mapping_set(document, "mine.json")


@pytest.mark.parametrize(
    ("document", "complaints"),
    [
        ("mixpanel", []),
        ("adobe-source", []),
        ([*ONE, {"source": "c", "destination": "b"}], []),
        ([{"source": "a[", "destination": "b"}, {"source": "a", "destination": "b["}],
         ["mapping 1: path", "mapping 2: path"]),
        ([{"source": "a", "destination": "b[0]"}], ["positions in lists"]),
        ([{"source": "f(x)", "destination": "b", "sourceType": "EXPRESSION"}], ["expression"]),
        ([*ONE, {"source": "c", "destination": "b.d"}], ["b.d lies below b"]),
        ({"mappings": [{"source": "a", "destination": "x"}], "remainder": REST},
         ["x.fields lies below x", "x.rest lies below x"]),
        ({"mappings": ONE, "remainder": {**REST, "source": "a["}}, ["remainder: path"]),
        ({"mappings": ONE, "remainder": {**REST, "rest": ".a"}}, ["remainder: path"]),
    ],
)  # fmt: skip
def test_every_mistake_of_a_mapping_set_is_found_before_any_record(document, complaints):
    found = complaints_about(load_mapping_set(document))
    assert len(found) == len(complaints)
    assert all(complaint in line for complaint, line in zip(complaints, found, strict=True))
