"""What a programmer would write instead of the default mapping: one loop over the properties.

It makes the rows that `target-aep` makes with the mapping `mixpanel` and without a schema, of
records as the tap sends them. Nothing else of the target is here: no limits of rows and identities,
no reasons, no counts, no dead letters, no duplicates, no state.
"""

from __future__ import annotations

from typing import Any

import msgspec

Record = dict[str, Any]

TENANT = "tenant"

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_COLUMNS = {
    "distinct_id": "distinctId",
    "insert_id": "insertId",
    "device_id": "deviceId",
    "user_id": "userId",
    "import": "import",
    "mp_api_endpoint": "apiEndpoint",
    "mp_api_timestamp_ms": "apiTimestampMs",
    "mp_processing_time_ms": "processingTimeMs",
}
_IN_COLUMNS = frozenset(
    {
        "time",
        "distinct_id",
        "$insert_id",
        "$device_id",
        "$user_id",
        "$import",
        "$mp_api_endpoint",
        "$mp_api_timestamp_ms",
        "mp_processing_time_ms",
    }
)
_FIELDS: dict[str, tuple[str, ...]] = {
    "$browser": ("environment", "browserDetails", "name"),
    "$browser_version": ("environment", "browserDetails", "version"),
    "$os": ("environment", "operatingSystem"),
    "$os_version": ("environment", "operatingSystemVersion"),
    "$carrier": ("environment", "carrier"),
    "$device": ("device", "typeID"),
    "$model": ("device", "model"),
    "$manufacturer": ("device", "manufacturer"),
    "$screen_width": ("device", "screenWidth"),
    "$screen_height": ("device", "screenHeight"),
    "$city": ("placeContext", "geo", "city"),
    "$current_url": ("web", "webPageDetails", "URL"),
    "$referrer": ("web", "webReferrer", "URL"),
    "utm_campaign": ("marketing", "campaignName"),
    "$app_version_string": ("application", "version"),
    "$lib_version": ("implementationDetails", "version"),
    "revenue": ("commerce", "order", "priceTotal"),
    "order_id": ("commerce", "order", "purchaseID"),
}
_IDENTITIES = (
    ("distinct_id", "MixpanelDistinctID", True),
    ("user_id", "MixpanelUserID", False),
    ("device_id", "MixpanelDeviceID", False),
)

_encode = msgspec.json.Encoder().encode


def mixpanel_row(record: Record) -> Record:
    """The XDM object of a record."""
    row: Record = {
        "_id": record["event_id"],
        "timestamp": record["time"],
        "eventType": record["event_name"],
    }
    rest: dict[str, str] = {}
    properties = record["properties"]
    for name, value in properties.items():
        if name in _IN_COLUMNS or value in _EMPTY:
            continue
        path = _FIELDS.get(name)
        if path is not None:
            _put(row, path, value)
        elif not _put_special(row, name, value, properties):
            rest[name] = value if type(value) is str else _encode(value).decode()
    own: Record = {"eventName": record["event_name"]}
    for column, field in _COLUMNS.items():
        value = record[column]
        if value is not None and value != "":
            own[field] = value
    if rest:
        own["otherProperties"] = rest
    row[f"_{TENANT}"] = {"mixpanel": own}
    identities = {
        namespace: [{"id": value, "authenticatedState": "ambiguous", "primary": is_primary}]
        for column, namespace, is_primary in _IDENTITIES
        if (value := record[column])
    }
    if identities:
        row["identityMap"] = identities
    return row


def _put(row: Record, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        row = row.setdefault(name, {})
    row[path[-1]] = value


def _put_special(row: Record, name: str, value: Any, properties: Record) -> bool:
    """Place what is more than a copy; returns whether it has its place."""
    if name == "mp_country_code":
        _put(row, ("placeContext", "geo", "countryCode"), value.upper())
    elif name == "$wifi" and value is True:
        _put(row, ("environment", "connectionType"), "wireless_wifi")
    elif name == "$brand" and not properties.get("$manufacturer"):
        _put(row, ("device", "manufacturer"), value)
    else:
        return False
    return True
