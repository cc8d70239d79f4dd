"""XDM schemas in the forms that the Schema Registry and people's files have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.errors import SchemaError
from target_aep.xdm.schema import parse_schema, tenant_of

TEXT = {"type": "string"}


def test_a_flattened_schema_may_still_name_its_parts():
    schema = parse_schema(
        {
            "$id": "https://ns.adobe.com/acme/schemas/1",
            "allOf": [{"$ref": "https://ns.adobe.com/xdm/context/experienceevent"}],
            "type": "object",
            "properties": {
                "_id": {**TEXT, "format": "uri-reference"},
                "geo": {
                    "$ref": "https://ns.adobe.com/xdm/common/geo",
                    "properties": {"city": TEXT},
                },
                "other": {"$ref": "https://ns.adobe.com/xdm/common/other"},
            },
            "required": ["_id"],
        }
    )
    assert schema.required == ("_id",)
    assert schema.find(("geo", "city")).kind == "string"
    assert schema.find(("other",)).kind == "any"


def test_local_references_and_parts_of_one_object_are_merged():
    schema = parse_schema(
        {
            "definitions": {
                "a": {"properties": {"_acme": {"properties": {"x": {"type": "integer"}}}}},
                "b": {"properties": {"_acme": {"properties": {"y": TEXT}}}},
            },
            "allOf": [{"$ref": "#/definitions/a"}, {"$ref": "#/definitions/b"}],
            "type": "object",
        }
    )
    assert schema.find(("_acme", "x")).kind == "integer"
    assert schema.find(("_acme", "y")).kind == "string"


def test_a_reference_to_itself_ends():
    node = {"type": "object", "properties": {"again": {"$ref": "#/definitions/node"}, "x": TEXT}}
    schema = parse_schema({**node, "definitions": {"node": node}})
    assert schema.find(("again", "again", "x")).kind == "string"


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ({"type": ["string", "null"]}, "string"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "object", "meta:xdmType": "map"}, "map"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "map"),
        ({"type": "object"}, "any"),
        ({"type": "array"}, "array"),
        ({"properties": {"a": TEXT}}, "object"),
        ({}, "any"),
        ("text", "any"),
    ],
)
def test_kinds(node, kind):
    schema = parse_schema({"type": "object", "properties": {"field": node}})
    assert schema.find(("field",)).kind == kind


def test_a_pattern_that_python_can_not_read_is_left_to_the_service():
    field = {"type": "string", "pattern": "(?<name"}
    assert (
        parse_schema({"type": "object", "properties": {"a": field}}).properties["a"].pattern is None
    )


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "not a JSON object"),
        ({"type": "object"}, "has no properties"),
        ({"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}}, "refers to #/nowhere"),
    ],
)
def test_refuses_what_is_no_schema(document, complaint):
    with pytest.raises(SchemaError, match=complaint):
        parse_schema(document)


@pytest.mark.parametrize(
    ("identifier", "names", "tenant"),
    [
        ("https://ns.adobe.com/acme/schemas/1", ["_acme", "_other"], "acme"),
        ("https://ns.adobe.com/acme/schemas/1", ["_other"], "other"),
        (None, ["_acme", "_id"], "acme"),
        (None, ["_a", "_b"], None),
        (None, [], None),
    ],
)
def test_the_tenant_is_told_by_id_or_by_field(identifier, names, tenant):
    fields = {name: {"type": "object", "properties": {"x": TEXT}} for name in names}
    document = {"$id": identifier, "type": "object", "properties": {**fields, "web": TEXT}}
    assert tenant_of(document, parse_schema(document)) == tenant


KEYS = ["type", "properties", "items", "required", "enum", "pattern", "minimum", "maxLength"]
KEYS += ["minLength", "format", "allOf", "$ref", "additionalProperties", "description", "a"]
odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["object", "string", "integer", "#/a", "#/allOf/0", "["]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(odd, odd)
def test_anything_is_a_schema_or_refused(part, field):
    document = {"type": "object", "properties": {"a": field, "b": TEXT}, "allOf": [part]}
    for each in (document, part):
        try:
            assert parse_schema(each).kind == "object"
        except SchemaError as error:
            assert str(error).startswith("the XDM schema ")  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("declared", "limits"),
    [
        ({"meta:xdmType": "byte"}, (-128, 127)),
        ({"meta:xdmType": "short"}, (-32768, 32767)),
        ({"meta:xdmType": "int"}, (-(2**31), 2**31 - 1)),
        ({"meta:xdmType": "int", "minimum": 0}, (0, 2**31 - 1)),
        ({"meta:xdmType": ["int"]}, (1 - 2**53, 2**53 - 1)),
        ({"meta:xdmType": "long"}, (1 - 2**53, 2**53 - 1)),
        ({}, (1 - 2**53, 2**53 - 1)),
    ],
)
def test_the_type_of_an_integer_limits_it(declared, limits):
    document = {"type": "object", "properties": {"a": {"type": "integer", **declared}}}
    field = parse_schema(document).properties["a"]
    assert (field.minimum, field.maximum) == limits
