"""What is fast for ordinary records gives what the ordinary way gives, for all records."""

from __future__ import annotations

import copy
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapping_records import PLAIN_VALUES, VALUES, generated_records, in_columns
from target_aep.data_prep.namespace import constant
from target_aep.mapping.field_names import typed_sibling
from target_aep.mapping.identities import DEFAULT_IDENTITIES, identity_map, parse_identities
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.program import SharedReads
from target_aep.mapping.required_fields import missing_required, required_below
from target_aep.mapping.row_rules import Complaint, complaint_about
from target_aep.provisioning.property_census import PropertyCensus
from target_aep.xdm.coercion import OMITTED, prune
from target_aep.xdm.schema import XdmField, parse_schema
from target_aep.xdm.unconvertible import UnconvertibleError

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
TEXT = {"type": "string"}
MAP = {"type": "object", "meta:xdmType": "map", "additionalProperties": TEXT}
KINDS = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": TEXT,
    "object": {"type": "object", "properties": {"a": TEXT}},
    "array": {"type": "array", "items": TEXT},
}
PROPERTIES = {
    "plan": TEXT,
    "city": TEXT,
    "quantity": {"type": "integer"},
    "cart_value": {"type": "number"},
    "is_member": {"type": "boolean"},
    "when": {"type": "string", "format": "date-time"},
    "few": {"type": "integer", "minimum": 0, "maximum": 10},
    "address": {
        "type": "object",
        "properties": {"street": TEXT, "zip": TEXT, "lines": {"type": "array", "items": TEXT}},
    },
    "items": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"sku": TEXT, "price": {"type": "number"}},
            "required": ["sku"],
        },
    },
    "tags": KINDS["array"],
    "more": MAP,
}
SIBLINGS = {
    typed_sibling(name, kind): node
    for name in ("plan", "quantity", "$brand", "own")
    for kind, node in KINDS.items()
}
YOUNG = {
    "fresh": {**TEXT, "description": "Property 'fresh'. Added 2025-12-31T23:59:00Z by target-aep."}
}


def schema_of(properties, *, has_map=True):
    mixpanel = {
        "eventName": TEXT,
        "distinctId": {"type": "string", "maxLength": 20},
        "import": {"type": "boolean"},
        "apiTimestampMs": {"type": "integer"},
        "properties": {"type": "object", "properties": properties},
        **({"otherProperties": MAP} if has_map else {}),
    }
    fields = {
        "_id": {"type": "string", "format": "uri-reference"},
        "timestamp": {"type": "string", "format": "date-time"},
        "eventType": TEXT,
        "identityMap": {**MAP, "additionalProperties": {"type": "array", "items": MAP}},
        "environment": {
            "type": "object",
            "properties": {"connectionType": {**TEXT, "enum": ["wireless_wifi", "mobile"]}},
        },
        "device": {
            "type": "object",
            "properties": {"manufacturer": TEXT, "screenWidth": {"type": "integer"}},
        },
        "placeContext": {
            "type": "object",
            "properties": {
                "geo": {
                    "type": "object",
                    "properties": {"city": TEXT, "countryCode": {**TEXT, "pattern": "^[A-Z]{2}$"}},
                    "required": ["city"],
                }
            },
        },
        "_acme": {
            "type": "object",
            "properties": {"mixpanel": {"type": "object", "properties": mixpanel}},
        },
    }
    return parse_schema({"type": "object", "properties": fields, "required": ["_id"]})


SCHEMAS = {
    "none": None,
    "typed": schema_of(PROPERTIES),
    "no map": schema_of(PROPERTIES, has_map=False),
    "siblings": schema_of({**PROPERTIES, **SIBLINGS}),
    "young": schema_of({**PROPERTIES, **SIBLINGS, **YOUNG}),
}

