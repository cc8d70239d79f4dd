"""The string formats of XDM fields, and the date coercions of batch ingestion.

Date-times: AdobeDocs/experience-platform.en `help/ingestion/quality/streaming-validation.md`
(`yyyy-MM-dd'T'HH:mm:ss[.fraction](Z|±HH:mm)`); batches also take epoch milliseconds
(`help/ingestion/batch-ingestion/overview.md`).
"""

from __future__ import annotations

import ipaddress
import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_URI_REFERENCE = re.compile(r"(?:[!#$&-;=?-Z_a-z~\[\]]|%[0-9A-Fa-f]{2})*")
_URI_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def parse_date_time(text: str) -> datetime | None:
    """The instant an RFC 3339 text names, microsecond precision; None when it is none."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zulu, sign, off_hour, off_minute = (
        match.groups()
    )
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        value = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), micros,
            timezone.utc,
        )  # fmt: skip
    except ValueError:
        return None
    if zulu:
        return value
    offset = timedelta(hours=int(off_hour), minutes=int(off_minute))
    try:
        return value - offset if sign == "+" else value + offset
    except OverflowError:
        return None


def date_time_of_ms(milliseconds: int) -> str | None:
    """An epoch in milliseconds as RFC 3339 in UTC; None when it is outside the calendar."""
    try:
        value = EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_of_ms(milliseconds: int) -> str | None:
    """An epoch in milliseconds as a UTC day; None when it is outside the calendar."""
    text = date_time_of_ms(milliseconds)
    return text[:10] if text else None


def is_uri_reference(text: str) -> bool:
    """Whether the text has only characters that RFC 3986 allows, with well-formed escapes."""
    return _URI_REFERENCE.fullmatch(text) is not None


def _is_date_time(text: str) -> bool:
    return parse_date_time(text) is not None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_uri(text: str) -> bool:
    return is_uri_reference(text) and _URI_SCHEME.match(text) is not None


def _is_ipv4(text: str) -> bool:
    try:
        return bool(ipaddress.IPv4Address(text))
    except ValueError:
        return False


def _is_ipv6(text: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _is_date_time,
    "date": _is_date,
    "uri": _is_uri,
    "uri-reference": is_uri_reference,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "email": _is_email,
}
"""Checks by format name; other formats are not checked."""
