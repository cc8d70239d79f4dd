"""Records into XDM with the built-in mapping sets and with others."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.mapping.field_names import matching_field
from target_aep.mapping.identities import DEFAULT_IDENTITIES, parse_identities
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.xdm.coercion import is_nothing
from target_aep.xdm.schema import parse_schema

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
TEXT = {"type": "string"}
LONG = {"type": "integer", "meta:xdmType": "long"}


def thing(**properties):
    return {"type": "object", "properties": properties}


PROPERTIES = {
    "plan": TEXT,
    "cart_value": {"type": "number"},
    "is_member": {"type": "boolean"},
    "city": TEXT,
    "Plan_Name": TEXT,
    "address": thing(street=TEXT, zip=TEXT),
}
EVENT_FIELDS = {
    "_id": {"type": "string", "format": "uri-reference"},
    "timestamp": {"type": "string", "format": "date-time"},
    "eventType": TEXT,
    "identityMap": {
        "type": "object",
        "meta:xdmType": "map",
        "additionalProperties": {"type": "array", "items": thing(id=TEXT)},
    },
    "environment": thing(
        browserDetails=thing(name=TEXT, version=TEXT),
        connectionType={"type": "string", "enum": ["wireless_wifi", "mobile"]},
    ),
    "device": thing(manufacturer=TEXT, screenWidth={"type": "integer"}),
    "placeContext": thing(geo=thing(countryCode={"type": "string", "pattern": "^[A-Z]{2}$"})),
}
MIXPANEL_FIELDS = {
    "eventName": TEXT,
    "distinctId": TEXT,
    "apiTimestampMs": LONG,
    "properties": thing(**PROPERTIES),
    "otherProperties": {
        "type": "object",
        "meta:xdmType": "map",
        "additionalProperties": {"type": "string"},
    },
}


def event_schema(**mixpanel_fields):
    return parse_schema(
        {
            **thing(**EVENT_FIELDS, _acme=thing(mixpanel=thing(**mixpanel_fields))),
            "required": ["_id", "timestamp"],
        }
    )


SCHEMA = event_schema(**MIXPANEL_FIELDS)


def mapper_of(setting="mixpanel", schema=SCHEMA, identities=DEFAULT_IDENTITIES):
    return RecordMapper(
        load_mapping_set(setting).for_tenant("acme"),
        schema,
        parse_identities(identities),
        now=lambda: NOW,
    )


def event(**properties):
    return {
        "event_id": "e1",
        "event_name": "Bought",
        "time": "2022-05-18T05:05:48.000Z",
        "distinct_id": properties.get("distinct_id"),
        "properties": {"time": 1652825148000, **properties},
    }


@pytest.mark.parametrize("schema", [SCHEMA, None], ids=["schema", "none"])
@pytest.mark.parametrize(
    ("properties", "kept"),
    [
        ('{"plan":"gold"}', '{"plan":"gold"}'),
        ([{"plan": "gold"}], '[{"plan":"gold"}]'),
        (5, "5"),
        (None, None),
        ("", None),
    ],
)
def test_properties_that_are_no_object_are_kept_as_one(schema, properties, kept):
    record = {**event(), "distinct_id": "u1", "properties": properties}
    xdm = mapper_of(schema=schema).map(record)
    assert xdm["_acme"]["mixpanel"]["distinctId"] == "u1"
    others = xdm["_acme"]["mixpanel"].get("otherProperties")
    assert others == (None if kept is None else {"properties": kept})


def test_every_property_has_a_place():
    mapper = mapper_of()
    xdm = mapper.map(
        event(
            **{
                "distinct_id": "u1",
                "$browser": "Chrome",
                "$browser_version": 135,
                "$wifi": True,
                "mp_country_code": "de",
                "$screen_width": "wide",
                "plan": "pro",
                "cart_value": "12.5",
                "is_member": "perhaps",
                "City": "A",
                "city": "B",
                "Plan Name": "gold",
                "address": {"street": "Main", "zip": "1", "door": 5},
                "nothing": None,
                "empty": [],
                "big": 9007199254740993,
            }
        )
    )
    assert xdm == {
        "_id": "e1",
        "timestamp": "2022-05-18T05:05:48.000Z",
        "eventType": "Bought",
        "identityMap": {
            "MixpanelDistinctID": [{"id": "u1", "authenticatedState": "ambiguous", "primary": True}]
        },
        "environment": {
            "browserDetails": {"name": "Chrome", "version": "135"},
            "connectionType": "wireless_wifi",
        },
        "placeContext": {"geo": {"countryCode": "DE"}},
        "_acme": {
            "mixpanel": {
                "eventName": "Bought",
                "distinctId": "u1",
                "properties": {
                    "plan": "pro",
                    "cart_value": 12.5,
                    "city": "B",
                    "Plan_Name": "gold",
                },
                "otherProperties": {
                    "$screen_width": "wide",
                    "is_member": "perhaps",
                    "City": "A",
                    "address": '{"street":"Main","zip":"1","door":5}',
                    "big": "9007199254740993",
                },
            }
        },
    }
    assert mapper.report.unconverted == Counter(
        {"device.screenWidth": 1, "is_member": 1, "address": 1}
    )


def test_a_false_wifi_is_kept_beside():
    xdm = mapper_of().map(event(**{"$wifi": False}))
    assert xdm["_acme"]["mixpanel"]["otherProperties"] == {"$wifi": "false"}


def test_of_two_makers_the_overwritten_one_is_kept_beside():
    xdm = mapper_of().map(event(**{"$manufacturer": "Samsung", "$brand": "Galaxy"}))
    assert xdm["device"] == {"manufacturer": "Samsung"}
    assert xdm["_acme"]["mixpanel"]["otherProperties"] == {"$brand": "Galaxy"}


@pytest.mark.parametrize("names", [["Plan Name", "Plan-Name"], ["Plan-Name", "Plan Name"]])
def test_of_two_properties_for_a_field_the_order_does_not_decide(names):
    xdm = mapper_of().map(event(**{name: name for name in names}))
    assert xdm["_acme"]["mixpanel"]["properties"] == {"Plan_Name": "Plan Name"}
    assert xdm["_acme"]["mixpanel"]["otherProperties"] == {"Plan-Name": "Plan-Name"}


def test_the_property_spelled_like_the_field_comes_first():
    xdm = mapper_of().map(event(**{"Plan Name": "a", "Plan_Name": "b"}))
    assert xdm["_acme"]["mixpanel"]["properties"] == {"Plan_Name": "b"}


def test_a_field_that_the_schema_lacks_is_named_and_its_property_kept_beside():
    mapper = mapper_of()
    assert "_acme.mixpanel.insertId" in mapper.missing_fields
    xdm = mapper.map({**event(**{"$insert_id": "i"}), "insert_id": "i"})
    assert xdm["_acme"]["mixpanel"]["otherProperties"] == {"$insert_id": "i"}


def test_without_the_map_lost_properties_are_counted_and_named():
    mapper = mapper_of(schema=event_schema(eventName=TEXT))
    assert "_acme.mixpanel.otherProperties" in mapper.missing_fields
    assert mapper.loses_properties
    assert not mapper_of().loses_properties
    mapper.map(event(plan="pro"))
    assert mapper.report.left_out["plan"] == 1


def test_a_copied_object_counts_what_it_leaves_out():
    mapping = [
        {"source": "event_id", "destination": "_id"},
        {"source": "time", "destination": "timestamp"},
        {"source": "properties", "destination": "_acme.mixpanel.properties"},
    ]
    mapper = mapper_of(mapping)
    xdm = mapper.map(event(plan="pro", cart_value="much", address={"street": "Main", "door": 5}))
    assert xdm["_acme"]["mixpanel"]["properties"] == {"plan": "pro", "address": {"street": "Main"}}
    path = "_acme.mixpanel.properties"
    assert mapper.report.unconverted == Counter({f"{path}.cart_value": 1})
    assert mapper.report.left_out == Counter({f"{path}.time": 1, f"{path}.address.door": 1})


def test_an_order_is_revenue_and_order_id_but_never_a_price():
    xdm = mapper_of(schema=None).map(event(revenue=12.5, order_id="o1", price=3))
    assert xdm["commerce"] == {"order": {"priceTotal": 12.5, "purchaseID": "o1"}}
    assert xdm["_acme"]["mixpanel"]["otherProperties"] == {"price": "3"}


def test_numbers_that_json_does_not_have_are_no_values():
    nan, infinity = float("nan"), float("inf")
    xdm = mapper_of(schema=None).map({**event(a=nan, b=[infinity]), "insert_id": nan})
    assert xdm["_acme"]["mixpanel"] == {"eventName": "Bought"}


def test_without_a_schema_values_stay_as_they_are():
    xdm = mapper_of(schema=None).map(event(**{"$browser_version": 135, "plan": {"a": [1]}}))
    assert xdm["environment"]["browserDetails"]["version"] == 135
    assert xdm["_acme"]["mixpanel"]["otherProperties"] == {"plan": '{"a":[1]}'}


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"event_id": None}, "_id", "no value"),
        ({"event_id": "with space"}, "_id", "uri-reference"),
        ({"time": None}, "timestamp", "no value"),
        ({"time": "soon"}, "timestamp", "not a date-time"),
        ({"time": "1969-12-31T23:59:59.999Z"}, "timestamp", "before 1970"),
        ({"time": "2026-01-01T00:10:00.001Z"}, "timestamp", "in the future"),
    ],
)
def test_rejects_what_can_not_be_valid(change, field, reason):
    with pytest.raises(RejectedRecordError, match=reason) as rejection:
        mapper_of().map({**event(), **change})
    assert rejection.value.field_path == field


def test_takes_a_clock_that_is_a_little_ahead():
    assert mapper_of().map({**event(), "time": "2026-01-01T00:09:59Z"})


def test_a_nested_required_field_is_required_where_its_object_is():
    schema = parse_schema(
        thing(order={**thing(id=TEXT, total={"type": "number"}), "required": ["id"]})
    )
    mapper = mapper_of([{"source": "total", "destination": "order.total"}], schema, ())
    with pytest.raises(RejectedRecordError, match=r"order\.id"):
        mapper.map({"total": 1})
    assert mapper.map({}) == {}


def test_adobe_source_gives_the_eleven_fields():
    names = {
        "distinct_id", "event_name", "import", "insert_id", "item_id", "item_name", "item_price",
        "mp_api_endpoint", "mp_api_timestamp_ms", "mp_processing_time_ms", "time",
    }  # fmt: skip
    record = {
        **event(item_id="29066", item_name="charger", item_price="800.00"),
        "distinct_id": "test@test.com",
        "insert_id": "935d87b1",
        "import": True,
        "mp_api_endpoint": "api.mixpanel.com",
        "mp_api_timestamp_ms": 1652850348643,
        "mp_processing_time_ms": 1652850348702,
    }
    xdm = mapper_of("adobe-source", None, ()).map(record)
    assert xdm.keys() == {"_id", "timestamp", "_acme"}
    assert xdm["_acme"].keys() == names
    assert xdm["_acme"]["item_price"] == "800.00"


def test_any_stream_with_any_mapping_in_any_spelling():
    mapping = {
        "mappings": [
            {"sourceAttribute": "id", "destinationXdmPath": "_acme.order.id"},
            {
                "sourceType": "text/x.schema-path",
                "source": "lines[0].sku",
                "destination": "_acme.order.first",
            },
            {"sourceType": "static", "source": "shop", "destination": "_acme.order.channel"},
        ]
    }
    xdm = mapper_of(mapping, None, ()).map({"id": 7, "lines": [{"sku": "A"}]})
    assert xdm == {"_acme": {"order": {"id": 7, "first": "A", "channel": "shop"}}}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)
NAMES = st.text(max_size=8) | st.sampled_from(
    [*PROPERTIES, "City", "Plan Name", "$browser", "$wifi", "$insert_id", "$screen_width"]
)


def has_content(value):
    if isinstance(value, dict):
        return any(map(has_content, value.values()))
    if isinstance(value, list):
        return any(map(has_content, value))
    return not is_nothing(value)


def count_leaves(value):
    if isinstance(value, dict):
        assert value
        return sum(map(count_leaves, value.values()))
    assert value is not None
    assert value not in ("", [], {})
    return 1


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_no_property_is_lost_and_no_leaf_is_empty(properties):
    record = event(**properties)
    full = [name for name, value in properties.items() if has_content(value)]
    mixpanel = (xdm := mapper_of().map(record))["_acme"]["mixpanel"]
    count_leaves(xdm)
    beside = mixpanel.get("otherProperties", {})
    typed = mixpanel.get("properties", {})
    standard = {
        "$browser": xdm.get("environment", {}).get("browserDetails", {}).get("name"),
        "$wifi": xdm.get("environment", {}).get("connectionType"),
        "$screen_width": xdm.get("device", {}).get("screenWidth"),
        "distinct_id": mixpanel.get("distinctId"),
    }
    unplaced = [
        name
        for name in full
        if (name or "(no name)") not in beside and standard.get(name) is None and name != "time"
    ]
    assert len([name for name in unplaced if name in PROPERTIES or name == "Plan Name"]) <= len(
        typed
    )
    assert all(name in PROPERTIES or _names_a_field(name) for name in unplaced), unplaced


def _names_a_field(name):
    return matching_field(name, PROPERTIES) is not None


def test_a_number_as_id_is_a_text_without_a_schema_too():
    mappings = [{"source": "id", "destination": "_id"}]
    assert RecordMapper(load_mapping_set(mappings), None).map({"id": 1234}) == {"_id": "1234"}


def test_required_fields_that_nothing_fills_and_forgotten_source_types_are_told():
    schema = parse_schema({**thing(**EVENT_FIELDS), "required": ["_id", "timestamp"]})
    mappings = [
        {"source": "id", "destination": "_id"},
        {"source": "upper(name)", "destination": "eventType"},
    ]
    warnings = RecordMapper(load_mapping_set(mappings), schema).warnings
    assert [warning for warning in warnings if "no mapping fills timestamp" in warning]
    assert [warning for warning in warnings if "set sourceType to EXPRESSION" in warning]
    assert len(warnings) == 2
