"""Where every event is: counted independently of what the tap and the target say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tap_mixpanel_export.event import event_id, parse_event

from demo.services import PROJECT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from demo.services import Services

_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Account:
    """Counts after a run.

    Attributes:
        stored: Rows that Mixpanel holds.
        waiting: Of these, rows that had not arrived, or whose day had not come, at the run.
        repeated: Rows that are the same event as another; Mixpanel exports both.
        expected: Events that had to come out up to this run.
        late: Of these, events that arrived hours or days after they happened.
        late_once: Of these, events that are there exactly once.
        loaded: Rows in the dataset.
        rejected: Dead letters by reason.
        missing: Events that are neither in the dataset nor in the dead letters.
        unexpected: Rows and dead letters that are there though nothing, or once too often.
    """

    stored: int
    waiting: int
    repeated: int
    expected: int
    late: int
    late_once: int
    loaded: int
    rejected: Counter[str]
    missing: int
    unexpected: int


def take_account(services: Services, dead_letters: Path, bookmark: dict[str, Any]) -> Account:
    """Compare what Mixpanel holds with what is in the dataset and in the dead letters.

    Args:
        services: The emulators.
        dead_letters: The target's folder of dead letters.
        bookmark: The tap's bookmark after the run, which says up to when arrivals count.
    """
    blocks = services.mixpanel.store.lines(PROJECT_ID, date.min, date.max)
    stored = [json.loads(line) for block in blocks for line in block]
    due = [event for event in stored if _is_due(event, bookmark)]
    expected = Counter(set(_ids(due)))
    late = set(_ids(event for event in due if _is_late(event)))
    letters = _letters(dead_letters)
    loaded = Counter(str(row["_id"]) for row in services.aep.inspection.rows(services.dataset_id()))
    accounted = loaded + Counter(str(letter["record"]["event_id"]) for letter in letters)
    return Account(
        stored=len(stored),
        waiting=len(stored) - len(due),
        repeated=len(due) - len(expected),
        expected=len(expected),
        late=len(late),
        late_once=sum(accounted[key] == 1 for key in late),
        loaded=loaded.total(),
        rejected=Counter(f"{letter['field']}: {letter['reason']}" for letter in letters),
        missing=(expected - accounted).total(),
        unexpected=(accounted - expected).total(),
    )


def _is_due(event: dict[str, Any], bookmark: dict[str, Any]) -> bool:
    """Whether an event of a UTC project had to come out up to the bookmark."""
    properties = event["properties"]
    arrived = properties.get("mp_processing_time_ms")
    last_day_ends = _end_of_day_ms(bookmark["exported_last_day"])
    return properties["time"] < last_day_ends and (
        arrived is None or arrived <= bookmark["arrived_until"]
    )


def _is_late(event: dict[str, Any]) -> bool:
    arrived = event["properties"].get("mp_processing_time_ms")
    return arrived is not None and arrived - event["properties"]["time"] > _HOUR_MS


def _end_of_day_ms(day: str) -> int:
    start = datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
    return int((start + timedelta(days=1)).timestamp() * 1000)


def _ids(events: Iterable[dict[str, Any]]) -> Iterable[str]:
    return (event_id(parse_event(json.dumps(event).encode())) for event in events)


def _letters(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_bytes().splitlines()
    ]
