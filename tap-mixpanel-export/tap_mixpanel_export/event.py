"""All the work done per event: from a line of the export to a record of the stream.

The line is read with every number as it was written (decimals are kept as ``Decimal``) and
without a change to names, nesting or text, lone surrogate escapes included.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, NoReturn

from singer_sdk.singerlib.json import serialize_json

from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime
from tap_mixpanel_export.project_zone import instant_text

Record = dict[str, Any]

_EVENT_ID_BYTES = 16
_INTEGER_LIMIT = 2**63
# What an identity merge adds to an event that was exported before it; see
# https://docs.mixpanel.com/docs/data-structure/property-reference/reserved-properties
_ORIGINAL_IDENTITY = "$distinct_id_before_identity"
_MERGE_PROPERTIES = frozenset({_ORIGINAL_IDENTITY, "$is_reshuffled", "$preshuffle_distinct_id"})


class InvalidLineError(ValueError):
    """A line that is no event; the text is the reason, without any of the line."""


class NotJsonError(InvalidLineError):
    """A line that is not even JSON."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as exported.

    Attributes:
        name: The event's name.
        properties: Every property, exactly as exported.
        time_ms: Raw ``time`` in milliseconds, in the project's own basis.
        arrival_ms: ``mp_processing_time_ms``, UTC milliseconds, or None if it has none.
    """

    name: str
    properties: dict[str, Any]
    time_ms: int
    arrival_ms: int | None


def parse_event(line: bytes) -> Event:
    """Read one line of an export.

    Args:
        line: The line, with or without its newline.

    Raises:
        NotJsonError: It is not JSON in UTF-8.
        InvalidLineError: It is JSON but lacks what an event needs.
    """
    value = _parse_json(line)
    if not isinstance(value, dict):
        raise InvalidLineError("it is not a JSON object")
    name, properties = value.get("event"), value.get("properties")
    if not isinstance(name, str):
        raise InvalidLineError("'event' is missing or not a string")
    if not isinstance(properties, dict):
        raise InvalidLineError("'properties' is missing or not an object")
    arrival_ms = _integer(properties.get("mp_processing_time_ms"))
    return Event(name, properties, _time_ms(properties.get("time")), arrival_ms)


def build_record(event: Event, event_time: EventTime) -> Record:
    """Make the stream's record of an event; ``properties`` is the event's own object."""
    properties = event.properties
    received_ms = _integer(properties.get("$mp_api_timestamp_ms"))
    imported = properties.get("$import")
    return {
        "event_id": event_id(event),
        "event_name": event.name,
        "time": instant_text(event_time.to_utc(event.time_ms, received_ms)),
        "distinct_id": _text(properties.get("distinct_id")),
        "insert_id": _text(properties.get("$insert_id")),
        "device_id": _text(properties.get("$device_id")),
        "user_id": _text(properties.get("$user_id")),
        "import": imported if isinstance(imported, bool) else None,
        "mp_api_endpoint": _text(properties.get("$mp_api_endpoint")),
        "mp_api_timestamp_ms": received_ms,
        "mp_processing_time_ms": event.arrival_ms,
        "properties": properties,
    }


def event_id(event: Event) -> str:
    """Return the key of an event, equal however often and under whatever identity it comes.

    Mixpanel recognises an event by name, time, ``$insert_id`` and ``distinct_id``
    (https://developer.mixpanel.com/reference/event-deduplication). An identity merge changes
    the last one and keeps the old one in ``$distinct_id_before_identity``, so that is what
    counts. An event without ``$insert_id`` is known by its whole content.

    Returns:
        128 bits in hex.
    """
    properties = event.properties
    identity = properties.get(_ORIGINAL_IDENTITY, properties.get("distinct_id"))
    insert_id = properties.get("$insert_id")
    if insert_id in (None, ""):
        content = {k: v for k, v in properties.items() if k not in _MERGE_PROPERTIES}
        content["distinct_id"] = identity
        key: list[Any] = ["content", event.name, content]
    else:
        key = ["insert_id", event.name, event.time_ms, insert_id, identity]
    canonical = serialize_json(key, sort_keys=True).encode("ascii")
    return blake2b(canonical, digest_size=_EVENT_ID_BYTES).hexdigest()


def _parse_json(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse)
    except InvalidLineError:
        raise
    except UnicodeDecodeError as error:
        raise NotJsonError(f"it is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"it is not JSON ({error.msg}, character {error.pos})") from None
    except RecursionError:
        raise InvalidLineError("it is nested too deeply") from None
    except (ValueError, InvalidOperation):
        raise InvalidLineError("it holds a number too large to read") from None


def _refuse(constant: str) -> NoReturn:
    raise InvalidLineError(f"it holds {constant}, which JSON does not have")


def _time_ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidLineError("the property 'time' is missing or not a number")
    if not EARLIEST_TIME <= value <= LATEST_TIME:
        raise InvalidLineError("the property 'time' is outside years 1 to 9999")
    return int(value)


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return None
    integer = int(value)
    return integer if integer == value else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return serialize_json(value)
