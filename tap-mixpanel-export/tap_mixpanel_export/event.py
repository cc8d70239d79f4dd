"""All the work done per event: from a line of the export to a record of the stream.

The line is read with every number as it was written (decimals are kept as ``Decimal``) and
without a change to names, nesting or text, lone surrogate escapes included.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NoReturn

from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME, EventTime
from tap_mixpanel_export.instants import instant_text
from tap_mixpanel_export.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable

Record = dict[str, Any]

EVENT_ID_BYTES = 16
_INTEGER_LIMIT = 2**63
# Mixpanel takes objects three deep. The SDK and `json_text` recurse into a record, and fail
# from some 300 levels on, when records of the same window are out already.
DEEPEST = 100
_TOO_DEEP = f"it is nested too deeply (more than {DEEPEST} levels)"
# What an identity merge adds to an event that was exported before it; see
# https://docs.mixpanel.com/docs/data-structure/property-reference/reserved-properties
_ORIGINAL_IDENTITY = "$distinct_id_before_identity"
MERGE_PROPERTIES = frozenset({_ORIGINAL_IDENTITY, "$is_reshuffled", "$preshuffle_distinct_id"})
"""What does not count where an event is known by its content."""


class InvalidLineError(ValueError):
    """A line that is no event; the text is the reason, without any of the line."""


class ForeignLineError(InvalidLineError):
    """A line without the shape of an event: at a body's end it may be Mixpanel's own words."""


class ErrorLineError(ForeignLineError):
    """A JSON object that reports an error where an event should be."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event as exported.

    Attributes:
        name: The event's name.
        properties: Every property, exactly as exported.
        time_ms: Raw ``time`` in milliseconds, in the project's own basis.
        arrival_ms: ``mp_processing_time_ms``, UTC milliseconds, or None if it is no number.
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
        ErrorLineError: It is an object with ``error`` and without ``event``.
        ForeignLineError: It is no JSON in UTF-8, or no object with an event's two keys.
        InvalidLineError: It has these but lacks something else that an event needs.
    """
    value = _parse_json(line)
    _check_depth(line, value)
    if not isinstance(value, dict):
        raise ForeignLineError("it is not a JSON object")
    if "error" in value and "event" not in value:
        raise ErrorLineError("it reports an error and is no event")
    name, properties = value.get("event"), value.get("properties")
    if not isinstance(name, str):
        raise ForeignLineError("'event' is missing or not a string")
    if not isinstance(properties, dict):
        raise ForeignLineError("'properties' is missing or not an object")
    arrival_ms = _arrival_ms(properties.get("mp_processing_time_ms"))
    return Event(name, properties, _time_ms(properties.get("time")), arrival_ms)


def event_of(record: Record) -> Event:
    """Return the event that a record was built of.

    Raises:
        InvalidLineError: It was built of none.
    """
    properties = record["properties"]
    arrival_ms = _arrival_ms(properties.get("mp_processing_time_ms"))
    return Event(record["event_name"], properties, _time_ms(properties.get("time")), arrival_ms)


def build_record(event: Event, event_time: EventTime) -> Record:
    """Make the stream's record of an event; ``properties`` is the event's own object."""
    properties = event.properties
    received_ms = integer_of(properties.get("$mp_api_timestamp_ms"))
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
        "mp_processing_time_ms": integer_of(properties.get("mp_processing_time_ms")),
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
    identity = identity_of(properties)
    insert_id = properties.get("$insert_id")
    if insert_id in (None, ""):
        content = {k: v for k, v in properties.items() if k not in MERGE_PROPERTIES}
        content["distinct_id"] = identity
        key: list[Any] = ["content", event.name, content]
    else:
        key = ["insert_id", event.name, event.time_ms, insert_id, identity]
    canonical = json_text(key, sort_keys=True).encode("ascii")
    return blake2b(canonical, digest_size=EVENT_ID_BYTES).hexdigest()


def identity_of(properties: dict[str, Any]) -> object:
    """Return the identity under which an event came first."""
    identity = properties.get(_ORIGINAL_IDENTITY)
    return properties.get("distinct_id") if identity is None else identity


def _parse_json(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse)
    except InvalidLineError:
        raise
    except UnicodeDecodeError as error:
        raise ForeignLineError(f"it is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise ForeignLineError(f"it is not JSON ({error.msg}, character {error.pos})") from None
    except RecursionError:
        raise InvalidLineError(_TOO_DEEP) from None
    except (ValueError, InvalidOperation):
        raise InvalidLineError("it holds a number too large to read") from None


def _check_depth(line: bytes, value: object) -> None:
    if line.count(b"{") + line.count(b"[") <= DEEPEST:
        return
    containers = [value]
    for _ in range(DEEPEST):
        inner = (part for outer in containers for part in _parts(outer))
        containers = [part for part in inner if isinstance(part, (dict, list))]
        if not containers:
            return
    raise InvalidLineError(_TOO_DEEP)


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse(constant: str) -> NoReturn:
    raise InvalidLineError(f"it holds {constant}, which JSON does not have")


def _time_ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidLineError("the property 'time' is missing or not a number")
    if not EARLIEST_TIME <= value <= LATEST_TIME:
        raise InvalidLineError("the property 'time' is outside years 1 to 9999")
    return int(value)


def _arrival_ms(value: object) -> int | None:
    """Read an arrival as Mixpanel compares it: any number, the next millisecond for a fraction."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return math.ceil(value) if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT else None


def integer_of(value: object) -> int | None:
    """Return a whole number of 64 bits, however it is written, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return None
    integer = int(value)
    return integer if integer == value else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json_text(value)