NAMES = st.sampled_from(
    [*PROPERTIES, "City", "$city", "Plan", "$plan", "own", "fresh", "", "a\ud800", "(no name)",
     "a.b", "time", "distinct_id", "$device_id", "$user_id", "$insert_id", "$import",
     "$mp_api_endpoint", "$brand", "$manufacturer", "$wifi", "$screen_width",
     "mp_country_code", "$os", "revenue"]
)  # fmt: skip
COLUMNS = {
    "distinct_id": VALUES,
    "device_id": VALUES,
    "user_id": PLAIN_VALUES,
    "import": PLAIN_VALUES,
    "mp_api_timestamp_ms": PLAIN_VALUES,
    "properties.$os": VALUES,
    "properties.distinct_id": VALUES,
    "plan": VALUES,
    "city": VALUES,
    "_sdc_extracted_at": st.just("x"),
}
TIME = "2024-05-18T05:05:48.123Z"
TIMES = st.just(TIME) | st.sampled_from(
    ["1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z",
     "2026-01-01T00:10:00.000Z", "2026-01-01T00:10:00.001Z", "2024-02-30T00:00:00.000Z",
     "2024-02-29T00:00:00.000Z", "2024-05-18T05:05:48.123456Z", "2024-05-18t05:05:48.123z",
     "0000-01-01T00:00:00.000Z", "x", "", None, 1716008748000]
)  # fmt: skip
RECORDS = st.builds(
    lambda columns, time, properties: {
        "event_id": "14bc1b491aebc7177b4b7ae4fac41a8e",
        "event_name": "Opened",
        "time": time,
        **columns,
        **({} if properties is ... else {"properties": properties}),
    },
    st.fixed_dictionaries({}, optional=COLUMNS),
    TIMES,
    st.dictionaries(NAMES, VALUES, max_size=12) | st.sampled_from([None, [], "x", ...]),
)


class OneByOne:
    """The rule of properties and fields without plans: claims first, then conversions."""

    def __init__(self, fields):
        self.fields = fields

    def assign(self, properties):
        claims, rest, aside, losers, typed, unfit = {}, {}, [], [], {}, []
        for name, value in properties.items():
            place = self.fields.place(name)
            if prune(value) is OMITTED:
                continue
            if place is None:
                rest[name] = value
            elif place.field is None:
                aside.append(name)
            else:
                both = {claims.setdefault(place.field, name), name}
                claims[place.field], *lost = sorted(both, key=lambda x: (x != place.field, x))
                losers += lost
        for field, name in claims.items():
            try:
                converted = self.fields.place(name).coerce(properties[name])
            except UnconvertibleError:
                unfit.append(name)
            else:
                typed.update({field: converted} if converted is not OMITTED else {})
        return typed, rest, aside + unfit, losers


class Pair:
    """Two mappers of the same set and schema: one of them goes the ordinary way."""

    def __init__(self, name, *, has_census):
        schema = SCHEMAS[name]
        self.fast, self.fast_census = self._make(schema, has_census)
        with pytest.MonkeyPatch.context() as patch:
            # All records are handed over to the function for odd ones.
            patch.setattr(SharedReads, "no_literal_keys", lambda _: constant(value=False))
            self.slow, self.slow_census = self._make(schema, has_census)
        if self.slow._remainder._assignment:
            self.slow._remainder._assignment = OneByOne(self.slow._remainder._fields)
        identities = self.slow._identities
        self.slow._identity_map = lambda record, out: identity_map(record, identities, out)
        required = required_below(schema or XdmField("object"))
        self.slow._check_row = lambda row: next(
            (
                Complaint(path, "required by the schema, but missing")
                for path in [missing_required(row, required)]
                if path
            ),
            complaint_about(row),
        )
        if self.slow_census:
            self.slow_census.observe_texts = lambda texts, values: [
                self.slow_census.observe(name, values[name]) for name in texts
            ]

    @staticmethod
    def _make(schema, has_census):
        census = PropertyCensus() if has_census else None
        mapper = RecordMapper(
            load_mapping_set("mixpanel").for_tenant("acme"),
            schema,
            parse_identities([*DEFAULT_IDENTITIES, {"field": "plan", "namespace": "Plan"}]),
            lambda: NOW,
            census=census,
        )
        mapper.learn_columns(
            {"properties": {"plan": {"title": "Plan!"}, "city": {"title": "city"}}}
        )
        return mapper, census

    def check(self, record):
        before = copy.deepcopy(record)
        assert outcome(self.fast, record) == outcome(self.slow, record)
        assert repr(record) == repr(before)

    def check_counts(self):
        assert told(self.fast, self.fast_census) == told(self.slow, self.slow_census)


def outcome(mapper, record):
    """The row with its types and the order of its keys, or why there is none."""
    try:
        return repr(mapper.map(record))
    except RejectedRecordError as error:
        return str(error)


def told(mapper, census):
    report = mapper.report
    seen = [(name, census.has_clashed(name), counted(census[name])) for name in census or ()]
    return [*report.lines()], report.map_line(), report.in_map, report.unconverted, seen


