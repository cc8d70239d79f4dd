"""Mixpanel's hosts by region, and what may stand in for them.

https://docs.mixpanel.com/docs/privacy/eu-residency and
https://docs.mixpanel.com/docs/privacy/in-residency
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class RegionHosts:
    """The hosts of one residency, without a trailing slash.

    Attributes:
        export: Answers the raw export.
        app: Answers ``/api/app``.
    """

    export: str
    app: str


REGIONS = {
    "US": RegionHosts("https://data.mixpanel.com", "https://mixpanel.com"),
    "EU": RegionHosts("https://data-eu.mixpanel.com", "https://eu.mixpanel.com"),
    "IN": RegionHosts("https://data-in.mixpanel.com", "https://in.mixpanel.com"),
}
EXPORT_HOSTS = {region: hosts.export for region, hosts in REGIONS.items()}
APP_HOSTS = {region: hosts.app for region, hosts in REGIONS.items()}


def with_hosts(config: Mapping[str, Any], regions: Mapping[str, RegionHosts]) -> dict[str, Any]:
    """Return settings that name the hosts of their region, unless they name others.

    Args:
        config: The tap's settings.
        regions: The hosts of each region.
    """
    hosts = regions.get(str(config.get("region")))
    if hosts is None:
        return {**config}
    return {
        **config,
        "api_url": config.get("api_url") or hosts.export,
        "app_url": config.get("app_url") or hosts.app,
    }


def asks_app_host(config: Mapping[str, Any], regions: Mapping[str, RegionHosts]) -> bool:
    """Whether the app host may see the credentials: it is named, or the export host's partner.

    Args:
        config: The tap's settings as they were written.
        regions: The hosts of each region.
    """
    hosts = regions.get(str(config.get("region")))
    export = str(config.get("api_url") or "").rstrip("/")
    return bool(config.get("app_url")) or export in {"", hosts.export if hosts is not None else ""}


def is_web_address(url: str) -> bool:
    """Whether a text is an http or https address without user, query and fragment."""
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
