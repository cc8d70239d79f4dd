"""Mapping sets: malformed ones are refused before any record."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest
from target_aep.errors import TargetError
from target_aep.mapping.generations import parse_mapping_set
from target_aep.mapping.identities import DEFAULT_IDENTITIES
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.mistakes import complaints_about

STATIC = {"source": "a", "destination": "b", "sourceType": "STATIC"}
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
        ([{"source": "a", "destination": "b", "replaces": 1}], "'replaces' must be true or false"),
        ([{"source": 5, "destination": "b"}], "mapping 1: 'source' must be a text, in quotes"),
        ([{"source": "a", "destination": ["b"]}], "'destination' must be a text, in quotes"),
        ([{"source": "a", "destination": "b", "sourceType": {}}, 1], "mapping 2: not an object"),
        ({"mappings": ONE, "missingFields": "warn"}, "'missingFields' must be error or leave_out"),
        ({"mappings": ONE, "identities": {}}, "'identities' must be a list of objects"),
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
        ([*ONE, {"source": "c", "destination": "b.d"}], []),
        ([{"source": "a[", "destination": "b"}, {"source": "a", "destination": "b["}],
         ["mapping 1: path", "mapping 2: path"]),
        ([{"source": "a[", "destination": "b["}], ["mapping 1: path", "mapping 1: path"]),
        ([{"source": "a", "destination": "b[10000]"}], ["mapping 1: destination 'b[10000]'"]),
        ([{"source": "a", "destination": "_${ORG}.b"}], ["'_${ORG}' has a placeholder without"]),
        ([{"source": "nosuch(x)", "destination": "b", "sourceType": "EXPRESSION"}],
         ["mapping 1: "]),
        ([STATIC, {"source": "c", "destination": "b.d"}],
         ["b.d lies below b, which is the destination of mapping 1, which gives no object"]),
        ([{"source": "c", "destination": "b.d"}, STATIC], ["mapping 1: destination b.d lies"]),
        ([*ONE, {"source": "c[*].x", "destination": "b[*].y"}],
         ["whole: map its elements instead, as b[*]"]),
        ([{"source": "a", "destination": "b.c"}, {"source": "a", "destination": "b[0].c"}],
         ["mapping 2: destination b[0].c takes b for a list, mapping 1 takes it for an object"]),
        ({"mappings": [{"source": "a", "destination": "x"}], "remainder": REST}, []),
        ({"mappings": [{**STATIC, "destination": "x"}], "remainder": REST},
         ["x.fields.… lies below x", "x.rest.… lies below x"]),
        ({"mappings": [{"source": "a", "destination": "x[0]"}], "remainder": REST},
         ["takes x for an object", "takes x for an object"]),
        ({"mappings": ONE, "remainder": {**REST, "source": "a["}}, ["remainder: path"]),
        ({"mappings": ONE, "remainder": {**REST, "rest": ".a"}}, ["remainder: path"]),
        ({"mappings": ONE, "remainder": {**REST, "rest": "a[0]"}}, ["must be an object"]),
    ],
)  # fmt: skip
def test_every_mistake_of_a_mapping_set_is_found_before_any_record(document, complaints):
    found = complaints_about(load_mapping_set(document))
    assert len(found) == len(complaints), found
    assert all(complaint in line for complaint, line in zip(complaints, found, strict=True)), found


@pytest.mark.parametrize("setting", ["no\0file", "x" * 5000, "."])
def test_what_can_be_no_file_is_refused(setting):
    with pytest.raises(TargetError, match="can't read the file"):
        load_mapping_set(setting)


def test_a_copy_of_a_built_in_set_is_the_same(tmp_path):
    package = resources.files("target_aep") / "mappings" / "mixpanel.json"
    (tmp_path / "mine.json").write_text(package.read_text("utf-8"), "utf-8-sig")
    copied = load_mapping_set(str(tmp_path / "mine.json"))
    assert replace(copied, name="mixpanel") == load_mapping_set("mixpanel")
    assert copied.identities == DEFAULT_IDENTITIES
    assert copied.missing_fields == "leave_out"
