"""Adobe's published Mixpanel events.

Source: AdobeDocs/experience-platform.en, `help/sources/tutorials/api/create/analytics/mixpanel.md`,
section "Explore your source". They are of a project in US/Pacific that was made before 2023, so
`time` is the wall clock there, and it has second precision.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ADOBE_SAMPLE_ZONE = "US/Pacific"


def adobe_sample_events() -> list[dict[str, Any]]:
    """The ten events, `time` in seconds as published."""
    text = files("emulators").joinpath("fixtures/adobe_sample_events.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def with_time_in_ms(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The events with `time` in ms, as the emulator stores it."""
    for event in events:
        properties = event["properties"]
        yield {**event, "properties": {**properties, "time": properties["time"] * 1000}}
