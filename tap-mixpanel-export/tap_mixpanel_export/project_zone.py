"""The zone of a project's days, from an IANA or a Windows name.

Windows names come from Unicode CLDR's windowsZones table as ``tzlocal`` carries it:
https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml
"""

from __future__ import annotations

import difflib
import zoneinfo
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

_WINDOWS_ZONES = {name.casefold(): iana for name, iana in win_tz.items()}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


class UnknownZoneError(ValueError):
    """No zone has this name; the text suggests near ones."""


def project_zone(name: str) -> ZoneInfo:
    """Return the zone called ``name``.

    Args:
        name: ``America/Los_Angeles``, or ``Pacific Standard Time`` in any case.

    Raises:
        UnknownZoneError: No zone has that name.
    """
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        iana = _WINDOWS_ZONES.get(name.strip().casefold())
    if iana is None:
        raise UnknownZoneError(_suggestion(name))
    return ZoneInfo(iana)


def _suggestion(name: str) -> str:
    known = {zone.casefold(): zone for zone in zoneinfo.available_timezones() | set(win_tz)}
    near = difflib.get_close_matches(name.strip().casefold(), known, n=3)
    if not near:
        return f"no zone is called {name!r}; use an IANA name such as America/Los_Angeles"
    names = " or ".join(known[zone] for zone in near)
    return f"no zone is called {name!r}; did you mean {names}?"


def day_of(instant_ms: int, zone: ZoneInfo) -> date:
    """Return the project day that holds an instant (UTC milliseconds since the epoch)."""
    return (EPOCH + instant_ms * _MILLISECOND).astimezone(zone).date()


def to_millis(instant: datetime) -> int:
    """Return an aware instant as UTC milliseconds since the epoch."""
    return (instant - EPOCH) // _MILLISECOND


def start_of(day: date, zone: ZoneInfo) -> int:
    """Return the first instant of a project day, as UTC milliseconds since the epoch."""
    return to_millis(datetime.combine(day, time(), tzinfo=zone))


def end_of(day: date, zone: ZoneInfo) -> int:
    """Return the instant a project day ends (the next one's start), in UTC milliseconds."""
    return start_of(day + timedelta(days=1), zone)


def instant_text(instant_ms: int) -> str:
    """Write UTC milliseconds since the epoch as ``2022-05-18T05:05:48.000Z``."""
    instant = EPOCH + instant_ms * _MILLISECOND
    return instant.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 date or date-time, with ``Z`` or an offset or none.

    Raises:
        ValueError: The text is neither.
    """
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    return datetime.fromisoformat(text)
