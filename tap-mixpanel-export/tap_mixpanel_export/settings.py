"""The settings, parsed and checked once, before any request."""

from __future__ import annotations

import importlib.metadata
import tempfile
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import platformdirs

from tap_mixpanel_export.config_schema import DEFAULTS
from tap_mixpanel_export.credentials import Credentials, credentials_from
from tap_mixpanel_export.event_time import EventTime
from tap_mixpanel_export.project_zone import (
    UnknownZoneError,
    day_of,
    parse_instant,
    project_zone,
    to_millis,
)
from tap_mixpanel_export.sweep import SweepRules

if TYPE_CHECKING:
    from collections.abc import Mapping

DISTRIBUTION = "tap-mixpanel-export"
EXPORT_HOSTS = {
    "US": "https://data.mixpanel.com",
    "EU": "https://data-eu.mixpanel.com",
    "IN": "https://data-in.mixpanel.com",
}
APP_HOSTS = {
    "US": "https://mixpanel.com",
    "EU": "https://eu.mixpanel.com",
    "IN": "https://in.mixpanel.com",
}

_MINUTE_MS = 60_000
_T = TypeVar("_T")


@dataclass(frozen=True)
class Settings:
    """What the tap works with; ``config_schema`` says what each setting means.

    Attributes:
        api_url: Export host without a trailing slash.
        app_url: App host without a trailing slash.
        state_dir: A directory that was found writable.
        request_timeout: Seconds.
    """

    credentials: Credentials
    project_id: str | None
    api_url: str
    app_url: str
    rules: SweepRules
    event_time: EventTime
    events: tuple[str, ...]
    where: str | None
    window_days: int
    max_requests_per_hour: int
    quarantine_invalid_lines: bool
    state_dir: Path
    request_timeout: float
    user_agent: str


def parse_settings(config: Mapping[str, Any], now_ms: int) -> tuple[Settings | None, list[str]]:
    """Parse a configuration that fits the schema.

    Args:
        config: The settings, defaults filled in.
        now_ms: UTC milliseconds, to judge whether a day has begun.

    Returns:
        The settings and no line, or None and a line for each mistake.
    """
    reader = _Reader(config, now_ms)
    settings = reader.read()
    return (None, reader.mistakes) if reader.mistakes else (settings, [])


class _Reader:
    """Reads settings one by one and goes on after a mistake."""

    def __init__(self, config: Mapping[str, Any], now_ms: int) -> None:
        given = {name: value for name, value in config.items() if value is not None}
        self._config = {**DEFAULTS, **given}
        self._now_ms = now_ms
        self.mistakes: list[str] = []

    def read(self) -> Settings | None:
        config = self._config
        credentials = self._credentials()
        project_id = self._project_id()
        zone = self._zone()
        start_day, end_day = self._days(zone)
        api_url = self._url("api_url", EXPORT_HOSTS)
        app_url = self._url("app_url", APP_HOSTS)
        self._layout()
        state_dir = self._state_dir()
        if credentials is None or start_day is None or self.mistakes:
            return None
        return Settings(
            credentials=credentials,
            project_id=project_id,
            api_url=api_url,
            app_url=app_url,
            rules=SweepRules(
                zone=zone,
                start_day=start_day,
                end_day=end_day,
                lookback_days=config["lookback_days"],
                settle_ms=config["settle_minutes"] * _MINUTE_MS,
            ),
            event_time=EventTime(zone if config["event_time_basis"] == "project" else None),
            events=tuple(config.get("events", ())),
            where=config.get("where") or None,
            window_days=min(config["window_days"], config["max_window_days"]),
            max_requests_per_hour=config["max_requests_per_hour"],
            quarantine_invalid_lines=config["on_invalid_line"] == "quarantine",
            state_dir=state_dir,
            request_timeout=float(config["request_timeout"]),
            user_agent=config.get("user_agent") or default_user_agent(),
        )

    def _mistake(self, line: str, instead: _T) -> _T:
        self.mistakes.append(line)
        return instead

    def _credentials(self) -> Credentials | None:
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
        if _is_base_url(url):
            return str(url).rstrip("/")
        advice = "write it as https://data.mixpanel.com, without user, query or fragment"
        return self._mistake(f"{name}: is not an http or https address; {advice}", "")

    def _layout(self) -> None:
        if self._config["properties_layout"] == "columns":
            self._mistake(
                "properties_layout: 'columns' is not available in this version; use 'object'", None
            )

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


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port_is_valid
        and "@" not in parts.netloc
        and not (parts.query or parts.fragment)
    )


def default_user_agent() -> str:
    """Return ``tap-mixpanel-export/VERSION``."""
    return f"{DISTRIBUTION}/{importlib.metadata.version(DISTRIBUTION)}"
