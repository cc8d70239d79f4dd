"""The settings, parsed and checked once, before any request."""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from dataclasses import dataclass
from datetime import date, time
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import platformdirs

from tap_mixpanel_export.config_schema import COLUMNS, DEFAULTS
from tap_mixpanel_export.cores import available_cores
from tap_mixpanel_export.credentials import (
    API_SECRET,
    SECRET_SETTINGS,
    Credentials,
    credentials_from,
)
from tap_mixpanel_export.event_time import EventTime
from tap_mixpanel_export.hosts import APP_HOSTS, EXPORT_HOSTS, is_web_address
from tap_mixpanel_export.instants import day_of, parse_instant, to_millis
from tap_mixpanel_export.project_zone import UnknownZoneError, project_zone
from tap_mixpanel_export.sweep import SweepRules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

DISTRIBUTION = "tap-mixpanel-export"
EARLIEST_DAY = date(2000, 1, 1)

MOST_WORKERS = 2
"""By default: they frame as many events as the rest of the tap can receive and write."""

_MINUTE_MS = 60_000
_T = TypeVar("_T")


@dataclass(frozen=True)
class Settings:
    """What the tap works with; ``config_schema`` says what each setting means.

    Attributes:
        api_url: Export host without a trailing slash.
        app_url: App host without a trailing slash.
        asks_app_host: Whether the app host belongs to the export host; if not, nobody named it.
        has_columns: Whether properties have columns of their own (``properties_layout``).
        excluded: Raw names of properties that never leave the tap (``exclude_properties``).
        state_dir: A directory that was found writable.
        request_timeout: Seconds.
        workers: Processes that frame events, 1 for none beside this one.
    """

    credentials: Credentials
    project_id: str | None
    api_url: str
    app_url: str
    asks_app_host: bool
    rules: SweepRules
    event_time: EventTime
    events: tuple[str, ...]
    where: str | None
    window_days: int
    max_window_days: int
    server_selects_late_events: bool
    max_concurrent_requests: int
    max_requests_per_hour: int
    workers: int
    quarantine_invalid_lines: bool
    has_columns: bool
    excluded: frozenset[str]
    state_dir: Path
    request_timeout: float
    user_agent: str

    @property
    def budget_owner(self) -> str:
        """What tells this project's request budget from another's; it may hold a secret."""
        credentials = self.credentials
        # A token is a new one every so often, an api_secret stands for its project.
        known_by = credentials.authorization if credentials.kind == API_SECRET else credentials.kind
        return f"{self.api_url} {self.project_id or known_by}"

    @property
    def selection(self) -> str:
        """What tells these ``events`` and ``where`` from others, without showing them."""
        content = json.dumps([sorted(self.events), self.where])
        return blake2b(content.encode(), digest_size=8).hexdigest()


def parse_settings(
    config: Mapping[str, Any],
    now_ms: int,
    wrong: AbstractSet[str] = frozenset(),
    *,
    asks_app_host: bool = True,
) -> tuple[Settings | None, list[str]]:
    """Parse a configuration.

    Args:
        config: The settings, without nulls and with defaults; they fit the schema except for
            ``wrong`` ones.
        now_ms: UTC milliseconds, to judge whether a day has begun.
        wrong: Settings whose mistakes are known already.
        asks_app_host: What ``hosts.asks_app_host`` tells of the configuration as it was written.

    Returns:
        The settings, or None, and a line for each mistake that is not yet known.
    """
    reader = _Reader(config, now_ms, wrong, asks_app_host=asks_app_host)
    return reader.read(), reader.mistakes


