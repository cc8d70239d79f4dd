"""What a field group has already is never overwritten by an extension."""

from __future__ import annotations

import pytest
from target_aep.errors import TargetError
from target_aep.provisioning.field_group import Addition, extension, new_field_group
from target_aep.provisioning.type_conflicts import wider_kind
from target_aep.provisioning.wanted_fields import joined

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}


def an_object(**parts):
    return {"type": "object", "properties": parts}


def group(**fields):
    return new_field_group("G", [Addition(("_t", name), node) for name, node in fields.items()])


def test_equal_fields_are_skipped():
    document = group(a=TEXT, nest=an_object(x=TEXT))
    assert extension(document, [Addition(("_t", "a"), {**TEXT, "title": "other"})]) == []
    assert extension(document, [Addition(("_t", "nest"), an_object(x=TEXT))]) == []


def test_objects_and_lists_get_only_what_they_lack():
    document = group(nest=an_object(x=TEXT), many={"type": "array", "items": an_object(sku=TEXT)})
    operations = extension(
        document,
        [
            Addition(("_t", "nest"), an_object(x=TEXT, y=NUMBER)),
            Addition(("_t", "many"), {"type": "array", "items": an_object(sku=TEXT, n=WHOLE)}),
        ],
    )
    start = "/definitions/customFields/properties/_t/properties"
    assert operations == [
        {"op": "add", "path": f"{start}/nest/properties/y", "value": NUMBER},
        {"op": "add", "path": f"{start}/many/items/properties/n", "value": WHOLE},
    ]


@pytest.mark.parametrize(
    ("path", "node"),
    [
        (("_t", "a"), WHOLE),
        (("_t", "a"), {"type": "string", "format": "date-time"}),
        (("_t", "nest"), an_object(x=NUMBER)),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(path, node):
    document = group(a=TEXT, nest=an_object(x=TEXT))
    with pytest.raises(TargetError, match=r"'G' has _t\.(a|nest\.x) as string"):
        extension(document, [Addition(path, node)])


def test_a_field_below_one_that_is_no_object_is_refused():
    with pytest.raises(TargetError, match=r"no object of its own at _t\.a"):
        extension(group(a=TEXT), [Addition(("_t", "a", "b"), TEXT)])


@pytest.mark.parametrize(
    ("kinds", "wider"),
    [
        (("integer", "number"), "number"),
        (("boolean", "string"), "string"),
        (("date", "date-time"), "date-time"),
        (("boolean", "integer"), None),
        (("object", "string"), None),
    ],
)
def test_the_wider_kind_does_not_depend_on_the_order(kinds, wider):
    assert wider_kind(*kinds) == wider
    assert wider_kind(*reversed(kinds)) == wider


def test_wishes_of_two_streams_are_joined_in_depth():
    conflicts = []
    first = an_object(a=WHOLE, nest=an_object(x=TEXT, y=WHOLE))
    second = an_object(a=NUMBER, b=TEXT, nest=an_object(x=WHOLE, y={"type": "boolean"}))
    whole = joined(first, second, ("_t",), conflicts)
    assert whole["properties"]["a"] == NUMBER
    assert whole["properties"]["b"] == TEXT
    assert whole["properties"]["nest"]["properties"]["x"] == TEXT
    (conflict,) = conflicts
    assert conflict.what.startswith("_t.nest.y: one stream of the dataset gives integer")
