"""Records in the tap's layouts, of events that the generator makes, and odd values."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from emulators.generator import Quirks, generate
from emulators.jsonlines import encode_event
from hypothesis import strategies as st

Record = dict[str, Any]

_ODD_VALUES = (
    *(None, "", "a", "user-1", "null", " Anonymous", "02134", "12", "1.50", "true", "DE"),
    *("é\ud800", "2024-05-18T05:05:48.000Z", "2024-02-30T05:05:48.000Z"),
    *(0, 1, True, False, 5, 11, 2**53, 10**20, 1.5, 1e16),
    *(Decimal("1.5"), Decimal("0.1000000000000000055"), Decimal("1E+3")),
)
PLAIN_VALUES = st.one_of(
    st.sampled_from(_ODD_VALUES),
    st.text(max_size=5),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
)
VALUES = st.recursive(
    PLAIN_VALUES,
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "sku", "price", "street", "lines", "", "a.b"]), part
        )
    ),
    max_leaves=6,
)
"""Values of properties, odd ones among them."""

_COLUMNS = {
    "distinct_id": "distinct_id",
    "insert_id": "$insert_id",
    "device_id": "$device_id",
    "user_id": "$user_id",
    "import": "$import",
    "mp_api_endpoint": "$mp_api_endpoint",
    "mp_api_timestamp_ms": "$mp_api_timestamp_ms",
    "mp_processing_time_ms": "mp_processing_time_ms",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def generated_records(count: int, seed: int = 7, quirks: Quirks | None = None) -> list[Record]:
    """Records in the layout `object`: columns, and all properties below `properties`."""
    now = datetime(2025, 3, 1, tzinfo=timezone.utc)
    odd = quirks or Quirks()
    events = generate(seed, 1, count, start=date(2025, 1, 7), now=now, quirks=odd)
    decoded = [json.loads(encode_event(event), parse_float=Decimal) for event in events]
    return [_record(event, number) for number, event in enumerate(decoded)]


def in_columns(record: Record) -> Record:
    """The same in the layout `columns`: each property a column of its own."""
    columns = {name: value for name, value in record.items() if name != "properties"}
    repeated = {*_COLUMNS.values(), "time"}
    named = {
        name.lstrip("$"): value
        for name, value in record["properties"].items()
        if name not in repeated
    }
    return {**named, **columns, "_sdc_extracted_at": "2025-03-01T00:00:00Z"}


def _record(event: Record, number: int) -> Record:
    properties = event["properties"]
    moment = _EPOCH + timedelta(milliseconds=int(properties["time"]))
    return {
        "event_id": f"event{number}",
        "event_name": event["event"],
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{column: properties.get(name) for column, name in _COLUMNS.items()},
        "properties": properties,
    }
