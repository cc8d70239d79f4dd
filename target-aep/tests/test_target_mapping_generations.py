"""Mapping sets of every generation and spelling say the same."""

from __future__ import annotations

import pytest
from target_aep.mapping.generations import parse_mapping_set
from target_aep.mapping.model import Mapping, MappingMistakesError

# As published for the oldest generation, its file wrapper included.
OLDEST = {
    "version": 0,
    "xdmSchema": "_tenant.schemas.hash",
    "xdmVersion": "1.0",
    "id": None,
    "transformScript": "",
    "mappings": [
        {
            "destinationXdmPath": "_id",
            "sourceAttribute": "Id",
            "identity": False,
            "primaryIdentity": False,
            "identityGroup": None,
            "namespaceCode": None,
            "version": 0,
        }
    ],
}
EXPORTED = {
    "id": "2e33192000007456-0365c00000000000",
    "version": 0,
    "createdDate": 1597784069368,
    "supportVersion": "1.1",
    "allowNullValues": False,
    "strictMapping": False,
    "outputSchema": {"schemaRef": {"id": "https://ns.adobe.com/x", "contentType": "a/b"}},
    "mappings": [
        {
            "id": "394bec970d54410b98e1d4c55a3843ca",
            "version": 0,
            "sourceType": "text/x.schema-path",
            "source": "Id",
            "sourceAttribute": "Id",
            "destination": "_id",
            "destinationXdmPath": "_id",
            "matchScore": 0.0,
            "functionVersion": 1,
        }
    ],
}
ID = (Mapping("ATTRIBUTE", "Id", "_id"),)


@pytest.mark.parametrize(
    "document",
    [
        OLDEST,
        EXPORTED,
        OLDEST["mappings"],
        EXPORTED["mappings"],
        EXPORTED["mappings"][0],
        [EXPORTED],
        {"data": [EXPORTED], "_page": {"count": 1, "limit": 10}},
        {"data": EXPORTED["mappings"]},
        {"data": [{"Id": 1}], "mappingSet": EXPORTED},
    ],
)
def test_the_wrapping_does_not_matter(document):
    assert parse_mapping_set(document, "mine").mappings == ID


@pytest.mark.parametrize(
    ("entry", "source_type"),
    [
        ({"source": "a"}, "ATTRIBUTE"),
        ({"sourceAttribute": "a"}, "ATTRIBUTE"),
        ({"sourceType": None, "sourceAttribute": "a"}, "ATTRIBUTE"),
        ({"sourceType": "attribute", "sourceAttribute": "a"}, "ATTRIBUTE"),
        ({"sourceType": "TEXT/X.SCHEMA-PATH", "source": "a"}, "ATTRIBUTE"),
        ({"sourceType": "schema-path", "source": "a"}, "ATTRIBUTE"),
        ({"sourceExpression": "a"}, "EXPRESSION"),
        ({"sourceType": "EXPRESSION", "sourceExpression": "a"}, "EXPRESSION"),
        ({"sourceType": "Expression", "source": None, "sourceAttribute": "a"}, "EXPRESSION"),
        ({"sourceType": "text/x.aep-xl", "source": "a"}, "EXPRESSION"),
        ({"sourceType": "static", "source": "a"}, "STATIC"),
        ({"sourceType": "text/plain", "source": "a"}, "STATIC"),
    ],
)
@pytest.mark.parametrize("destination", ["destination", "destinationXdmPath"])
def test_each_spelling_of_a_mapping_is_read(entry, source_type, destination):
    (mapping,) = parse_mapping_set([{**entry, destination: "b"}], "mine").mappings
    assert mapping == Mapping(source_type, "a", "b")


def test_old_and_new_names_that_differ_are_told():
    entry = {"source": "a", "sourceAttribute": "c", "destination": "b", "destinationXdmPath": "d"}
    mapping_set = parse_mapping_set([entry], "mine")
    assert mapping_set.mappings == (Mapping("ATTRIBUTE", "a", "b"),)
    first, second = mapping_set.notes
    assert "mapping 1: 'source' and 'sourceAttribute' differ; 'source' is taken" in first
    assert "'destination' and 'destinationXdmPath' differ" in second


def test_all_malformed_mappings_are_told_at_once():
    with pytest.raises(MappingMistakesError) as refusal:
        parse_mapping_set([{"source": "a"}, {"source": "a", "destination": "b"}, 7], "mine")
    first, second = refusal.value.complaints
    assert first == "mapping set mine, mapping 1: 'destination' is missing; add it as a text"
    assert second.startswith("mapping set mine, mapping 3: not an object; each mapping is")


def test_mistakes_in_paths_and_expressions_are_told_with_those_of_malformed_mappings():
    mappings = [
        {"sourceType": "EXPRESSION", "source": "uper(a)", "destination": "_${TENANT_ID}.a"},
        {"sourceType": "FOO", "source": "a", "destination": "b"},
        {"source": "a[", "destination": "c."},
        {"source": "a", "destination": "_${OTHER}."},  # a variable's text may mend it
        {"source": "a", "destination": "d"},
    ]
    with pytest.raises(MappingMistakesError) as refusal:
        parse_mapping_set(mappings, "mine")
    first, second, third, fourth = refusal.value.complaints
    assert first.startswith("mapping set mine, mapping 1: there is no function uper")
    assert second.startswith("mapping set mine, mapping 2: unknown sourceType 'FOO'")
    assert third.startswith("mapping set mine, mapping 3: path 'a['")
    assert fourth.startswith("mapping set mine, mapping 3: path 'c.'")


def test_of_several_sets_one_has_to_be_kept():
    with pytest.raises(Exception, match=r"2 mapping sets \(2e33192000007456.*None\); keep the one"):
        parse_mapping_set({"data": [EXPORTED, OLDEST]}, "mine")


def test_of_very_many_mistakes_the_first_are_shown():
    with pytest.raises(MappingMistakesError, match=r"mapping 20: .*; and 80 more$") as refusal:
        parse_mapping_set([{}] * 100, "mine")
    assert len(refusal.value.complaints) == 100
