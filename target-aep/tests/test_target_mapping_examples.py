"""The examples of mappings that Adobe documents, and patterns of its templates.

Of help/data-prep/mapping-set.md, help/data-prep/api/mapping-set.md, help/data-prep/functions.md and
the mapping tables of Adobe's sources, all in AdobeDocs/experience-platform.en. Not asserted: what
`[*]` gives there, where the leaf's own name is nested under the target, which contradicts the
paths (the reading here is tried instead); and the text of a date in `concat`, which has changed.
"""

from __future__ import annotations

import pytest
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}
JOHN = {"name": "John Smith", "email": "js@example.com"}
JANE = {"name": "Jane Smith", "email": "jane@example.com"}
TWO = {"customerInfo": {"emails": [JOHN, JANE]}}


def thing(**properties):
    return {"type": "object", "properties": properties}


def mapped(record, *mappings, schema=None):
    entries = [
        {"sourceType": source_type, "source": source, "destination": destination}
        for source_type, source, destination in mappings
    ]
    mapper = RecordMapper(load_mapping_set(entries), schema and parse_schema(schema))
    row = mapper.map(record)
    assert not mapper.report.failures
    return row


@pytest.mark.parametrize(
    ("record", "source", "destination", "row"),
    [
        ({"Full.Name": "John Smith"}, "Full.Name", "pi.name", {"pi": {"name": "John Smith"}}),
        ({"Full.Name": "John Smith"}, r"Full\.Name", "pi.name", {"pi": {"name": "John Smith"}}),
        ({"customerInfo": JOHN}, "customerInfo.name", "pi.name", {"pi": {"name": "John Smith"}}),
        (TWO, "customerInfo.emails", "pi.emailList", {"pi": {"emailList": [JOHN, JANE]}}),
        (TWO, "customerInfo.emails[*].name", "pi[*].names",
         {"pi": [{"names": "John Smith"}, {"names": "Jane Smith"}]}),
        (TWO, "customerInfo.emails[0].email", "pi.email", {"pi": {"email": "js@example.com"}}),
        ({"customerInfo": JOHN}, "customerInfo.name", "name", {"name": "John Smith"}),
    ],
)  # fmt: skip
def test_attributes(record, source, destination, row):
    assert mapped(record, ("ATTRIBUTE", source, destination)) == row


def test_a_number_becomes_text_for_a_field_of_text():
    name = thing(firstName=TEXT, lastName=TEXT)
    assert mapped(
        {"id": 1234, "firstName": "Jim", "lastName": "Seltzer"},
        ("ATTRIBUTE", "id", "_id"),
        ("ATTRIBUTE", "firstName", "person.name.firstName"),
        ("ATTRIBUTE", "lastName", "person.name.lastName"),
        schema=thing(_id=TEXT, person=thing(name=name)),
    ) == {"_id": "1234", "person": {"name": {"firstName": "Jim", "lastName": "Seltzer"}}}


def test_keys_as_templates_build_them():
    source = (
        'iif(Id != null && Id != "", to_object("sourceType", "Salesforce", "sourceInstanceID", '
        '"${CRM_ORG_ID}", "sourceID", Id, "sourceKey", concat(Id,"@${CRM_ORG_ID}.Salesforce")), '
        "null)"
    )
    entry = {"sourceType": "text/x.aep-xl", "source": source, "destination": "key"}
    mapper = RecordMapper(load_mapping_set([entry]).with_variables({"CRM_ORG_ID": "00D"}), None)
    assert mapper.map({"Id": "7"}) == {
        "key": {
            "sourceType": "Salesforce",
            "sourceInstanceID": "00D",
            "sourceID": "7",
            "sourceKey": "7@00D.Salesforce",
        }
    }
    assert mapper.map({"Id": ""}) == mapper.map({}) == {}


def test_identities_as_templates_build_them():
    source = (
        "iif(${web\\.ecid} != null, to_object('ECID', arrays_to_objects('id', "
        'explode(last(split(${web\\.ecid}, ":")), " "))), null)'
    )
    ecid = "1" * 38
    assert mapped({"web.ecid": f"x:{ecid}"}, ("EXPRESSION", source, "identityMap")) == {
        "identityMap": {"ECID": [{"id": ecid}]}
    }


def test_the_oldest_generation_gives_the_same_as_the_current_one():
    current = load_mapping_set("adobe-source")
    oldest = {
        "version": 0,
        "xdmSchema": "https://ns.adobe.com/acme/schemas/1",
        "xdmVersion": "1.0",
        "id": None,
        "mappings": [
            {
                "destinationXdmPath": mapping.destination,
                "sourceAttribute": mapping.source,
                "identity": False,
                "identityGroup": None,
                "namespaceCode": None,
                "version": 0,
            }
            for mapping in current.mappings
        ],
    }
    record = {
        "event_id": "1",
        "time": "2022-05-18T05:05:48.000Z",
        "properties": {"item_id": "29066", "item_price": "800.00"},
        "import": True,
    }
    rows = [
        RecordMapper(mapping_set.for_tenant("acme"), None).map(record)
        for mapping_set in (current, load_mapping_set(oldest))
    ]
    assert rows[0] == rows[1]
    assert rows[0]["_acme"]["item_price"] == "800.00"
