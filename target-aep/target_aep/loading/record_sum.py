"""A sum over records that tells whether two runs were given the same ones, in whatever order.

Sums are numbers below 2**64 that are added modulo 2**64, so that the sum of what came after a STATE
is the sum up to another one less the sum up to it.
"""

from __future__ import annotations

import typing as t
from hashlib import blake2b

from singer_sdk.singerlib.json import serialize_json

if t.TYPE_CHECKING:
    from collections.abc import Sequence

MODULUS: t.Final = 1 << 64

_DIGEST_BYTES = 8


def record_number(record: dict[str, t.Any], key_properties: Sequence[str]) -> int:
    """What a record adds to the sum.

    It is made of the key alone where the stream has one: Mixpanel exports an event with other
    identities once its user has been merged with another one.

    Args:
        record: The record.
        key_properties: The stream's key.
    """
    named = [record.get(name) for name in key_properties] or record
    text = serialize_json(named, sort_keys=True)
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES)
    return int.from_bytes(digest.digest(), "big")
