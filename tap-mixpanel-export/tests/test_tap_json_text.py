"""JSON texts are those that the SDK writes."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.singerlib.json import serialize_json
from tap_mixpanel_export.json_text import escaped, json_text, quoted

texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=8) | st.sampled_from(
    ["\0number 1", 'a"\0number 2', '"\0number 3"', "\0number "]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values, st.booleans())
def test_any_value_is_written_as_the_sdk_writes_it(value, sort_keys):
    text = json_text(value, sort_keys=sort_keys)
    assert text == serialize_json(value, sort_keys=sort_keys)
    assert text.isascii()
    json.loads(text, parse_float=Decimal)


@given(st.text())
@example("".join(map(chr, range(0x100))))
@example("\u2028\u2029\ufffe\uffff\U00010000\U0010ffff")
def test_what_another_library_writes_gets_the_same_escapes(text):
    assert escaped(msgspec.json.encode(text)).decode() == quoted(text)