class _Reader:
    """Reads settings one by one and goes on after a mistake."""

    def __init__(
        self,
        config: Mapping[str, Any],
        now_ms: int,
        wrong: AbstractSet[str],
        *,
        asks_app_host: bool,
    ) -> None:
        known = {name: value for name, value in config.items() if name not in wrong}
        self._config = {**DEFAULTS, **known} if wrong else known
        self._wrong = wrong
        self._now_ms = now_ms
        self._asks_app_host = asks_app_host
        self.mistakes: list[str] = []

    def read(self) -> Settings | None:
        config = self._config
        credentials = self._credentials()
        project_id = self._project_id()
        zone = self._zone()
        start_day, end_day = self._days(zone)
        api_url = self._url("api_url", EXPORT_HOSTS)
        app_url = self._url("app_url", APP_HOSTS)
        events, where = self._events(), self._where()
        user_agent = self._user_agent()
        state_dir = self._state_dir()
        if credentials is None or start_day is None or self.mistakes or self._wrong:
            return None
        return Settings(
            credentials=credentials,
            project_id=project_id,
            api_url=api_url,
            app_url=app_url,
            asks_app_host=self._asks_app_host,
            rules=SweepRules(
                zone=zone,
                start_day=start_day,
                end_day=end_day,
                lookback_days=int(config["lookback_days"]),
                settle_ms=int(config["settle_minutes"]) * _MINUTE_MS,
            ),
            event_time=EventTime(zone if config["event_time_basis"] == "project" else None),
            events=events,
            where=where,
            window_days=int(min(config["window_days"], config["max_window_days"])),
            max_window_days=int(config["max_window_days"]),
            server_selects_late_events=config["late_event_filter"] == "server",
            max_concurrent_requests=int(config["max_concurrent_requests"]),
            max_requests_per_hour=int(config["max_requests_per_hour"]),
            workers=int(config.get("workers") or min(available_cores(), MOST_WORKERS)),
            quarantine_invalid_lines=config["on_invalid_line"] == "quarantine",
            has_columns=config["properties_layout"] == COLUMNS,
            excluded=frozenset(config.get("exclude_properties", ())),
            state_dir=state_dir,
            request_timeout=float(config["request_timeout"]),
            user_agent=user_agent,
        )

    def _mistake(self, line: str, instead: _T) -> _T:
        self.mistakes.append(line)
        return instead

    def _credentials(self) -> Credentials | None:
        if self._wrong & (SECRET_SETTINGS | {"project_id"}):
            return None  # a wrong one is not to be taken for a missing one
        found = credentials_from(self._config)
        return self._mistake(found, None) if isinstance(found, str) else found

    def _project_id(self) -> str | None:
        text = str(self._config.get("project_id", "")).strip()
        if text and not (text.isascii() and text.isdigit()):
            return self._mistake("project_id: is not a number (Project Settings > Overview)", None)
        return text or None

    def _zone(self) -> ZoneInfo:
        try:
            return project_zone(self._config["project_timezone"])
        except UnknownZoneError as error:
            return self._mistake(f"project_timezone: {error}", ZoneInfo("UTC"))

    def _days(self, zone: ZoneInfo) -> tuple[date | None, date | None]:
        start_day = self._day("start_date", zone)
        end_day = self._day("end_date", zone)
        if start_day is not None and start_day < EARLIEST_DAY:
            self._mistake(f"start_date: {start_day} lies before {EARLIEST_DAY}", None)
        if start_day is not None and start_day > day_of(self._now_ms, zone):
            self._mistake(f"start_date: {start_day} has not begun in {zone.key}", None)
        if start_day is not None and end_day is not None and end_day < start_day:
            self._mistake(f"end_date: {end_day} lies before start_date {start_day}", None)
        return start_day, end_day

    def _day(self, name: str, zone: ZoneInfo) -> date | None:
        text = self._config.get(name)
        if text is None:
            return None
        try:
            return _calendar_day(text.strip(), zone)
        except (ValueError, OverflowError):
            advice = "write it as 2024-01-31 or 2024-01-31T00:00:00Z"
            return self._mistake(f"{name}: {text!r} is not a date; {advice}", None)

    def _url(self, name: str, hosts: Mapping[str, str]) -> str:
        url = self._config.get(name)
        if not url:
            return hosts[self._config["region"]]
        advice = f"write it as {hosts['US']}, without user, path, query or fragment"
        if not is_web_address(url):
            return self._mistake(f"{name}: is not an http or https address; {advice}", "")
        if urlsplit(url).path.strip("/"):
            return self._mistake(f"{name}: has a path, which the tap adds itself; {advice}", "")
        return str(url).rstrip("/")

    def _events(self) -> tuple[str, ...]:
        names = tuple(self._config.get("events", ()))
        if all(name and name.strip() for name in names):
            return names
        return self._mistake("events: holds an empty name; name events, or leave it out", ())

    def _where(self) -> str | None:
        where = self._config.get("where") or None
        if where is None or where.strip():
            return where
        return self._mistake("where: is blank; write an expression, or leave it out", None)

    def _user_agent(self) -> str:
        text = self._config.get("user_agent") or default_user_agent()
        if text.isascii() and text.isprintable() and text == text.strip():
            return str(text)
        advice = "use printable ASCII characters, without spaces around them"
        return self._mistake(f"user_agent: cannot be sent in a header; {advice}", "")

    def _state_dir(self) -> Path:
        text = self._config.get("state_dir") or platformdirs.user_cache_dir(DISTRIBUTION)
        path = Path(text).expanduser()
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                return path
        except OSError as error:
            return self._mistake(
                f"state_dir: cannot write to {path} ({error.strerror}); name a writable directory",
                path,
            )


def _calendar_day(text: str, zone: ZoneInfo) -> date:
    moment = parse_instant(text)
    if moment.tzinfo is None or moment.time() == time():
        return moment.date()
    return day_of(to_millis(moment), zone)


def default_user_agent() -> str:
    """Return ``tap-mixpanel-export/VERSION``."""
    return f"{DISTRIBUTION}/{importlib.metadata.version(DISTRIBUTION)}"
