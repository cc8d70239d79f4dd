"""Rows against schemas: what is accepted, converted, rejected and with which code."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from emulators.aep.demo import adobe_source_schema, mixpanel_schema, orders_schema
from emulators.aep.findings import CONSTRAINT, EMPTY, ENUM, MISMATCH, MISSING
from emulators.aep.formats import date_time_of_ms, is_uri_reference, parse_date_time
from emulators.aep.row_validator import RowValidator
from emulators.aep.xdm_schema import (
    array_of,
    boolean,
    date_time,
    event_schema,
    integer,
    long,
    map_of,
    number,
    string,
    struct,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc).timestamp()
ROW = {"_id": "a", "timestamp": "2022-05-18T05:05:48.000Z"}
FIELDS = {
    "text": string(),
    "long_text": string(minLength=3, maxLength=5),
    "choice": string(enum=["x", "y"]),
    "country": string(pattern="^[A-Z]{2}$"),
    "at": date_time(),
    "day": string(format="date"),
    "uri": string(format="uri"),
    "v4": string(format="ipv4"),
    "v6": string(format="ipv6"),
    "mail": string(format="email"),
    "odd": string(format="unheard-of"),
    "number": number(),
    "latitude": number(minimum=-90, maximum=90),
    "int": integer(),
    "count": integer(minimum=0),
    "long": long(),
    "flag": boolean(),
    "tags": array_of(string(minLength=3)),
    "items": array_of(
        struct({"sku": string(), "price": number(), "country": string(pattern="^[A-Z]{2}$")})
    ),
    "map": map_of(string()),
    "counts": map_of(integer()),
    "any": {"type": "object"},
    "measure": struct({"id": string(), "value": number()}, ["value"]),
}
VALIDATOR = RowValidator(event_schema("test", FIELDS), NOW)


def check(field, value):
    row = {**ROW, field: value}
    findings = VALIDATOR.check(row)
    return row[field], findings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "x"),
        ("text", "\u2028 \U0001f600"),
        ("long_text", "abc"),
        ("choice", "y"),
        ("country", "DE"),
        ("at", "2022-05-18T05:05:48.123456789+02:00"),
        ("at", "1960-01-01T00:00:00Z"),
        ("at", "2999-01-01T00:00:00Z"),
        ("day", "2024-02-29"),
        ("uri", "https://x.test/a?b=%20#c"),
        ("v4", "10.0.0.1"),
        ("v6", "::1"),
        ("mail", "a@b.test"),
        ("odd", "anything"),
        ("number", 1.5),
        ("number", 2**60),
        ("latitude", -90),
        ("int", 2**31 - 1),
        ("long", -(2**53) + 1),
        ("flag", False),
        ("tags", ["abc", "x"]),
        ("items", [{"sku": "a", "price": 1}, {"country": "no country"}]),
        ("items", [{}]),
        ("map", {"$any key": "x"}),
        ("counts", {"a": 1}),
        ("any", {"a": [None, 1]}),
        ("measure", {"value": 0}),
    ],
)
def test_accepted_as_it_is(field, value):
    found, findings = check(field, value)
    assert findings.violations == []
    assert found == value
    assert type(found) is type(value)
    assert not findings.coerced


@pytest.mark.parametrize(
    ("field", "value", "converted"),
    [
        ("number", "12.50", 12.5),
        ("number", "1e3", 1000.0),
        ("number", "7", 7),
        ("int", "-7", -7),
        ("long", "9007199254740991", 2**53 - 1),
        ("at", 1652850348123, "2022-05-18T05:05:48.123Z"),
        ("at", 0, "1970-01-01T00:00:00.000Z"),
        ("day", 1652850348123, "2022-05-18"),
        ("items", [{"price": "3.5"}], [{"price": 3.5}]),
        ("counts", {"a": "1"}, {"a": 1}),
        ("measure", {"value": "2"}, {"value": 2}),
    ],
)
def test_converted(field, value, converted):
    found, findings = check(field, value)
    assert findings.violations == []
    assert found == converted
    assert findings.coerced


@pytest.mark.parametrize(
    ("field", "value", "code", "path"),
    [
        ("unknown", 1, MISMATCH, "unknown"),
        ("text", 5, MISMATCH, "text"),
        ("text", True, MISMATCH, "text"),
        ("text", ["x"], MISMATCH, "text"),
        ("text", {"a": 1}, MISMATCH, "text"),
        ("text", None, EMPTY, "text"),
        ("text", "", EMPTY, "text"),
        ("long_text", "ab", CONSTRAINT, "long_text"),
        ("long_text", "abcdef", CONSTRAINT, "long_text"),
        ("choice", "z", ENUM, "choice"),
        ("country", "de", CONSTRAINT, "country"),
        ("country", "DEU", CONSTRAINT, "country"),
        ("at", "2022-05-18 05:05:48Z", CONSTRAINT, "at"),
        ("at", "2022-05-18T05:05:48", CONSTRAINT, "at"),
        ("at", "2022-02-30T05:05:48Z", CONSTRAINT, "at"),
        ("at", "2022-05-18", CONSTRAINT, "at"),
        ("at", "1652850348123", CONSTRAINT, "at"),
        ("at", 1.5, MISMATCH, "at"),
        ("at", 10**30, MISMATCH, "at"),
        ("at", True, MISMATCH, "at"),
        ("day", "2022-5-18", CONSTRAINT, "day"),
        ("uri", "web", CONSTRAINT, "uri"),
        ("uri", "https://x.test/ä b", CONSTRAINT, "uri"),
        ("v4", "10.0.0.256", CONSTRAINT, "v4"),
        ("v6", "10.0.0.1", CONSTRAINT, "v6"),
        ("mail", "nobody", CONSTRAINT, "mail"),
        ("number", "twelve", MISMATCH, "number"),
        ("number", "NaN", MISMATCH, "number"),
        ("number", "1e999", MISMATCH, "number"),
        ("number", "", MISMATCH, "number"),
        ("number", True, MISMATCH, "number"),
        ("number", float("inf"), MISMATCH, "number"),
        ("int", float("inf"), MISMATCH, "int"),
        ("latitude", 91, CONSTRAINT, "latitude"),
        ("int", 1.5, MISMATCH, "int"),
        ("int", "2.5", MISMATCH, "int"),
        ("int", 2**31, CONSTRAINT, "int"),
        ("count", "-1", CONSTRAINT, "count"),
        ("long", 2**53, CONSTRAINT, "long"),
        ("flag", "true", MISMATCH, "flag"),
        ("flag", 1, MISMATCH, "flag"),
        ("flag", None, EMPTY, "flag"),
        ("tags", "abc", MISMATCH, "tags"),
        ("tags", [], EMPTY, "tags"),
        ("tags", [1], MISMATCH, "tags[]"),
        ("tags", [None], EMPTY, "tags[]"),
        ("tags", {"0": "a"}, MISMATCH, "tags"),
        ("items", [{"sku": 1}], MISMATCH, "items[].sku"),
        ("items", [{"other": 1}], MISMATCH, "items[].other"),
        ("items", [5], MISMATCH, "items[]"),
        ("map", {}, EMPTY, "map"),
        ("map", {"a": 1}, MISMATCH, "map.*"),
        ("map", {"a": ""}, EMPTY, "map.*"),
        ("map", {"a": None}, EMPTY, "map.*"),
        ("map", {"": "a"}, EMPTY, "map"),
        ("map", ["a"], MISMATCH, "map"),
        ("any", 5, MISMATCH, "any"),
        ("measure", {}, EMPTY, "measure"),
        ("measure", {"id": "a"}, MISSING, "measure.value"),
        ("measure", {"value": None}, MISSING, "measure.value"),
        ("_id", "a b", CONSTRAINT, "_id"),
        ("_id", "", EMPTY, "_id"),
        ("_id", 5, MISMATCH, "_id"),
        ("_id", None, MISSING, "_id"),
        ("timestamp", None, MISSING, "timestamp"),
        ("timestamp", "2024-01-01T00:00:01Z", CONSTRAINT, "timestamp"),
        ("timestamp", "1969-12-31T23:59:59.999Z", CONSTRAINT, "timestamp"),
        ("timestamp", "soon", CONSTRAINT, "timestamp"),
        ("identityMap", {}, EMPTY, "identityMap"),
        ("identityMap", {"A": []}, EMPTY, "identityMap.*"),
        ("identityMap", {"A": {"id": "x"}}, MISMATCH, "identityMap.*"),
        ("identityMap", {"A": ["x"]}, MISMATCH, "identityMap.*[]"),
        ("identityMap", {"A": [{"primary": True}]}, EMPTY, "identityMap.A[].id"),
        ("identityMap", {"A": [{"id": ""}]}, EMPTY, "identityMap.A[].id"),
        ("identityMap", {"A": [{"id": 5}]}, MISMATCH, "identityMap.*[].id"),
        ("identityMap", {"A": [{"id": "x", "primary": "true"}]}, MISMATCH, None),
        ("identityMap", {"A": [{"id": "x", "authenticatedState": "maybe"}]}, ENUM, None),
        ("identityMap", {"A": [{"id": "x", "name": "y"}]}, MISMATCH, None),
    ],
)
def test_rejected(field, value, code, path):
    _, findings = check(field, value)
    codes = {violation.code for violation in findings.violations}
    assert code in codes
    if path is not None:
        assert path in {violation.path for violation in findings.violations}
    assert all(violation.message for violation in findings.violations)


@pytest.mark.parametrize("missing", ["_id", "timestamp"])
def test_required_fields(missing):
    row = {key: value for key, value in ROW.items() if key != missing}
    [violation] = VALIDATOR.check(row).violations
    assert (violation.code, violation.path) == (MISSING, missing)


@pytest.mark.parametrize("timestamp", [1652850348123, "2022-05-18T07:05:48.000+02:00"])
def test_other_spellings_of_the_timestamp(timestamp):
    assert VALIDATOR.check({**ROW, "timestamp": timestamp}).violations == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"5",
        b"null",
        b'{"a": NaN}',
        b"{}{}",
        b'{"a": "\xff"}',
        b"[" * 9,
    ],
)
def test_corrupt_lines(line):
    assert VALIDATOR.parse(line) is None


def test_whole_integers_may_be_written_as_floats():
    found, findings = check("int", 5.0)
    assert findings.violations == []
    assert (found, type(found)) == (5, int)


def test_a_schema_with_an_unknown_type_is_refused():
    with pytest.raises(ValueError, match="no type 'decimal'"):
        RowValidator({"type": "object", "properties": {"a": {"type": "decimal"}}}, NOW)


def test_types_without_limits_of_their_own_have_those_of_their_xdm_type():
    schema = struct(
        {"short": {"type": "integer", "meta:xdmType": "short"}, "plain": {"type": "integer"}}
    )
    validator = RowValidator(schema, NOW)
    assert validator.check({"short": 2**15}).violations
    assert not validator.check({"short": 2**15 - 1, "plain": 2**40}).violations


def test_a_demo_event_is_valid():
    row = {
        **ROW,
        "eventType": "Purchase",
        "identityMap": {"MixpanelDistinctID": [{"id": "u", "primary": True}]},
        "environment": {"browserDetails": {"version": "101"}, "connectionType": "wireless_wifi"},
        "placeContext": {"geo": {"countryCode": "US", "stateProvince": "California"}},
        "web": {"webReferrer": {"URL": "https://x.test", "type": "search_engine"}},
        "commerce": {"purchases": {"value": 1}, "order": {"currencyCode": "EUR"}},
        "productListItems": [{"SKU": "a", "quantity": 2}],
        "_acmeretail": {
            "mixpanel": {
                "eventName": "Purchase",
                "import": False,
                "apiTimestampMs": 1652850348123,
                "properties": {
                    "items": [{"sku": "a", "price": 1.5, "quantity": 2}],
                    "Plan_Name": "x",
                },
                "otherProperties": {"$region": "Berlin"},
            }
        },
    }
    validator = RowValidator(mixpanel_schema("_acmeretail"), NOW)
    assert validator.check(json.loads(json.dumps(row))).violations == []
    row["implementationDetails"] = {"name": "web"}
    assert [v.keyword for v in validator.check(row).violations] == ["format"]


def test_the_other_demo_schemas():
    source = RowValidator(adobe_source_schema("_t"), NOW)
    assert not source.check(
        {**ROW, "_t": {"time": "2022-05-18T05:05:48Z", "import": True}}
    ).violations
    orders = RowValidator(orders_schema("_t"), NOW)
    row = {**ROW, "_t": {"orders": {"id": "1", "total": 5, "lines": [{"sku": "a", "qty": 1}]}}}
    assert not orders.check(row).violations


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_date_times_round_trip(naive, offset):
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert parse_date_time(moment.isoformat(timespec="microseconds")) == moment
    utc = moment.astimezone(timezone.utc)
    assert parse_date_time(utc.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")) == utc.replace(
        microsecond=0
    )


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_milliseconds_and_texts_agree(milliseconds):
    text = date_time_of_ms(milliseconds)
    moment = parse_date_time(text)
    assert (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) == timedelta(
        milliseconds=milliseconds
    )


@given(st.text())
def test_uri_references_have_no_spaces_or_controls(text):
    if is_uri_reference(text):
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*FIELDS, "x"]), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "_id", "timestamp", "x"]), JSON))
def test_any_row_is_judged_the_same_again(row):
    VALIDATOR.check(row)
    judged = json.dumps(row, default=str)
    findings = VALIDATOR.check(row)
    assert json.dumps(row, default=str) == judged
    assert not findings.coerced
