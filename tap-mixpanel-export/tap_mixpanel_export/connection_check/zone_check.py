"""Does ``project_timezone`` agree with the zone that Mixpanel shows for the project?"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_mixpanel_export.connection_check.finding import Finding, Verdict
from tap_mixpanel_export.project_zone import UnknownZoneError, project_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tap_mixpanel_export.connection_check.account import AccountProject
    from tap_mixpanel_export.settings import Settings

ZONE = "zone"

_STEPS = 24
_STEP = timedelta(days=15)


def zone_finding(settings: Settings, project: AccountProject | None, now: float) -> Finding | None:
    """Compare the zones, if events are read by one and Mixpanel has told the other.

    Args:
        settings: Whose ``event_time_basis`` and ``project_timezone`` count.
        project: What Mixpanel tells of the project.
        now: Seconds since the epoch.

    Returns:
        The finding, or None if there is nothing to compare.
    """
    zone = settings.event_time.wall_clock_zone
    if zone is None or project is None or not project.zone:
        return None
    try:
        shown = project_zone(project.zone)
    except UnknownZoneError:
        return None
    if _agree(zone, shown, datetime.fromtimestamp(now, timezone.utc)):
        return Finding(Verdict.OK, ZONE, f"Mixpanel shows {project.zone} for the project")
    return Finding(
        Verdict.WARN,
        ZONE,
        f"Mixpanel shows {project.zone} for the project, project_timezone is {zone.key}: set it to "
        "the zone in which the events were taken in (Project Settings > Overview)",
    )


def _agree(one: ZoneInfo, other: ZoneInfo, now: datetime) -> bool:
    """Whether two zones had the same time all through the last year, whatever their names."""
    moments = [now - _STEP * step for step in range(_STEPS)]
    return all(
        moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset()
        for moment in moments
    )
