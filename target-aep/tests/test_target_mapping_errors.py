"""What does not go with the dataset's schema is told before any record, all of it."""

from __future__ import annotations

import pytest
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.mistakes import complaints_about
from target_aep.mapping.model import MappingMistakesError
from target_aep.mapping.nearest_paths import nearest_path
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}


def thing(**properties):
    return {"type": "object", "properties": properties}


SCHEMA = parse_schema(
    thing(
        _id=TEXT,
        timestamp={"type": "string", "format": "date-time"},
        environment=thing(browserDetails=thing(name=TEXT, version=TEXT)),
        kind={"type": "string", "enum": ["web", "app"]},
        active={"type": "boolean"},
        count={"type": "integer"},
        lines={"type": "array", "items": thing(sku=TEXT)},
        tags={"type": "array", "items": TEXT},
        attributes={"type": "object", "additionalProperties": TEXT, "meta:xdmType": "map"},
    )
)


def mistakes(*mappings, **more):
    try:
        RecordMapper(load_mapping_set({"mappings": list(mappings), **more}), SCHEMA)
    except MappingMistakesError as error:
        return list(error.complaints)
    return []


def to(destination, source="a", source_type="ATTRIBUTE"):
    return {"source": source, "destination": destination, "sourceType": source_type}


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        (to("environment.browserDetail.name"),
         "browserDetail.name: the schema has no such field; the nearest is environment.browserDet"),
        (to("browserDetails.version"), "the nearest is environment.browserDetails.version"),
        (to("environment.browserDetails.Name"), "the nearest is environment.browserDetails.name"),
        (to("qqq"), "destination qqq: the schema has no such field"),
        (to("_id.x"), "destination _id.x lies below _id, which is a field of type string"),
        (to("lines.sku"), "write lines[*].sku for each of its elements, or lines[0].sku for"),
        (to("lines[*].code"), "the schema has no such field; the nearest is lines[*].sku"),
        (to("environment[0].x"), "environment is an object in the schema, not a list"),
        (to("count[0]"), "count[0] lies below count, which is a field of type integer"),
        (to("kind", "tv", "STATIC"), "the constant 'tv' does not fit the field kind: not one of"),
        (to("timestamp", "soon", "STATIC"), "the constant 'soon' does not fit the field timestamp"),
        (to("tags", "x", "STATIC"), "tags is a field of type array, which can't be made of a text"),
        (to("count", "a == b", "EXPRESSION"), "of type integer, which can't be made of a boolean"),
        (to("active", "1 + 2", "EXPRESSION"), "field of type boolean, which can't be made of a"),
        (to("_id", "[1, 2]", "EXPRESSION"), "of type string, which can't be made of an array"),
        (to("_id", "lines[*].x"), "_id is a field of type string, which can't be made of an array"),
        (to("lines", "now()", "EXPRESSION"), "field of type array, which can't be made of a date"),
        (to("lines[*].sku", "K", "STATIC"),
         "lines[*].sku: no mapping makes elements of lines; give a position, as lines[0].sku, or"),
        (to("tags[*]", "upper(a)", "EXPRESSION"), "elements of tags; give a position, as tags[0],"),
        (to("_id", "uper(a)", "EXPRESSION"), "upper"),
        (to("_id", "upper(a", "EXPRESSION"), "at character"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_helps(mapping, complaint):
    (line,) = mistakes(mapping)
    assert line.startswith("mapping set inline, mapping 1: ")
    assert complaint in line


@pytest.mark.parametrize(
    "mapping",
    [
        to("environment"),
        to("environment.browserDetails.name", "upper(a)", "EXPRESSION"),
        to("lines[*].sku", "a[*].b"),
        to("lines[0].sku"),
        to("tags", "a[*].b"),
        to("tags[*]"),
        to("lines[*].sku", 'split("a b", " ")', "EXPRESSION"),
        to("tags[0]", "x", "STATIC"),
        to("attributes.anything", "x", "STATIC"),
        to("kind", "web", "STATIC"),
        to("count", "2020-01-01T00:00:00Z", "STATIC"),
        to("timestamp", "now()", "EXPRESSION"),
        to("count", "now()", "EXPRESSION"),
    ],
)
def test_what_may_fit_is_no_mistake(mapping):
    assert mistakes(mapping) == []


@pytest.mark.parametrize(
    ("maker", "is_one"),
    [
        (to("a[*].x", "b[*].c"), True),
        (to("a[3].x", "b"), True),
        (to("a[*].x", "b"), True),
        (to("a[*].x", 'split("a b", " ")', "EXPRESSION"), True),
        (to("a[*].x", "upper(b)", "EXPRESSION"), False),
        (to("c[*].x", "b[*].c"), False),
        (to("a[*].x[*].y", "b"), False),
    ],
)
def test_a_constant_for_each_element_needs_a_mapping_that_makes_elements(maker, is_one):
    complaints = complaints_about(load_mapping_set([to("a[*].k", "K", "STATIC"), maker]))
    assert any("mapping 1:" in complaint for complaint in complaints) is not is_one


def test_all_mistakes_are_told_at_once():
    lines = mistakes(to("x"), to("_id"), to("count", "[]", "EXPRESSION"), to("kind", "a["))
    assert [line.split(":")[0] for line in lines] == [
        "mapping set inline, mapping 1",
        "mapping set inline, mapping 3",
        "mapping set inline, mapping 4",
    ]


def test_a_set_may_say_that_missing_fields_are_left_out():
    document = {
        "mappings": [to("_id", "id"), to("x.y"), to("lines.sku", "b")],
        "missingFields": "leave_out",
    }
    mapper = RecordMapper(load_mapping_set(document), SCHEMA)
    assert mapper.missing_fields == ["lines.sku", "x.y"]
    assert mapper.map({"id": 1, "a": 2, "b": None}) == {"_id": "1"}
    assert mapper.report.left_out == {"x.y": 1}


def test_a_large_schema_is_searched_in_a_moment():
    wide = {f"field{number}": TEXT for number in range(300)}
    schema = parse_schema(thing(**{f"group{number}": thing(**wide) for number in range(100)}))
    assert nearest_path("group7.feild12", schema) == "group7.field12"
