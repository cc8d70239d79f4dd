"""Values that get into a row without a conversion are those that it leaves as they are."""

from __future__ import annotations

import pytest
from data_prep_values import values
from hypothesis import example, given
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.coercion import OMITTED, compile_coercer
from target_aep.xdm.schema import parse_schema
from target_aep.xdm.unconvertible import UnconvertibleError

FIELDS = [
    {"type": "string"},
    {"type": "string", "minLength": 2},
    {"type": "integer"},
    {"type": "integer", "minimum": 0},
    {"type": "integer", "maximum": 10},
    {"type": "number"},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "boolean"},
]


@pytest.mark.parametrize("field", FIELDS, ids=str)
@given(value=values)
@example(value=1)
@example(value=True)
@example(value=0.5)
@example(value=-1.0)
@example(value=float("nan"))
@example(value=float("inf"))
@example(value=10**400)
@example(value="")
def test_a_value_of_a_field_is_what_its_conversion_gives(field, value):
    schema = parse_schema({"type": "object", "properties": {"x": field}})
    mapper = RecordMapper(load_mapping_set([{"source": "a", "destination": "x"}]), schema)
    try:
        converted = compile_coercer(schema.properties["x"])(value)
    except UnconvertibleError:
        converted = OMITTED
    row = mapper.map({"a": value})
    assert repr(row) == repr({} if converted is OMITTED else {"x": converted})
