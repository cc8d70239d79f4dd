"""Events over time: the history of a project, and a later wave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING

from emulators.generator.events import Event, EventMaker
from emulators.generator.people import people
from emulators.generator.quirks import Quirks
from emulators.generator.timeline import ProjectDay, day_zone, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_PROMPT_MS = 3_000
_LATEST_MS = 5 * _DAY_MS  # /track takes events of up to five days, see mixpanel/docs track-event
_IMPORT_MS = 10 * _DAY_MS
_FUTURE_MS = 3 * _DAY_MS
_PROCESSING_MS = 200
_WAVE_MS = 1000


def generate(
    seed: int,
    days: int,
    per_day: int,
    *,
    basis: str = "utc",
    zone: str = "UTC",
    start: date | None = None,
    now: datetime | None = None,
    quirks: Quirks | None = None,
) -> Iterator[Event]:
    """Events of some project days, oldest day first, in no order within a day; `time` in ms.

    Args:
        seed: Same seed (and arguments), same events.
        days: How many project days.
        per_day: Rows of each day, duplicates included; fewer on a day that `now` cuts.
        basis: `utc`: `time` is true; `project`: `time` is the wall clock of `zone`.
        zone: IANA name; days are days of this zone if the basis is `project`, else of UTC.
        start: First day; default: so that the last one is that of `now`.
        now: Nothing happens after it, though late events may arrive after it; default: the clock.
        quirks: Shares of oddities.
    """
    now = now or datetime.now(timezone.utc)
    tz = day_zone(basis, zone)
    start = start or now.astimezone(tz).date() - timedelta(days=days - 1)
    crowd = people(Random(f"{seed}/people"))  # noqa: S311 - made-up data
    for day in (start + timedelta(days=number) for number in range(days)):
        rng = Random(f"{seed}/{day}")  # noqa: S311 - made-up data
        maker = EventMaker(rng, crowd, quirks or Quirks())
        yield from _day(maker, ProjectDay(day, tz), per_day, to_ms(now))


def late_events(
    seed: int,
    count: int,
    *,
    days: int = 5,
    basis: str = "utc",
    zone: str = "UTC",
    now: datetime | None = None,
    quirks: Quirks | None = None,
) -> Iterator[Event]:
    """A wave of exactly `count` different events that arrive in the second before `now`.

    They happened within the last `days` project days up to `now`, so most are late. None is a
    duplicate, and each has its arrival stamps.
    """
    now = now or datetime.now(timezone.utc)
    tz = day_zone(basis, zone)
    today, now_ms = now.astimezone(tz).date(), to_ms(now)
    happened_by = now_ms - 2 * _WAVE_MS
    recent = [ProjectDay(today - timedelta(days=back), tz) for back in range(days)]
    timeline = [day for day in recent if day.start < happened_by]
    crowd = people(Random(f"{seed}/people"))  # noqa: S311 - made-up data
    rng = Random(f"{seed}/late/{now.isoformat()}")  # noqa: S311 - made-up data
    maker = EventMaker(rng, crowd, replace(quirks or Quirks(), unstamped=0.0))
    for _ in range(count):
        day = rng.choice(timeline)
        true_ms = rng.randrange(day.start, min(day.end, happened_by))
        processed_ms = now_ms - rng.randrange(_WAVE_MS)
        yield maker.make(day.stored(true_ms), processed_ms - _PROCESSING_MS, processed_ms)


def _day(maker: EventMaker, day: ProjectDay, count: int, now_ms: int) -> Iterator[Event]:
    random, span, duplicates = maker.rng.random, day.end - day.start, maker.quirks.duplicates
    previous: Event | None = None
    for _ in range(count):
        if previous is not None and random() < duplicates:
            yield previous
            continue
        # Two draws make noon busier than midnight.
        true_ms = day.start + int(span * (random() + random()) / 2)
        if true_ms > now_ms:
            continue
        previous = _event(maker, day, true_ms)
        yield previous


def _event(maker: EventMaker, day: ProjectDay, true_ms: int) -> Event:
    random, quirks = maker.rng.random, maker.quirks
    delay, imported = int(random() * _PROMPT_MS), False
    if random() < quirks.late:
        delay = _HOUR_MS + int(random() * (_LATEST_MS - _HOUR_MS))
    elif random() < quirks.imported:
        delay, imported = _DAY_MS + int(random() * _IMPORT_MS), True
    api_ms = true_ms + delay
    time_ms = day.stored(true_ms)
    if random() < quirks.future:
        time_ms += _HOUR_MS + int(random() * _FUTURE_MS)
    event = maker.make(time_ms, api_ms, api_ms + 1 + int(random() * _PROCESSING_MS))
    if imported:
        event["properties"]["$import"] = True
    return event
