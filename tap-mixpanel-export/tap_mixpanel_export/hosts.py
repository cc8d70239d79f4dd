"""Mixpanel's hosts by region, and what may stand in for them.

https://docs.mixpanel.com/docs/privacy/eu-residency and
https://docs.mixpanel.com/docs/privacy/in-residency
"""

from __future__ import annotations

from urllib.parse import urlsplit

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
