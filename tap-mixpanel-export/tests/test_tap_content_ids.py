"""The key of an event without `$insert_id` is the same however its text is read."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tap_mixpanel_export.event import event_id, parse_event
from tap_mixpanel_export.framing.content_ids import id_by_content

texts = st.text(max_size=6)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
COUNTED = ["distinct_id", "$distinct_id_before_identity", "$is_reshuffled", "$insert_id"]
properties = st.dictionaries(texts | st.sampled_from(COUNTED[:3]), values, max_size=6)


def assert_same(name, raw):
    line = f'{{"event":{json.dumps(name)},"properties":{raw}}}'.encode()
    assert id_by_content(json.dumps(name).encode(), raw.encode()) == event_id(parse_event(line))


@given(texts, properties, st.booleans())
@example("a", {"x": "\x7f\x80\u2028\U0001f600", "\uffff": 1, "\U00010000": 2}, False)
@example("a", {"$insert_id": None, "distinct_id": None, "B": 1, "a": 2, "": 3}, False)
def test_any_properties_have_the_same_key(name, others, is_ascii):
    raw = json.dumps({"time": 1, **others}, ensure_ascii=is_ascii, separators=(",", ":"))
    assert_same(name, raw)


@pytest.mark.parametrize(
    "number",
    [
        *(
            "1.50",
            "-0",
            "-0.0",
            "0.0000001",
            "1e5",
            "1E+5",
            "1e-9",
            "1e400",
            "12345678901234567890",
        ),
        *("1" * 30, "-" + "9" * 30, "9" * 4300, "0." + "1" * 60, "1e" + "9" * 17),
    ],
)
def test_numbers_count_as_they_are_written(number):
    assert_same("a", f'{{"time":1,"x":[{number}]}}')
    assert_same("a", f'{{"time":1,"x":{{"y":{number}}}}}')


def test_the_last_of_equal_names_counts():
    assert_same("a", '{"time":1,"x":1,"y":{"z":1,"z":2},"x":"2"}')


def test_texts_with_escapes_are_the_same():
    assert_same("a", r'{"time":1,"x":"\u00e9\/\b\f\n\r\t\"\\\ud83d\ude00","\u0041":1}')


def test_a_number_that_no_decimal_holds_is_an_error():
    with pytest.raises(ArithmeticError):
        id_by_content(b'"a"', b'{"time":1,"x":1e' + b"9" * 30 + b"}")
    assert Decimal("1e" + "9" * 17)