def counted(seen):
    return sorted((path, sorted(counts.items())) for path, counts in seen._counts.items())


PAIRS = {
    (name, has_census): Pair(name, has_census=has_census)
    for name in SCHEMAS
    for has_census in (False, True)
}


@pytest.mark.parametrize("has_census", [False, True])
@pytest.mark.parametrize("name", SCHEMAS)
@given(record=RECORDS)
def test_any_record_becomes_the_same_row(name, has_census, record):
    pair = PAIRS[name, has_census]
    pair.check(record)
    pair.check_counts()


TELLING = [
    ({}, {"$brand": "a", "$manufacturer": "b"}),
    ({}, {"$brand": "a", "$manufacturer": ""}),
    ({}, {"$brand": "", "$manufacturer": "b", "$wifi": False}),
    ({"user_id": None}, {"$user_id": "kept", "$device_id": "kept"}),
    ({"user_id": "", "device_id": ["x"]}, {"$user_id": "kept", "$device_id": "kept"}),
    ({"import": "no truth"}, {"$import": True}),
    ({"properties.distinct_id": "wins", "device_id": 5}, {"distinct_id": "loses"}),
    ({"properties.$os": None}, {"$os": "Linux"}),
    ({"distinct_id": "anonymous"}, {"$user_id": "null", "plan": " invalid"}),
    ({"distinct_id": 0}, {"distinct_id": "x", "plan": True}),
    ({}, {"quantity": "many", "own": True, "$city": "", "$screen_width": "wide"}),
    ({}, {"mp_country_code": "de", "$brand": {"a": "x"}, "plan": [1], "own": ["a"]}),
]


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize(("columns", "properties"), TELLING, ids=str)
def test_what_a_mapping_does_not_place_is_placed_as_ever(name, columns, properties):
    pair = Pair(name, has_census=True)
    row = {"event_id": "1", "time": TIME, **columns, "properties": properties}
    pair.check(row)
    pair.check_counts()


@pytest.mark.parametrize("name", SCHEMAS)
def test_records_of_the_generator_become_the_same_rows(name):
    pair = Pair(name, has_census=True)
    for record in generated_records(400):
        pair.check(record)
        pair.check(in_columns(record))
    pair.check_counts()


def test_two_properties_that_want_one_field_are_told_apart_whenever_they_come():
    pair = Pair("typed", has_census=True)
    texts = [{"city": "a"}, {"City": "b"}, {"$plan": "c"}, {"plan": "d", "$plan": "e"}]
    for properties in (*texts, {"plan": "", "$plan": "f"}, {"$plan": "g"}, *texts):
        for order in (properties, dict(reversed(properties.items()))):
            pair.check({"event_id": "1", "time": TIME, "properties": order})
    pair.check_counts()


def test_names_without_end_do_not_fill_the_memory():
    pair = Pair("typed", has_census=False)
    for number in range(30):
        names = [f"name {number} {index}" for index in range(1_000)]
        record = {"event_id": "1", "time": TIME, "properties": {"": 1}}
        record["properties"].update(dict.fromkeys(names, "x"))
        pair.check(record)
    assert len(pair.fast._remainder._assignment._plans) < 30_000
    assert len(pair.fast._remainder._fit) < 30_000


@pytest.mark.parametrize(
    ("columns", "properties", "rest"),
    [
        ({}, {"$brand": "a", "$manufacturer": "b"}, {"$brand": "a"}),
        ({}, {"$manufacturer": "b", "$brand": ""}, {}),
        ({}, {"$wifi": False, "$os": "iOS"}, {"$wifi": "false"}),
        ({}, {"$wifi": True}, {}),
        ({"user_id": None}, {"$user_id": "kept"}, {"$user_id": "kept"}),
        ({"user_id": "placed"}, {"$user_id": "repeated"}, {}),
        ({"properties.$os": None}, {"$os": "kept"}, {"$os": "kept"}),
    ],
    ids=str,
)
def test_what_a_mapping_reads_but_does_not_place_goes_to_the_map(columns, properties, rest):
    mapper = PAIRS["none", False].fast
    row = mapper.map({"event_id": "1", "time": TIME, **columns, "properties": properties})
    assert row.get("_acme", {}).get("mixpanel", {}).get("otherProperties", {}) == rest
