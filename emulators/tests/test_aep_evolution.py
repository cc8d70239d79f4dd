"""Additive changes and breaking ones, for any schema."""

from __future__ import annotations

import copy

from emulators.aep.registry.evolution import breaking_changes
from emulators.aep.row_validator import RowValidator
from emulators.aep.xdm_schema import array_of, boolean, integer, map_of, number, string, struct
from hypothesis import given
from hypothesis import strategies as st

CONSTRAINTS = ("enum", "pattern", "minimum", "maximum", "minLength", "maxLength")
NAMES = st.sampled_from(["a", "b", "c", "d"])
LEAVES = st.sampled_from(
    [
        string(),
        string(enum=["x"]),
        string(enum=["x", "y"]),
        string(pattern="^x"),
        string(pattern="a"),
        string(minLength=2, maxLength=3),
        string(maxLength=2),
        number(),
        number(minimum=0),
        number(minimum=1, maximum=1),
        integer(),
        boolean(),
        map_of(string()),
    ]
)
FIELDS = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(struct) | inner.map(array_of)
    ),
    max_leaves=8,
)
SCHEMAS = st.dictionaries(NAMES, LEAVES | FIELDS, min_size=2, max_size=4).map(struct)
TEXTS = st.sampled_from(["x", "y", "xyz", "a", "abc"])
NUMBERS = st.sampled_from([-1, 0, 1, 2])


def values_of(field):
    """Values of a field's type, which may break its constraints."""
    kind = field["type"]
    if kind == "array":
        return st.lists(values_of(field["items"]), min_size=1, max_size=2)
    if kind == "object" and "properties" in field:
        inner = {name: values_of(item) for name, item in field["properties"].items()}
        return st.fixed_dictionaries(inner)
    if kind == "object":
        return st.dictionaries(NAMES, TEXTS, min_size=1, max_size=2)
    return {"string": TEXTS, "boolean": st.booleans()}.get(kind, NUMBERS)


def is_valid(schema, row):
    return not RowValidator(schema, 0).check(copy.deepcopy(row)).violations


@given(SCHEMAS)
def test_a_schema_is_compatible_with_itself(schema):
    assert not list(breaking_changes(schema, copy.deepcopy(schema)))


@given(SCHEMAS, FIELDS)
def test_adding_is_compatible_and_taking_back_is_not(schema, field):
    grown = copy.deepcopy(schema)
    grown["properties"]["new"] = field
    assert not list(breaking_changes(schema, grown))
    assert list(breaking_changes(grown, schema)) == ["/new: would be removed"]


@st.composite
def changed(draw, field):
    """A field with something loosened, tightened or added here or there."""
    new = copy.deepcopy(field)
    if new["type"] in ("string", "number", "integer"):
        for keyword in CONSTRAINTS:
            new.pop(keyword, None)
        others = LEAVES.filter(lambda other: other["type"] == new["type"])
        constraints = draw(others) if draw(st.booleans()) else field
        new.update({key: value for key, value in constraints.items() if key in CONSTRAINTS})
    if "items" in new:
        new["items"] = draw(changed(new["items"]))
    for name, inner in new.get("properties", {}).items():
        new["properties"][name] = draw(changed(inner))
    if "properties" in new and draw(st.booleans()):
        new["properties"].setdefault(draw(NAMES), draw(LEAVES))
    return new


@given(SCHEMAS.flatmap(lambda old: st.tuples(st.just(old), changed(old), values_of(old))))
def test_what_was_valid_stays_valid_under_compatible_changes(drawn):
    old, new, row = drawn
    if not list(breaking_changes(old, new)) and is_valid(old, row):
        assert is_valid(new, row)
