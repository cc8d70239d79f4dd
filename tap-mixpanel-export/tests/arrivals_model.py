"""What a reader of the tap must have got: a model of sweeps, days and arrivals, without the tap."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

Event = dict[str, Any]


def arrival_of(properties: dict[str, Any]) -> int | None:
    return properties.get("mp_processing_time_ms")


def day_of_event(event: Event) -> date:
    """The project day of an event; `time` is written in the days' own clock in both bases."""
    return (EPOCH + timedelta(milliseconds=event["properties"]["time"])).date()


def identity_of(name: str, properties: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two exported events the same one.

    Without an insert id that is their whole content, which `serial` stands for.
    """
    identity = properties.get("$distinct_id_before_identity", properties["distinct_id"])
    insert_id = properties["$insert_id"]
    own = (insert_id,) if insert_id else (properties["serial"], arrival_of(properties))
    return (name, properties["time"], identity, *own)


@dataclass(frozen=True)
class RunRules:
    """What a run was told, and between which instants (UTC milliseconds) it ran."""

    lookback_days: int
    settle_ms: int
    started: int
    ended: int


@dataclass
class Sweep:
    after: int | None
    until: int
    last_day: date
    next_day: date


class Reader:
    """Keeps records up to the last STATE, and checks at each that it claims what is there.

    Attributes:
        state: The last STATE.
        until: T of the last sweep that was opened.
        exported: Days whose first export is complete.
        committed: How often each event came out, by the T of the sweep and the event_id.
    """

    def __init__(self, zone: ZoneInfo, start_day: date, selects: Callable[[Event], bool]) -> None:
        self.state: dict[str, Any] | None = None
        self.until: int | None = None
        self.exported: set[date] = set()
        self.committed: Counter[tuple[int, str]] = Counter()
        self._zone = zone
        self._start_day = start_day
        self._selects = selects
        self._events: defaultdict[date, list[Event]] = defaultdict(list)
        self._closed_until: int | None = None
        self._sweep: Sweep | None = None
        self._value = 0
        self._identities: dict[str, tuple[Any, ...]] = {}

    @property
    def is_sweeping(self) -> bool:
        return self._sweep is not None

    def arrives(self, event: Event) -> None:
        """Take note of an event that the project holds from now on."""
        self._events[day_of_event(event)].append(event)

    def read(self, messages: Iterable[dict[str, Any]], rules: RunRules) -> None:
        """Read what a run wrote; what follows its last STATE is forgotten."""
        records: list[dict[str, Any]] = []
        for message in messages:
            if message["type"] == "RECORD":
                records.append(message["record"])
            elif message["type"] == "STATE":
                self._commit(message["value"]["bookmarks"]["events"], records, rules)
                self.state = message["value"]
                records = []

    def _commit(
        self, bookmark: dict[str, Any], records: list[dict[str, Any]], rules: RunRules
    ) -> None:
        claimed = _sweep_of(bookmark)
        if self._sweep is None:
            assert records == []
            if claimed is None:  # nothing was due
                assert bookmark["arrived_until"] == self._closed_until
                return
            self._open(claimed, bookmark["sweep"]["first_day"], rules)
        else:
            self._advance(self._sweep, claimed, bookmark, records)
        self._check_value(bookmark)

    def _open(self, sweep: Sweep, first_day: str, rules: RunRules) -> None:
        opened_at = sweep.until + rules.settle_ms
        assert rules.started <= opened_at <= rules.ended
        assert sweep.after == self._closed_until
        assert sweep.after is None or sweep.after < sweep.until
        assert sweep.next_day == self._first_day(rules)
        assert first_day == sweep.next_day.isoformat()
        assert sweep.last_day == self._day_at(opened_at)
        self._sweep, self.until = sweep, sweep.until

    def _first_day(self, rules: RunRules) -> date:
        if self._closed_until is None:
            return self._start_day
        looking_back = self._day_at(self._closed_until) - rules.lookback_days * DAY
        return max(self._start_day, looking_back)

    def _advance(
        self,
        sweep: Sweep,
        claimed: Sweep | None,
        bookmark: dict[str, Any],
        records: list[dict[str, Any]],
    ) -> None:
        if claimed is None:
            assert bookmark["arrived_until"] == sweep.until
            end = sweep.last_day + DAY
            self._sweep, self._closed_until = None, sweep.until
        else:
            assert (claimed.after, claimed.until) == (sweep.after, sweep.until)
            assert claimed.last_day == sweep.last_day
            end = claimed.next_day
            self._sweep = claimed
        done = [sweep.next_day + n * DAY for n in range((end - sweep.next_day).days)]
        self._check_records(records, sweep, done)
        self.exported.update(done)

    def _check_records(self, records: list[dict[str, Any]], sweep: Sweep, done: list[date]) -> None:
        due = defaultdict(list)
        for day in done:
            for event in self._events[day]:
                if self._is_due(event, day, sweep):
                    identity = identity_of(event["event"], event["properties"])
                    due[identity].append(event["properties"])
        came = Counter(identity_of(one["event_name"], one["properties"]) for one in records)
        expected = Counter(due.keys())
        assert came == expected, f"too many: {came - expected}, missing: {expected - came}"
        for record in records:
            identity = identity_of(record["event_name"], record["properties"])
            assert record["properties"] in due[identity]
            assert self._identities.setdefault(record["event_id"], identity) == identity
            self.committed[sweep.until, record["event_id"]] += 1
        assert len(set(self._identities.values())) == len(self._identities)

    def _is_due(self, event: Event, day: date, sweep: Sweep) -> bool:
        if not self._selects(event):
            return False
        arrival, is_first = arrival_of(event["properties"]), day not in self.exported
        if arrival is None:
            return is_first
        is_new = is_first or sweep.after is None or arrival > sweep.after
        return is_new and arrival <= sweep.until

    def _check_value(self, bookmark: dict[str, Any]) -> None:
        """The bookmark never goes back and never passes T or the days that are complete."""
        value = _millis(bookmark["replication_key_value"])
        last_day = max(self.exported, default=self._start_day - DAY)
        assert self._value <= value
        assert value <= self._start_of(last_day + DAY)
        assert self.until is not None
        assert value <= self.until
        self._value = value

    def _day_at(self, instant_ms: int) -> date:
        return (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(self._zone).date()

    def _start_of(self, day: date) -> int:
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return (midnight - EPOCH) // timedelta(milliseconds=1)


def _sweep_of(bookmark: dict[str, Any]) -> Sweep | None:
    sweep = bookmark["sweep"]
    if sweep["arrived_until"] is None:
        return None
    return Sweep(
        sweep["arrived_after"],
        sweep["arrived_until"],
        date.fromisoformat(sweep["last_day"]),
        date.fromisoformat(sweep["next_day"]),
    )


def _millis(text: str) -> int:
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // timedelta(
        milliseconds=1
    )
