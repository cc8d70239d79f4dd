"""Copies of objects, and several mappings to one destination."""

from __future__ import annotations

from collections import Counter

import pytest
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.schema import parse_schema

TEXT = {"type": "string"}


def thing(**properties):
    return {"type": "object", "properties": properties}


# The documented example, and a little more.
ADDRESS = {"line1": "4191 Ridgebrook Way", "city": "San Jose", "state": "California"}
SCHEMA = thing(
    addr=thing(addrLine1=TEXT, city=TEXT, state=TEXT, geo=thing(lat={"type": "number"}, lon=TEXT)),
    order={**thing(id=TEXT, total={"type": "number"}), "required": ["id"]},
    name=TEXT,
)


def mapper(*pairs, schema=SCHEMA):
    mappings = [
        {"source": pair[0], "destination": pair[1], "sourceType": (*pair, "ATTRIBUTE")[2]}
        for pair in pairs
    ]
    return RecordMapper(load_mapping_set(mappings), schema and parse_schema(schema))


COPY, LINE = ("address", "addr"), ("address.line1", "addr.addrLine1")


@pytest.mark.parametrize("pairs", [(COPY, LINE), (LINE, COPY)])
def test_other_mappings_complete_a_copy_wherever_they_stand(pairs):
    mapped = mapper(*pairs)
    assert mapped.map({"address": ADDRESS}) == {
        "addr": {"addrLine1": "4191 Ridgebrook Way", "city": "San Jose", "state": "California"}
    }
    assert not mapped.report.left_out, "line1 has its place"
    assert not mapped.warnings


def test_an_attribute_without_a_place_is_counted():
    mapped = mapper(COPY)
    assert "line1" not in mapped.map({"address": ADDRESS})["addr"]
    assert mapped.report.left_out == Counter({"addr.line1": 1})


@pytest.mark.parametrize("pairs", [(COPY, ("town", "addr.city")), (("town", "addr.city"), COPY)])
def test_a_mapping_below_wins_over_the_copy_if_it_has_a_value(pairs):
    mapped = mapper(*pairs)
    assert mapped.map({"address": ADDRESS, "town": "Basel"})["addr"]["city"] == "Basel"
    assert mapped.map({"address": ADDRESS})["addr"]["city"] == "San Jose"
    assert mapped.map({"town": "Basel"}) == {"addr": {"city": "Basel"}}


def test_objects_below_a_copy_are_merged_with_its_own():
    mapped = mapper(COPY, ("lon", "addr.geo.lon"))
    record = {"address": {"geo": {"lat": "1.5", "lon": "2"}}, "lon": "3"}
    assert mapped.map(record) == {"addr": {"geo": {"lat": 1.5, "lon": "3"}}}


def test_a_copy_may_get_its_required_field_from_another_mapping():
    mapped = mapper(("order", "order"), ("number", "order.id"))
    assert mapped.map({"order": {"total": 1}, "number": 7}) == {"order": {"total": 1, "id": "7"}}
    with pytest.raises(RejectedRecordError) as rejection:
        mapped.map({"order": {"total": 1}})
    assert rejection.value.field_path == "order.id"


def test_without_a_schema_all_is_copied():
    mapped = mapper(LINE, COPY, schema=None)
    assert mapped.map({"address": {**ADDRESS, "none": None}}) == {
        "addr": {**ADDRESS, "addrLine1": "4191 Ridgebrook Way"}
    }


def test_without_a_schema_a_plain_value_can_not_be_completed():
    mapped = mapper(("name", "addr"), ("town", "addr.city"), schema=None)
    assert mapped.map({"name": "x", "town": "Basel"}) == {"addr": {"city": "Basel"}}
    assert "no object" in mapped.report.failures[1].reason


def test_an_object_of_an_expression_is_copied_too():
    mapped = mapper(('to_object("city", town, "x", 1)', "addr", "EXPRESSION"), LINE)
    assert mapped.map({"address": ADDRESS, "town": "Basel"}) == {
        "addr": {"city": "Basel", "addrLine1": "4191 Ridgebrook Way"}
    }


def test_of_two_mappings_to_a_field_the_last_with_a_value_is_taken_and_told():
    mapped = mapper(("a", "name"), ("b", "name"))
    assert mapped.map({"a": "A", "b": "B"}) == {"name": "B"}
    assert mapped.map({"a": "A", "b": ""}) == {"name": "A"}
    assert mapped.map({"a": "A", "b": []}) == {"name": "A"}
    (warning,) = mapped.warnings
    assert "mapping 2: name is the destination of mapping 1 too" in warning


def test_the_built_in_sets_give_no_warning():
    for name in ("mixpanel", "adobe-source"):
        assert not RecordMapper(load_mapping_set(name).for_tenant("t"), None).warnings


def test_the_record_is_not_changed_and_shares_nothing_with_the_row():
    record = {"address": {"geo": {"a": [1]}}, "lon": "3"}
    mapped = mapper(("address", "addr"), ("lon", "addr.geo.lon"), schema=None)
    row = mapped.map(record)
    row["addr"]["geo"]["a"].append(2)
    assert record == {"address": {"geo": {"a": [1]}}, "lon": "3"}
