"""Singer messages for tests."""

from __future__ import annotations

from typing import Any

EVENT_SCHEMA = {
    "type": "SCHEMA",
    "stream": "events",
    "schema": {"properties": {"event_id": {"type": "string"}, "properties": {"type": "object"}}},
    "key_properties": ["event_id"],
}


def record(number: int, stream: str = "events", **changes: Any) -> dict[str, Any]:
    event = {
        "event_id": f"id{number}",
        "event_name": "Viewed",
        "time": "2024-05-18T05:05:48.000Z",
        "distinct_id": f"user{number}",
        "properties": {"time": 1716008748000, "plan": "pro", "number": number},
    }
    return {"type": "RECORD", "stream": stream, "record": {**event, **changes}}


def state(value: Any) -> dict[str, Any]:
    return {"type": "STATE", "value": {"bookmarks": {"events": {"at": value}}}}


def reached(*values: Any) -> list[dict[str, Any]]:
    return [state(value)["value"] for value in values]
