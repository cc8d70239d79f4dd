"""What a property was seen with: no matter of order, bounded, and a type that takes it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.provisioning.property_census import PropertyCensus
from target_aep.provisioning.property_types import SeenTypes
from target_aep.provisioning.value_kinds import kind_of, type_name_of
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.exact_coercion import compile_exact_coercer
from target_aep.xdm.schema import XdmField, parse_schema
from target_aep.xdm.unconvertible import UnconvertibleError

LONG = {"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1}
TEXT = {"type": "string"}
DATE_TIME = {"type": "string", "format": "date-time"}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(max_size=3)
    | st.sampled_from(["yes", "12", "1.5", "2024-05-18T05:05:48", "2024-05-18"])
)
KEYS = st.sampled_from(["a", "b", "B", "c1", "odd key", "", "[]", "_x"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SMALL_BOUNDS = st.integers(0, 6)


def seen(values, bound=200):
    types = SeenTypes(bound)
    for value in values:
        types.observe(value)
    return types


def told(types, path=()):
    """All counts, from a path on."""
    below = [types.counts((*path, "[]")) and told(types, (*path, "[]"))]
    return types.counts(path), below, {key: told(types, (*path, key)) for key in types.keys(path)}


@given(st.lists(VALUES, max_size=8), st.randoms(), SMALL_BOUNDS)
def test_order_tells_nothing(values, random, bound):
    shuffled = random.sample(values, len(values))
    assert told(seen(values, bound)) == told(seen(shuffled, bound))
    assert seen(values, bound).to_node() == seen(shuffled, bound).to_node()


@given(st.lists(SCALARS, max_size=6))
def test_a_type_takes_all_plain_values(values):
    types = seen(values)
    node = types.to_node()
    if node is None:
        assert types.total == 0
        return
    field = parse_schema({"type": "object", "properties": {"p": node}}).properties["p"]
    for value in values:
        compile_exact_coercer(field)(value)


@pytest.mark.parametrize(
    ("values", "node"),
    [
        ([None, "", [], {}, {"a": None}, [""]], None),
        ([True], {"type": "boolean"}),
        ([1, 2**53 - 1], LONG),
        ([1, Decimal("1.5")], {"type": "number"}),
        ([1.5], {"type": "number"}),
        ([2**53], TEXT),
        ([1, 2, 3, 1.5, -(2**60)], TEXT),
        ([Decimal("1E400")], TEXT),
        (["a"], TEXT),
        (["2024-05-18T05:05:48", "2024-05-18T05:05:48.123+02:00"], DATE_TIME),
        (["2024-05-18T05:05:48Z", "2024-05-18"], TEXT),
        (["2024-05-18T05:05:48.123456789Z"], TEXT),
        (["2024-02-30T05:05:48Z"], TEXT),
        (["2024-05-18T05:05:48Z", 5], TEXT),
        ([True, 1], TEXT),
        ([True, "x"], TEXT),
        ([[1], [2, None]], {"type": "array", "items": LONG}),
        ([["a", 1]], {"type": "array", "items": TEXT}),
        ([[[1]]], None),
        ([[], [None]], None),
        (
            [{"a": 1, "b": {"c": "x"}}, {"d": [{"e": True}]}],
            {
                "type": "object",
                "properties": {
                    "a": LONG,
                    "b": {"type": "object", "properties": {"c": TEXT}},
                    "d": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"e": {"type": "boolean"}}},
                    },
                },
            },
        ),
        ([{"a": 1}, {"a": "x"}], {"type": "object", "properties": {"a": TEXT}}),
        ([{"a": ""}, {"a": 1}], {"type": "object", "properties": {"a": LONG}}),
        ([{"odd key": 1}], None),
        ([{"_a": 1}], None),
        ([{"a" * 100: 1}], None),
        ([0.5, Decimal("0.12345678901234567890")], TEXT),
        ([{"1st": 1}], None),
        ([{"City": 1, "city": 2}], None),
        ([{"City": 1}, {"city": 2}], None),
        ([{"a": {"b": {"c": {"d": 1}}}}], "object"),
        ([{"a": {"b": {"c": {"d": {"e": 1}}}}}], None),
        ([{f"k{number}": 1} for number in range(201)], None),
        ([{"a": 1}, 5, 6], LONG),
        ([{"a": 1}, {"a": 2}, [1], 6], {"type": "object", "properties": {"a": LONG}}),
        ([{"a": 1}, [1]], {"type": "object", "properties": {"a": LONG}}),
    ],
)
def test_types(values, node):
    found = seen(values).to_node()
    assert (found["type"] if isinstance(node, str) else found) == node


def test_one_value_with_endless_keys_does_not_fill_the_memory():
    types = seen([{f"k{number}": {"a": number} for number in range(5000)}, {"a": 1}])
    assert told(types) == told(seen([{"a": 1}, {f"x{number}": 1 for number in range(300)}]))
    assert types.keys(()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", {"text as integer": 1, "text as number": 1}),
        ("012", {}),
        ("yes", {}),
        ("True", {"text as boolean": 1}),
        ("2024-05-18", {"text as date": 1, "text as date-time": 1}),
        ("n/a", {}),
        ("9007199254740993", {}),
        ("12.50", {"text as number": 1}),
    ],
)
def test_texts_count_for_what_the_target_makes_of_them(text, expected):
    assert seen([text]).counts() == {"string": 1, **expected}


@given(st.text("+-. 0159eEZT:yes_\u0661", min_size=1, max_size=6) | st.text(min_size=1))
def test_texts_are_counted_as_the_target_converts_them(text):
    for kind in ("boolean", "integer", "number", "date", "date-time"):
        try:
            compile_exact_coercer(XdmField(kind))(text)
        except UnconvertibleError:
            expected = 0
        else:
            expected = 1
        assert seen([text]).counts()[f"text as {kind}"] == expected


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (LONG, "long"),
        ({"type": "number"}, "double"),
        (DATE_TIME, "date-time"),
        ({"type": "array", "items": {"type": "object", "properties": {"a": TEXT, "b": TEXT}}},
         "list of object of a, b"),
    ],
)  # fmt: skip
def test_types_in_words(node, words):
    assert type_name_of(node) == words


@given(VALUES)
def test_every_value_has_a_kind_and_every_type_is_json(value):
    kept = prune(value)
    if kept is not OMITTED:
        kind_of(kept)
    json.dumps(seen([value]).to_node())


def census_of(pairs, most=3):
    census = PropertyCensus(most)
    for name, value, has_clashed in pairs:
        census.observe(name, value, has_clashed=has_clashed)
    return census


def test_a_census_tells_a_bounded_number_of_names_apart():
    census = census_of([(str(number), number, False) for number in range(10)] + [("0", 1, True)])
    assert (list(census), census.others) == (["0", "1", "2"], 7)
    assert census.has_clashed("0")
