"""The zone of a project's days, from an IANA or a Windows name.

Windows names come from Unicode CLDR's windowsZones table as ``tzlocal`` carries it:
https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml
"""

from __future__ import annotations

import difflib
import zoneinfo
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

_WINDOWS_ZONES = {name.casefold(): iana for name, iana in win_tz.items()}


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
