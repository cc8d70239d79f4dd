"""The bookmark as Singer state, and the checks a state must pass before it is continued.

Layout under ``bookmarks.events``: ``replication_key`` and ``replication_key_value`` as the SDK
writes them, ``state_version``, ``arrived_until``, ``exported_first_day``, ``exported_last_day``,
``sweep``, ``selection``, ``project_id`` and ``pace``. Version 1 had none of the last three; it is
read as well.

Every key is always written, null if it says nothing: Meltano merges a STATE into the ones before
it, depth first, so a key that is left out would keep the value of an older state. For the same
reason ``sweep`` and ``pace`` are always objects, ``sweep`` all null while none is open
(``MeltanoState.merge_partial`` in meltano/core/state_store/base.py of
https://github.com/meltano/meltano).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timezone
from typing import TYPE_CHECKING, Any, TypeGuard

from tap_mixpanel_export.errors import StateError
from tap_mixpanel_export.instants import day_of, instant_text, parse_instant, to_millis
from tap_mixpanel_export.sweep import Bookmark, OpenSweep, Pace
from tap_mixpanel_export.windows import DAY, Window

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

STREAM = "events"
REPLICATION_KEY = "time"
STATE_VERSION = 2
CLOCK_TOLERANCE_MS = 5 * 60 * 1000

_VALUE = "replication_key_value"
_EXPORTED = ("exported_first_day", "exported_last_day")
_PLAIN_KEYS = frozenset({"replication_key", _VALUE})
_TEXTS = ("selection", "project_id")
_KEYS = _PLAIN_KEYS | {"state_version", "arrived_until", *_EXPORTED, "sweep", *_TEXTS, "pace"}
_SDK_KEYS = frozenset(
    {"starting_replication_value", "replication_key_signpost", "progress_markers"}
)
_SWEEP_KEYS = ("arrived_after", "arrived_until", "first_day", "last_day", "next_day")
_PACE_NUMBERS = ("days", "most_days", "aim", "slices")
_PACE_KEYS = ("ahead", *_PACE_NUMBERS, "is_settled")
_ADVICE = "hand over the state this tap wrote last, or run a full refresh without state"


def to_json(bookmark: Bookmark) -> dict[str, Any]:
    """Write a bookmark as the content of ``bookmarks.events``."""
    value, exported = bookmark.value, bookmark.exported
    return {
        "state_version": STATE_VERSION,
        "replication_key": REPLICATION_KEY,
        _VALUE: None if value is None else instant_text(value),
        "arrived_until": bookmark.arrived_until,
        _EXPORTED[0]: None if exported is None else exported.first_day.isoformat(),
        _EXPORTED[1]: None if exported is None else exported.last_day.isoformat(),
        "sweep": _sweep_to_json(bookmark.sweep),
        "selection": bookmark.selection,
        "project_id": bookmark.project_id,
        "pace": _pace_to_json(bookmark.pace),
    }


def _sweep_to_json(sweep: OpenSweep | None) -> dict[str, Any]:
    if sweep is None:
        return dict.fromkeys(_SWEEP_KEYS)
    return {
        "arrived_after": sweep.arrived_after,
        "arrived_until": sweep.arrived_until,
        "first_day": sweep.days.first_day.isoformat(),
        "last_day": sweep.days.last_day.isoformat(),
        "next_day": sweep.next_day.isoformat(),
    }


def _pace_to_json(pace: Pace | None) -> dict[str, Any]:
    if pace is None:
        return dict.fromkeys(_PACE_KEYS)
    return {**vars(pace), "ahead": [*pace.ahead]}


def stream_bookmark(state: object) -> Mapping[str, Any]:
    """Return ``bookmarks.events`` of a whole Singer state, empty if there is none.

    Raises:
        StateError: The state has another shape or belongs to another tap.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"state: it is not a JSON object; {_ADVICE}")
    if state.get("type") == "STATE" and "value" in state:
        raise StateError("state: it is a whole STATE message; hand over what is under 'value'")
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, Mapping):
        raise StateError(f"state: 'bookmarks' is not an object; {_ADVICE}")
    foreign = sorted(str(name) for name in bookmarks if name != STREAM)
    if foreign or (state and "bookmarks" not in state):
        names = ", ".join(foreign or sorted(str(key) for key in state))
        raise StateError(f"state: it is another tap's (it holds {names}); {_ADVICE}")
    content = bookmarks.get(STREAM, {})
    if not isinstance(content, Mapping):
        raise StateError(f"state: 'bookmarks.{STREAM}' is not an object; {_ADVICE}")
    return content


