"""From a line to a record: verbatim properties, typed columns, a key that stays."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.json import serialize_json
from tap_mixpanel_export.event import (
    ErrorLineError,
    Event,
    ForeignLineError,
    InvalidLineError,
    build_record,
    event_id,
    parse_event,
)
from tap_mixpanel_export.event_time import EventTime

UTC = EventTime(None)
TIME = 1652825148000

texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def line(properties, name="Opened", **extra):
    return json.dumps({"event": name, "properties": {"time": TIME, **properties}, **extra}).encode()


def record(**properties):
    return build_record(parse_event(line(properties)), UTC)


def key(name="Opened", **properties):
    return event_id(parse_event(line(properties, name)))


@given(st.dictionaries(texts.filter(lambda name: name != "time"), values, max_size=6))
def test_properties_are_verbatim(properties):
    found = build_record(parse_event(line(properties)), UTC)["properties"]
    # The way through the pipe: the SDK's writer, then any reader.
    assert json.loads(serialize_json(found)) == {"time": TIME, **properties}


@pytest.mark.parametrize("number", ["1.0", "1.50", "0.1000000000000000055511151231257827", "-0.0"])
def test_decimals_keep_their_digits(number):
    raw = b'{"event":"a","properties":{"time":1,"n":' + number.encode() + b"}}"
    found = build_record(parse_event(raw), UTC)["properties"]
    assert serialize_json(found["n"]) == number


def test_the_columns():
    found = record(
        **{
            "distinct_id": "ada",
            "$insert_id": "i-1",
            "$device_id": 17,
            "$user_id": ["x", {"y": 1}],
            "$import": True,
            "$mp_api_endpoint": "api.mixpanel.com",
            "$mp_api_timestamp_ms": TIME + 5,
            "mp_processing_time_ms": TIME + 7,
        }
    )
    assert {name: value for name, value in found.items() if name != "properties"} == {
        "event_id": found["event_id"],
        "event_name": "Opened",
        "time": "2022-05-17T22:05:48.000Z",
        "distinct_id": "ada",
        "insert_id": "i-1",
        "device_id": "17",
        "user_id": '["x",{"y":1}]',
        "import": True,
        "mp_api_endpoint": "api.mixpanel.com",
        "mp_api_timestamp_ms": TIME + 5,
        "mp_processing_time_ms": TIME + 7,
    }


def test_columns_without_a_fitting_property_are_null():
    found = record(**{"$import": "yes", "$mp_api_timestamp_ms": "7", "mp_processing_time_ms": 1.5})
    for column in (
        "distinct_id",
        "insert_id",
        "device_id",
        "user_id",
        "import",
        "mp_api_endpoint",
        "mp_api_timestamp_ms",
        "mp_processing_time_ms",
    ):
        assert found[column] is None
    assert record(mp_processing_time_ms=7.0)["mp_processing_time_ms"] == 7
    assert record(mp_processing_time_ms=True)["mp_processing_time_ms"] is None
    assert record(mp_processing_time_ms=2**63)["mp_processing_time_ms"] is None
    assert record(distinct_id="")["distinct_id"] == ""
    assert record(distinct_id=False)["distinct_id"] == "false"


def test_fractions_of_a_millisecond_are_cut():
    assert parse_event(b'{"event":"a","properties":{"time":-0.5}}').time_ms == 0
    assert parse_event(b'{"event":"a","properties":{"time":7.9}}').time_ms == 7


GOLDEN = {
    "with": "1efd5d56c92b6a4ae572dede5132dada",
    "without": "22e5d1c759f1b53651116078bbac785a",
}


def test_the_key_is_the_same_in_every_version():
    assert key(**{"$insert_id": "i-1", "distinct_id": "ada"}) == GOLDEN["with"]
    assert key(distinct_id="ada", price=1.50, tag="é\u2028") == GOLDEN["without"]


@pytest.mark.parametrize("insert_id", [{"$insert_id": "i-1"}, {}])
def test_an_identity_merge_does_not_change_the_key(insert_id):
    merged = {
        "$distinct_id_before_identity": "anonymous",
        "$is_reshuffled": True,
        "$preshuffle_distinct_id": "anonymous",
    }
    before = key(**insert_id, distinct_id="anonymous", x=1)
    assert key(**insert_id, distinct_id="ada", x=1, **merged) == before
    assert key(**insert_id, distinct_id="ada", x=1) != before
    without = {"$distinct_id_before_identity": None}
    assert key(**insert_id, distinct_id="anonymous", x=1, **without) == before


def test_the_key_tells_events_apart():
    base = {"$insert_id": "i-1", "distinct_id": "ada"}
    keys = {
        key(**base),
        key("Closed", **base),
        key(**{**base, "time": TIME + 1}),
        key(**{**base, "$insert_id": "i-2"}),
        key(**{**base, "$insert_id": 1}),
        key(**{**base, "$insert_id": "1"}),
        key(**{**base, "distinct_id": "bob"}),
        key(distinct_id="ada"),
        key(distinct_id="ada", **{"$insert_id": ""}),
        key(distinct_id="ada", x=1),
        key(distinct_id="ada", x="1"),
        key(distinct_id="ada", x=1.0),
    }
    assert len(keys) == 12
    assert key(**base) == key(**base, later_property="ignored")


def test_content_without_insert_id_is_known_whatever_its_order():
    one = parse_event(b'{"event":"a","properties":{"time":1,"x":1,"y":[1,2]}}')
    other = parse_event(b'{"properties":{"y":[1,2],"x":1,"time":1},"event":"a"}')
    assert event_id(one) == event_id(other)


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (b"terminated early", ForeignLineError, "not JSON"),
        (b'{"event":"a","properties":{"time":1', ForeignLineError, "not JSON"),
        (b'{"event":"Caf\xe9"}', ForeignLineError, "not UTF-8 (byte 13)"),
        (b"[1]", ForeignLineError, "not a JSON object"),
        (b'"text"', ForeignLineError, "not a JSON object"),
        (b'{"properties":{"time":1}}', ForeignLineError, "'event'"),
        (b'{"event":1,"properties":{"time":1}}', ForeignLineError, "'event'"),
        (b'{"event":"a"}', ForeignLineError, "'properties'"),
        (b'{"event":"a","properties":[]}', ForeignLineError, "'properties'"),
        (b'{"error":"x","properties":{"time":1}}', ErrorLineError, "reports an error"),
        (b'{"event":"a","properties":{}}', InvalidLineError, "'time'"),
        (b'{"event":"a","properties":{"time":"1"}}', InvalidLineError, "'time'"),
        (b'{"event":"a","properties":{"time":true}}', InvalidLineError, "'time'"),
        (b'{"event":"a","properties":{"time":NaN}}', InvalidLineError, "NaN"),
        (b'{"event":"a","properties":{"time":1,"x":-Infinity}}', InvalidLineError, "-Infinity"),
        (b'{"event":"a","properties":{"time":1e400000}}', InvalidLineError, "years 1 to 9999"),
        (b'{"event":"a","properties":{"time":-62135596800001}}', InvalidLineError, "years 1"),
        (b'{"event":"a","properties":{"time":253402300800000}}', InvalidLineError, "years 1"),
        (
            b'{"event":"a","properties":{"time":1,"x":1e99999999999999999999}}',
            InvalidLineError,
            "too large",
        ),
        (
            b'{"event":"a","properties":{"time":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
            InvalidLineError,
            "too deeply",
        ),
    ],
)
def test_lines_that_are_no_events(raw, error, words):
    with pytest.raises(error) as caught:
        parse_event(raw)
    assert words in str(caught.value)
    assert type(caught.value) is error


def nested(opening, closing, levels):
    """An event whose innermost container is so many levels deep."""
    inside = levels - 2
    return b'{"event":"a","properties":{"time":1,"x":%s%s}}' % (
        opening * inside + b"1",
        closing * inside,
    )


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_nesting_has_a_limit(opening, closing):
    assert record_of(nested(opening, closing, 100))["event_id"]
    with pytest.raises(InvalidLineError, match="more than 100 levels"):
        parse_event(nested(opening, closing, 101))
    with pytest.raises(InvalidLineError, match="more than 100 levels"):
        parse_event(nested(opening, closing, 900))


def record_of(raw):
    return build_record(parse_event(raw), UTC)


def test_many_brackets_that_are_not_nested_are_no_depth():
    raw = line({"x": [[n] for n in range(300)], "y": "[" * 300 + "{" * 300})
    assert len(record_of(raw)["properties"]["x"]) == 300


def test_an_event_keeps_its_arrival():
    found = parse_event(line({"mp_processing_time_ms": 7}))
    assert found == Event("Opened", {"time": TIME, "mp_processing_time_ms": 7}, TIME, 7)
    assert isinstance(parse_event(line({"x": 1.5})).properties["x"], Decimal)
