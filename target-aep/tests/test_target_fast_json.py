"""Fast ways to read and write JSON give what the SDK's give, byte for byte."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from hashlib import blake2b

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.singerlib.json import deserialize_json, serialize_json
from target_aep.loading.json_lines import encode_line, json_text, read_json
from target_aep.loading.record_sum import record_number
from target_aep.loading.row_encoding import RowEncoder
from target_aep.mapping.model import Mapping, MappingSet
from target_aep.xdm.schema import ANY, XdmField

HALVES = st.sampled_from(["\ud83d", "\ude00", "\u2028", "\x7f", "\x00", "é", "😀", '"', "\\", "/"])
TEXTS = st.text(max_size=8) | st.lists(HALVES, max_size=4).map("".join)
NUMBERS = (
    st.integers(-(10**40), 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.floats()
    | st.sampled_from([2**63, 2**64, -(2**63) - 1, 0, -0.0])
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXTS, part, max_size=4),
    max_leaves=12,
)
ODD_JSON = [
    *(b'"\\ud800"', b'"\\ude00\\ud83d"', b'"\xed\xa0\x80"', b'"\xff"', b"NaN", b"-Infinity", b"-0"),
    *(
        b'{"a":1,"b":2,"a":3}',
        b"\xef\xbb\xbf{}",
        b" {}\r",
        b"{}\x0b",
        b"1.",
        b"01",
        b"1e5",
        b"[1,]",
    ),
    *(b"1E400", b"1" * 30, b"1" * 4301, b"1" * 400 + b".5", b'"\x01"', b"'a'", b"", b"\x00{\x00}"),
    *(b'{"\\ud800":1}', b'{"\xff":1}', b"[" * 5000, b"[1e999999999999999999999]", b"nul", b"{} {}"),
]


def outcome(read, line):
    """What it gives, in a form in which NaN is equal to itself, or what kind of error."""
    try:
        return repr(read(line))
    except RecursionError:
        return RecursionError
    except ValueError:
        return ValueError
    except ArithmeticError:
        return ArithmeticError


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_json_is_read_as_the_sdk_does(value, ensure_ascii, indent):
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, default=str)
    line = text.encode("utf-8", "surrogatepass")
    assert outcome(read_json, line) == outcome(deserialize_json, line)


@given(
    st.binary(max_size=12) | st.text('{}[]":,.-+eE019\\u truefalsn', max_size=12).map(str.encode)
)
def test_what_is_hardly_json_is_read_or_refused_as_the_sdk_does(line):
    assert outcome(read_json, line) == outcome(deserialize_json, line)


@pytest.mark.parametrize("line", ODD_JSON)
def test_odd_json_is_read_or_refused_as_the_sdk_does(line):
    assert outcome(read_json, line) == outcome(deserialize_json, line)


@given(VALUES)
def test_json_is_written_as_the_sdk_does(value):
    assert json_text(value) == serialize_json(value, ensure_ascii=False)


def expression(destination):
    return Mapping("EXPRESSION", "upper(a)", destination)


ENCODERS = [
    RowEncoder(MappingSet("", tuple(map(expression, ("a", "b.c", "d[0].e")))), None),
    RowEncoder(MappingSet("", ()), ANY),
]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.dictionaries(TEXTS, VALUES, max_size=3) | VALUES)
)
def test_a_row_that_may_have_any_value_is_written_as_ever(row):
    lines = bytearray(b"before\n")
    ENCODERS[1].append(row, lines)
    assert lines == b"before\n" + encode_line(row)


@given(VALUES, st.floats())
def test_a_row_whose_expressions_give_any_value_is_written_as_ever(value, number):
    row = {"a": value, "b": {"c": number, "plain": Decimal("1.50")}, "d": [{"e": value}], "x": "y"}
    lines = bytearray()
    ENCODERS[0].append(row, lines)
    assert lines == encode_line(row)


@given(st.floats(), st.text(max_size=3))
def test_numbers_of_a_schema_are_written_as_ever(number, text):
    field = XdmField("number")
    inner = XdmField("object", {"n": field, "t": XdmField("string")})
    schema = XdmField("object", {"o": inner, "l": XdmField("array", items=inner)})
    encoder = RowEncoder(MappingSet("", ()), schema)
    row = {"o": {"n": number, "t": text}, "l": [{"n": number}], "_id": text}
    lines = bytearray()
    encoder.append(row, lines)
    assert lines == encode_line(row)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e16)
@example(math.nextafter(1e16, 0))
@example(1e-4)
@example(math.nextafter(1e-4, 0))
@example(5e-324)
def test_floats_are_written_as_ever(number):
    lines = bytearray()
    ENCODERS[1].append({"a": number}, lines)
    assert lines == encode_line({"a": number})


def number_by_the_sdk(record, key):
    named = [record.get(name) for name in key] or record
    text = serialize_json(named, sort_keys=True)
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


@given(
    st.dictionaries(st.sampled_from("abc"), TEXTS | VALUES),
    st.lists(st.sampled_from("abc"), max_size=2, unique=True),
)
def test_the_number_of_a_record_is_that_of_earlier_versions(record, key):
    assert record_number(record, key) == number_by_the_sdk(record, key)


def test_the_number_of_an_id_is_that_of_earlier_versions():
    record = {"id": "14bc1b491aebc718"}
    assert record_number(record, ["id"]) == number_by_the_sdk(record, ["id"])
    assert record_number(record, ["id"]) == 680398970847972574
