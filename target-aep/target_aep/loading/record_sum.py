"""A sum over records that tells whether two runs were given the same ones, in whatever order.

Sums are numbers below 2**64 that are added modulo 2**64, so that the sum of what came after a STATE
is the sum up to another one less the sum up to it.
"""

from __future__ import annotations

import struct
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
    return sum_of([summand_of(record, key_properties)])


def summand_of(record: dict[str, t.Any], key_properties: Sequence[str]) -> str | bytes:
    """What stands for a record in `sum_of`: its key, if that is one text, else a text of it."""
    if len(key_properties) == 1:
        key = record.get(key_properties[0])
        return key if key.__class__ is str else _text_of([key])
    return _text_of([record.get(name) for name in key_properties] or record)


def sum_of(summands: Sequence[str | bytes]) -> int:
    """The sum of records.

    Args:
        summands: The `summand_of` of each.
    """
    digests = []
    for text in _texts_of(summands):
        digest = _EMPTY.copy()
        digest.update(text)
        digests.append(digest.digest())
    numbers: tuple[int, ...] = struct.unpack(f">{len(digests)}Q", b"".join(digests))
    return sum(numbers) % MODULUS


def _texts_of(summands: Sequence[str | bytes]) -> Sequence[bytes]:
    """The JSON that is summed; most keys need no encoder for it."""
    if all(each.__class__ is str and each for each in summands):
        keys = t.cast("Sequence[str]", summands)
        joined = "".join(keys)
        if joined.isalnum() and joined.isascii():
            return [b'["%b"]' % key.encode() for key in keys]
    return [each if isinstance(each, bytes) else _text_of([each]) for each in summands]


def _text_of(named: t.Any) -> bytes:
    """As `serialize_json` of the SDK writes it."""
    text: str = _ENCODER.encode(named)
    return text.encode("utf-8", "surrogatepass")


_ENCODER: t.Final = simplejson.JSONEncoder(
    separators=(",", ":"), default=as_text, sort_keys=True, use_decimal=True, ignore_nan=True
)
