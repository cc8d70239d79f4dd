"""The ``event_id`` of events without ``$insert_id``, from their text: every property counts.

``event_id`` of ``event.py`` says what it is. Here ``msgspec`` reads and writes the properties,
which takes a fraction of the time. Texts that it writes in another way are left to ``event_id``.
"""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from tap_mixpanel_export.event import EVENT_ID_BYTES, MERGE_PROPERTIES, Event, event_id, identity_of
from tap_mixpanel_export.json_text import escaped

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


def id_by_content(name: bytes, raw: bytes) -> str:
    """Return the key of an event.

    Args:
        name: Its name, as JSON text in ASCII.
        raw: Its properties, which are JSON and have no ``$insert_id``.

    Raises:
        ValueError: There is a number that cannot be read.
        ArithmeticError: As above.
        RecursionError: They are nested too deeply.
    """
    try:
        content = _decode(raw)
    except msgspec.MsgspecError:
        return _by_parsing(name, raw)
    identity = identity_of(content)
    for each in MERGE_PROPERTIES & content.keys():
        del content[each]
    content["distinct_id"] = identity
    key = b'["content",%b,%b]' % (name, escaped(_encode(content)))
    return blake2b(key, digest_size=EVENT_ID_BYTES).hexdigest()


def _by_parsing(name: bytes, raw: bytes) -> str:
    properties = json.loads(raw, parse_float=Decimal)
    return event_id(Event(json.loads(name), properties, time_ms=0, arrival_ms=None))
