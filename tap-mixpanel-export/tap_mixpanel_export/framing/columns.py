"""The columns of a record: what they are read from, and how they are written."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct, field
from msgspec.json import Decoder, Encoder

from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME

_Integer = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Time = Annotated[int, Meta(ge=EARLIEST_TIME, le=LATEST_TIME)]
_Name = Annotated[str, Meta(min_length=1)]


class Columns(Struct, gc=False):
    """What the columns are made of, each of the type that it nearly always has."""

    time: _Time
    distinct_id: str | None = None
    insert_id: _Name | None = field(default=None, name="$insert_id")
    device_id: str | None = field(default=None, name="$device_id")
    user_id: str | None = field(default=None, name="$user_id")
    imported: bool | None = field(default=None, name="$import")
    endpoint: str | None = field(default=None, name="$mp_api_endpoint")
    received: _Integer | None = field(default=None, name="$mp_api_timestamp_ms")
    arrival: _Integer | None = field(default=None, name="mp_processing_time_ms")
    original_id: str | None = field(default=None, name="$distinct_id_before_identity")


class OpenRecord(Struct, gc=False):
    """A record whose last column, ``properties``, is still to be written, and its closing brace."""

    event_id: str
    event_name: Raw
    time: str
    distinct_id: str | None
    insert_id: str | None
    device_id: str | None
    user_id: str | None
    imported: bool | None = field(name="import")
    mp_api_endpoint: str | None
    mp_api_timestamp_ms: int | None
    mp_processing_time_ms: int | None
    properties: Raw = Raw(b"")


read_columns = Decoder(Columns).decode
"""Reads the properties of an event; checks the grammar of all of them."""

encode = Encoder().encode
"""Writes an ``OpenRecord``, with a brace at its end that is one too many, or other values."""
