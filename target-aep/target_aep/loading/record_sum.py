"""A sum over records that tells whether two runs were given the same ones, in whatever order.

Sums are numbers below 2**64 that are added modulo 2**64, so that the sum of what came after a STATE
is the sum up to another one less the sum up to it.
"""

from __future__ import annotations

import typing as t
from hashlib import blake2b

import simplejson  # type: ignore[import-untyped]  # the SDK's; it has no types

from target_aep.loading.json_lines import as_text

if t.TYPE_CHECKING:
    from collections.abc import Sequence

MODULUS: t.Final = 1 << 64

_DIGEST_BYTES = 8
_EMPTY: t.Final = blake2b(digest_size=_DIGEST_BYTES)


def record_number(record: dict[str, t.Any], key_properties: Sequence[str]) -> int:
    """What a record adds to the sum.

    It is made of the key alone where the stream has one: Mixpanel exports an event with other
    identities once its user has been merged with another one.

    Args:
        record: The record.
        key_properties: The stream's key.
    """
    if len(key_properties) == 1:
        value = record.get(key_properties[0])
        if type(value) is str and value.isalnum() and value.isascii():
            return _number_of(b'["%b"]' % value.encode())
    return _number_of(_text_of([record.get(name) for name in key_properties] or record))


def _text_of(named: t.Any) -> bytes:
    """As `serialize_json` of the SDK writes it."""
    text: str = _ENCODER.encode(named)
    return text.encode("utf-8", "surrogatepass")


def _number_of(text: bytes) -> int:
    digest = _EMPTY.copy()
    digest.update(text)
    return int.from_bytes(digest.digest(), "big")


_ENCODER: t.Final = simplejson.JSONEncoder(
    separators=(",", ":"), default=as_text, sort_keys=True, use_decimal=True, ignore_nan=True
)
