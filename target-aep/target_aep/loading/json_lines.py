"""JSON as it is read and written: compact, numbers as they came, in UTF-8.

`singer_sdk.singerlib.json` says how: numbers with a fraction are Decimal, half a surrogate pair is
let through, NaN is written as null. msgspec does the same many times faster for what is JSON in
UTF-8, and refuses the rest, which is left to the ordinary way. The SDK itself is not imported: a
worker process does without it.
"""

from __future__ import annotations

import json
import typing as t
from datetime import datetime
from decimal import Decimal

import msgspec
import simplejson  # type: ignore[import-untyped]  # the SDK's; it has no types

read_plain_json: t.Final = msgspec.json.Decoder(float_hook=Decimal).decode
"""Reads most of JSON, the same as `read_json`; an error says nothing but that it does not."""


def read_json(line: bytes) -> t.Any:
    """A line as `deserialize_json` of the SDK reads it.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.
    """
    try:
        return read_plain_json(line)
    except Exception:  # noqa: BLE001 - whatever it is, the ordinary way takes or refuses it
        return json.loads(line, parse_float=Decimal)


def json_text(value: t.Any) -> str:
    """A value as compact JSON text, non-ASCII characters as they are."""
    return t.cast("str", _ENCODER.encode(value))


def encode_line(document: t.Any) -> bytes:
    """A JSON line in UTF-8; half a surrogate pair, which UTF-8 can't hold, becomes U+FFFD."""
    text = json_text(document) + "\n"
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def as_text(value: object) -> str:
    """What is none of JSON's types, as the SDK writes it."""
    return value.isoformat(sep="T") if isinstance(value, datetime) else str(value)


_ENCODER: t.Final = simplejson.JSONEncoder(
    ensure_ascii=False,
    separators=(",", ":"),
    default=as_text,
    use_decimal=True,
    ignore_nan=True,
)
