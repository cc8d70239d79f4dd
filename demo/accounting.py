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


@dataclass(frozen=True)
class Account:
    """Counts after a run.

    Attributes:
        stored: Rows that Mixpanel holds.
        waiting: Of these, rows that had not arrived, or whose day had not come, at the run.
        expected: Rows that had to come out up to this run.
        loaded: Rows in the dataset.
        rejected: Dead letters by reason.
        missing: Rows that are neither in the dataset nor in the dead letters.
        unexpected: Rows that are there more often than Mixpanel exports them.
        repeated: Rows that Mixpanel itself exports more than once.
    """

    stored: int
    waiting: int
    expected: int
    loaded: int
    rejected: Counter[str]
    missing: int
    unexpected: int
    repeated: int


def take_account(services: Services, dead_letters: Path, bookmark: dict[str, Any]) -> Account:
    """Compare what Mixpanel holds with what is in the dataset and in the dead letters.

    Args:
        services: The emulators.
        dead_letters: The target's folder of dead letters.
        bookmark: The tap's bookmark after the run, which says up to when arrivals count.
    """
    blocks = services.mixpanel.store.lines(PROJECT_ID, date.min, date.max)
    stored = [json.loads(line) for block in blocks for line in block]
    expected = Counter(_ids(event for event in stored if _is_due(event, bookmark)))
    letters = _letters(dead_letters)
    loaded = Counter(str(row["_id"]) for row in services.aep.inspection.rows(services.dataset_id))
    accounted = loaded + Counter(str(letter["record"]["event_id"]) for letter in letters)
    return Account(
        stored=len(stored),
        waiting=len(stored) - expected.total(),
        expected=expected.total(),
        loaded=loaded.total(),
        rejected=Counter(f"{letter['field']}: {letter['reason']}" for letter in letters),
        missing=(expected - accounted).total(),
        unexpected=(accounted - expected).total(),
        repeated=expected.total() - len(expected),
    )


def _is_due(event: dict[str, Any], bookmark: dict[str, Any]) -> bool:
    """Whether an event of a UTC project had to come out up to the bookmark."""
    properties = event["properties"]
    arrived = properties.get("mp_processing_time_ms")
    last_day_ends = _end_of_day_ms(bookmark["exported_last_day"])
    return properties["time"] < last_day_ends and (
        arrived is None or arrived <= bookmark["arrived_until"]
    )


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