def from_json(content: Mapping[str, Any], *, zone: ZoneInfo, now_ms: int) -> Bookmark:
    """Read the content of ``bookmarks.events``.

    A bookmark with nothing but the SDK's two keys is taken to mean that every day before its
    own was exported up to that instant.

    Args:
        content: What ``stream_bookmark`` returned.
        zone: Zone of the project's days.
        now_ms: UTC milliseconds; no sweep can have ended later.

    Raises:
        StateError: It cannot be continued.
    """
    content = {key: value for key, value in content.items() if key not in _SDK_KEYS}
    _check_keys(content)
    content = {key: value for key, value in content.items() if value is not None}
    value = _value(content)
    if content.keys() <= _PLAIN_KEYS:
        return _plain(value, zone, now_ms)
    bookmark = Bookmark(
        value=value,
        arrived_until=_optional_millis(content, "arrived_until", ""),
        exported=_exported(content),
        sweep=_sweep(content.get("sweep")),
        selection=_text(content, "selection"),
        project_id=_text(content, "project_id"),
        pace=_pace(content.get("pace")),
    )
    _check_order(bookmark, now_ms)
    return bookmark


def check_project(bookmark: Bookmark, project_id: str | None) -> None:
    """Refuse the state of another project: its history would count as exported.

    Raises:
        StateError: It is another project's.
    """
    if bookmark.project_id is not None and project_id not in {None, bookmark.project_id}:
        raise StateError(
            f"state: it belongs to project {bookmark.project_id}, and project_id is {project_id}; "
            "give each project a state of its own, or run a full refresh without state"
        )


def _check_keys(content: Mapping[str, Any]) -> None:
    version = content.get("state_version", STATE_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StateError(f"state: 'state_version' is not a version number; {_ADVICE}")
    if version > STATE_VERSION:
        raise StateError(
            f"state: it was written by a newer version of this tap (state_version {version}); "
            "upgrade tap-mixpanel-export"
        )
    unknown = sorted(str(key) for key in content.keys() - _KEYS)
    if unknown:
        raise StateError(f"state: unknown keys {', '.join(unknown)}; {_ADVICE}")
    key = content.get("replication_key", REPLICATION_KEY)
    if key != REPLICATION_KEY:
        raise StateError(
            f"state: its replication key is {key!r}, this tap's is {REPLICATION_KEY!r}; {_ADVICE}"
        )
    if "state_version" not in content and not content.keys() <= _PLAIN_KEYS:
        raise StateError(f"state: 'state_version' is missing; {_ADVICE}")


def _value(content: Mapping[str, Any]) -> int | None:
    if _VALUE not in content:
        return None
    try:
        instant = parse_instant(content[_VALUE])
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=timezone.utc)
        value = to_millis(instant)
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise StateError(f"state: '{_VALUE}' is not a date-time; {_ADVICE}") from None
    if value < 0:
        raise StateError(f"state: '{_VALUE}' lies before 1970; {_ADVICE}")
    return value


def _plain(value: int | None, zone: ZoneInfo, now_ms: int) -> Bookmark:
    if value is None:
        return Bookmark()
    _check_past("replication_key_value", value, now_ms)
    last_day = day_of(value, zone) - DAY
    return Bookmark(value, arrived_until=value, exported=Window(date.min, last_day))


