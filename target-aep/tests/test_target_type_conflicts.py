"""Differences between what a mapping gives and what a schema in use has."""

from __future__ import annotations

import pytest
from target_aep.provisioning.type_conflicts import type_conflicts
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
LONG = {"type": "integer"}
MAP = {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}
DATE = {"type": "string", "format": "date-time"}


def struct(**parts):
    return {"type": "object", "properties": parts}


def conflicts(wanted, present):
    schema = parse_schema(struct(x=present))
    return [each.what for each in type_conflicts(wanted, schema.properties["x"], ("x",))]


@pytest.mark.parametrize(
    ("wanted", "present"),
    [
        (TEXT, TEXT),
        (LONG, TEXT),
        (NUMBER, TEXT),
        ({"type": "boolean"}, TEXT),
        (DATE, TEXT),
        (LONG, NUMBER),
        (MAP, MAP),
        (struct(a=TEXT), MAP),
        (struct(a=TEXT), struct(b=TEXT)),
        ({"type": "array", "items": LONG}, {"type": "array", "items": NUMBER}),
    ],
)
def test_what_always_converts_is_no_conflict(wanted, present):
    assert conflicts(wanted, present) == []


@pytest.mark.parametrize(
    ("wanted", "present", "said"),
    [
        (TEXT, LONG, "x is integer in the schema, and the mapping gives string"),
        (NUMBER, LONG, "x is integer in the schema, and the mapping gives number"),
        (TEXT, DATE, "x is date-time in the schema, and the mapping gives string"),
        (struct(a=TEXT), TEXT, "x is string in the schema, and the mapping gives object"),
        (TEXT, {"type": "array", "items": TEXT}, "x is array in the schema"),
        (struct(a=TEXT), struct(a=LONG), "x.a is integer in the schema"),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": LONG},
            "x[*] is integer in the schema",
        ),
        (struct(City=TEXT), struct(city=TEXT), "x.City: the schema has city"),
    ],
)
def test_what_can_not_be_taken_is_told(wanted, present, said):
    (what,) = conflicts(wanted, present)
    assert what.startswith(said)


def test_a_field_that_is_not_there_contradicts_nothing():
    assert list(type_conflicts(TEXT, None, ("x",))) == []
