"""Fields put into field groups: the documents, and the JSON Patch that extends them."""

from __future__ import annotations

import pytest
from emulators.aep.json_patch import apply_patch
from hypothesis import given
from hypothesis import strategies as st
from target_aep.errors import TargetError
from target_aep.provisioning.field_group import (
    Addition,
    additions_for,
    depth_of,
    extension,
    new_field_group,
    pointer_to,
)
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def fields_of(document):
    return document["definitions"]["customFields"]["properties"]


def test_a_new_field_group_joins_fields_below_one_object():
    document = new_field_group(
        "Mixpanel events fields",
        [
            Addition(("_t", "mixpanel", "eventName"), TEXT),
            Addition(("_t", "mixpanel", "properties", "price"), NUMBER),
            Addition(("_t", "mixpanel", "items", "[]", "sku"), TEXT),
        ],
    )
    assert document["title"] == "Mixpanel events fields"
    assert document["meta:intendedToExtend"] == ["https://ns.adobe.com/xdm/context/experienceevent"]
    assert document["allOf"] == [{"$ref": "#/definitions/customFields"}]
    assert fields_of(document) == {
        "_t": {
            "type": "object",
            "properties": {
                "mixpanel": {
                    "type": "object",
                    "properties": {
                        "eventName": TEXT,
                        "properties": {"type": "object", "properties": {"price": NUMBER}},
                        "items": {
                            "type": "array",
                            "items": {"type": "object", "properties": {"sku": TEXT}},
                        },
                    },
                }
            },
        }
    }


def test_an_extension_adds_at_the_deepest_object_that_is_there():
    document = new_field_group("t", [Addition(("_t", "mixpanel", "eventName"), TEXT)])
    mixpanel = "/definitions/customFields/properties/_t/properties/mixpanel/properties"
    assert extension(
        document,
        [
            Addition(("_t", "mixpanel", "userId"), TEXT),
            Addition(("_t", "mixpanel", "properties", "a/b~c"), TEXT),
            Addition(("_t", "mixpanel", "properties", "price"), NUMBER),
        ],
    ) == [
        {"op": "add", "path": f"{mixpanel}/userId", "value": TEXT},
        {
            "op": "add",
            "path": f"{mixpanel}/properties",
            "value": {"type": "object", "properties": {"a/b~c": TEXT, "price": NUMBER}},
        },
    ]


def test_places_are_found_in_local_definitions_of_any_name_and_in_the_document_itself():
    by_definition = {
        "definitions": {"property": {"properties": {"_t": {"properties": {"a": TEXT}}}}},
        "allOf": [{"$ref": "#/definitions/property", "type": "object"}],
    }
    assert pointer_to(by_definition, ("_t", "a")) == (
        "/definitions/property/properties/_t/properties/a"
    )
    plain = {"properties": {"_t": {"properties": {"a": TEXT}}}}
    assert pointer_to(plain, ("_t",)) == "/properties/_t"
    assert depth_of(plain, ("_t", "b", "c")) == 1
    elsewhere = {"properties": {"_t": {"$ref": "https://ns.adobe.com/t/datatypes/1"}}}
    assert depth_of(elsewhere, ("_t", "b")) == 1


def test_a_field_group_without_a_place_is_told():
    with pytest.raises(TargetError, match="no object"):
        extension({"title": "empty"}, [Addition(("_t", "a"), TEXT)])


NAMES = st.sampled_from(["a", "b", "c", "Plan_Name", "x1"])
LEAVES = st.sampled_from([TEXT, NUMBER, {"type": "boolean"}])
TREES = st.recursive(
    LEAVES,
    lambda below: st.dictionaries(NAMES, below, min_size=1, max_size=3).map(
        lambda parts: {"type": "object", "properties": parts}
    ),
    max_leaves=8,
)
ROOTS = st.dictionaries(NAMES, TREES, min_size=1, max_size=3).map(
    lambda parts: {"type": "object", "properties": {"_t": {"type": "object", "properties": parts}}}
)


def shape(field):
    return (field.kind, {name: shape(part) for name, part in field.properties.items()})


def has_all(node, field):
    if field is None:
        return False
    if field.kind != "object" or node.get("type") != "object":
        return True  # of another shape: no addition can change that
    return all(
        has_all(part, field.properties.get(name)) for name, part in node["properties"].items()
    )


@given(first=ROOTS, second=ROOTS)
def test_what_is_missing_is_added_and_what_is_there_stays(first, second):
    document = new_field_group("t", [Addition(("_t",), first["properties"]["_t"])])
    before = parse_schema(fields_of_root(document))
    missing = [
        addition
        for name, node in second["properties"].items()
        for addition in additions_for(node, before.properties.get(name), (name,))
    ]
    operations = extension(document, missing)
    once = apply_patch(document, operations)
    after = parse_schema(fields_of_root(once))
    assert has_all(second, after)
    assert has_all(first, after)
    assert apply_patch(once, operations) == once  # a repeated call changes nothing
    assert not [
        addition
        for name, node in second["properties"].items()
        for addition in additions_for(node, after.properties.get(name), (name,))
    ]


def fields_of_root(document):
    return document["definitions"]["customFields"]