def _exported(content: Mapping[str, Any]) -> Window | None:
    present = [name in content for name in _EXPORTED]
    if not any(present):
        return None
    if not all(present):
        raise StateError(f"state: {_EXPORTED[0]!r} and {_EXPORTED[1]!r} go together; {_ADVICE}")
    first_day, last_day = (_day(content, name, "") for name in _EXPORTED)
    return _window(first_day, last_day, _EXPORTED)


def _sweep(value: object) -> OpenSweep | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.keys() != set(_SWEEP_KEYS):
        raise StateError(f"state: 'sweep' needs exactly {', '.join(_SWEEP_KEYS)}; {_ADVICE}")
    if all(part is None for part in value.values()):
        return None
    after = _optional_millis(value, "arrived_after", "sweep.")
    until = _optional_millis(value, "arrived_until", "sweep.")
    days = _window(
        _day(value, "first_day", "sweep."),
        _day(value, "last_day", "sweep."),
        ("sweep.first_day", "sweep.last_day"),
    )
    next_day = _day(value, "next_day", "sweep.")
    if until is None or next_day not in days:
        raise StateError(f"state: 'sweep' has no end or no days left; {_ADVICE}")
    if after is not None and after >= until:
        raise StateError(f"state: 'sweep' ends before it begins ({after}, {until}); {_ADVICE}")
    return OpenSweep(after, until, days, next_day)


def _pace(value: object) -> Pace | None:
    if value is None or value == dict.fromkeys(_PACE_KEYS):
        return None
    if isinstance(value, Mapping):
        ahead, is_settled = value.get("ahead"), value.get("is_settled")
        numbers = [value.get(name) for name in _PACE_NUMBERS]
        if isinstance(ahead, list) and isinstance(is_settled, bool):
            counts = [number for number in (*numbers, *ahead) if _is_count(number)]
            if len(counts) == len(numbers) + len(ahead):
                days, most_days, aim, slices, *days_ahead = counts
                return Pace(tuple(days_ahead), days, most_days, aim, slices, is_settled)
    raise StateError(f"state: 'pace' does not say how to go on; {_ADVICE}")


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _check_order(bookmark: Bookmark, now_ms: int) -> None:
    if bookmark.arrived_until is not None:
        _check_past("arrived_until", bookmark.arrived_until, now_ms)
    sweep = bookmark.sweep
    if sweep is not None:
        _check_past("sweep.arrived_until", sweep.arrived_until, now_ms)
        if sweep.arrived_after != bookmark.arrived_until:
            raise StateError(f"state: 'sweep.arrived_after' and 'arrived_until' differ; {_ADVICE}")
        if sweep.arrived_after is None and bookmark.exported is not None:
            _check_first_sweep(sweep, bookmark.exported)


def _check_first_sweep(sweep: OpenSweep, exported: Window) -> None:
    if sweep.next_day <= exported.last_day:
        raise StateError(f"state: the first sweep repeats exported days; {_ADVICE}")


def _check_past(name: str, instant_ms: int, now_ms: int) -> None:
    if instant_ms > now_ms + CLOCK_TOLERANCE_MS:
        raise StateError(
            f"state: '{name}' ({instant_text(instant_ms)}) lies after now "
            f"({instant_text(now_ms)}); check this machine's clock, or {_ADVICE}"
        )


def _optional_millis(content: Mapping[str, Any], name: str, prefix: str) -> int | None:
    value = content.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise StateError(f"state: '{prefix}{name}' is not a time in milliseconds; {_ADVICE}")
    return value


def _text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None or isinstance(value, str):
        return value
    raise StateError(f"state: {name!r} is not text; {_ADVICE}")


def _day(content: Mapping[str, Any], name: str, prefix: str) -> date:
    try:
        return date.fromisoformat(content[name])
    except (TypeError, ValueError):
        raise StateError(f"state: '{prefix}{name}' is not a day (yyyy-mm-dd); {_ADVICE}") from None


def _window(first_day: date, last_day: date, names: tuple[str, str]) -> Window:
    if last_day < first_day:
        raise StateError(f"state: '{names[1]}' lies before '{names[0]}'; {_ADVICE}")
    return Window(first_day, last_day)
