"""Which type a column gets, and which values it takes."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from tap_mixpanel_export.discovery.property_types import (
    KINDS,
    column_definition,
    commonest,
    fitting,
    kind_of,
    widened,
)

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | DECIMALS | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
DEFINITIONS = st.sampled_from(
    [
        *(column_definition(kind) for kind in (*KINDS, "integer")),
        {"type": "string"},
        {"type": ["string", "null"], "format": "date-time"},
        {"type": ["integer", "string"], "maxLength": 2},
        {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "number", "minimum": 3},
        {},
    ]
)


@given(VALUES, DEFINITIONS)
def test_no_column_takes_a_value_that_a_validating_target_refuses(value, definition):
    if fitting(definition)(value):
        Draft7Validator(definition).validate(value)


@given(st.lists(VALUES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_type_takes_the_most_values_and_does_not_depend_on_the_order(values, random):
    counts = Counter(filter(None, map(kind_of, values)))
    shuffled = [*values]
    random.shuffle(shuffled)
    kind = commonest(counts)
    assert commonest(Counter(filter(None, map(kind_of, shuffled)))) == kind
    if kind is None:
        assert not any(counts.values())
    else:
        numbers = counts["integer"] + counts["number"]
        of_kind = numbers if kind in {"integer", "number"} else counts[kind]
        assert of_kind >= max(numbers, *(counts[each] for each in KINDS))


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ({"string": 2, "integer": 1}, "string"),
        ({"string": 2, "integer": 1, "number": 1}, "string"),
        ({"string": 2, "integer": 3}, "integer"),
        ({"integer": 9, "number": 1}, "number"),
        ({"boolean": 1, "string": 1}, "string"),
        ({"array": 1, "object": 1}, "object"),
        ({}, None),
    ],
)
def test_the_commonest_type(counts, kind):
    assert commonest(counts) == kind


@pytest.mark.parametrize(
    ("kind", "seen", "then"),
    [
        ("integer", "number", "number"),
        ("number", "integer", "number"),
        ("string", "integer", "string"),
        (None, "string", "string"),
        ("string", None, "string"),
        (None, None, None),
    ],
)
def test_a_type_stays_but_whole_numbers_may_become_numbers(kind, seen, then):
    assert widened(kind, seen) == then


@pytest.mark.parametrize(
    ("definition", "takes", "leaves"),
    [
        (column_definition("string"), ["", "x", None], [1, True, {}, []]),
        (column_definition("boolean"), [True, None], [0, "true"]),
        (column_definition("integer"), [2**63 - 1, -(2**63)], [2**63, Decimal("1.0"), True]),
        (column_definition("number"), [1, Decimal("1.5"), 2**53], [2**53 + 1, "1.5", False]),
        (column_definition("number"), [Decimal("0.1")], [Decimal("1e400"), Decimal("1" * 20)]),
        (column_definition("object"), [{}, {"a": [1]}], [[], "{}"]),
        (column_definition("array"), [[], [{}]], [{}, "[]"]),
        ({"type": "string"}, ["x"], [None]),
        (
            {"type": ["string", "null"], "format": "date-time"},
            ["2024-03-01T12:00:00Z", "2024-03-01T12:00:00.5+01:00", None],
            [
                "2024-03-01",
                "2024-03-01T12:00:00",
                "2024-02-30T12:00:00Z",
                "2024-03-01T12:00:00+99:00",
                "soon",
                1709290800,
            ],
        ),
        ({"type": "string", "maxLength": 3}, ["abc"], ["abcd", 1]),
        ({"type": "string", "pattern": "("}, [], ["a"]),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1, None], ["1", 2**64]),
        (
            {"type": "string", "format": "date-time"},
            ["2024-01-01t00:00:00z"],
            ["2024-01-01 00:00:00Z"],
        ),
        ({"type": "string", "format": "date"}, ["2024-01-31"], ["2024-02-31", "soon"]),
        ({"type": ["string", "integer"], "format": "sort-of"}, [1], ["x"]),
        ({"type": "array", "items": {"format": "date-time"}}, [["2024-01-01T00:00:00Z"]], [["x"]]),
        ({"type": "array", "items": {"format": "sort-of"}}, [], [[]]),
        ({"type": "number", "multipleOf": 0.01}, [1], [Decimal("3.5")]),
        ({"type": "number", "$ref": "#/nowhere"}, [], [1]),
    ],
)
def test_what_a_column_takes(definition, takes, leaves):
    fits = fitting(definition)
    assert [value for value in takes if not fits(value)] == []
    assert [value for value in leaves if fits(value)] == []
