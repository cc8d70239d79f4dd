"""Dates in texts without a pattern: help/data-prep/data-handling.md lists what is tried.

The list is Adobe's (AdobeDocs/experience-platform.en), the order too, and the first that fits is
taken. Calls that its help/data-prep/functions.md shows to work fit none of them, so a few more
are tried at the end, and ISO 8601 in general.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from target_aep.data_prep.date_fields import resolve
from target_aep.data_prep.date_patterns import date_pattern
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.time_zones import offset_zone, zone_of
from target_aep.data_prep.zoned_date_time import ZonedDateTime

ADOBE_PATTERNS: t.Final = (
    "yyyy-MM-dd HH:mm:ssZ",
    "yyyy-MM-dd HH:mm:ss.SSSZ",
    "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX",
    "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "yyyy-MM-dd",
    "yyyy/MM/dd",
    "yyyy.MM.dd",
    "yyyy-MMM-dd",
    "yyyyMMdd",
    "MM-dd-yyyy",
    "MMddyyyy",
    "M/dd/yyyy",
    "dd.M.yyyy",
    "M/dd/yyyy hh:mm:ss a",
    "dd.M.yyyy hh:mm:ss a",
    "dd.MMM.yyyy",
    "dd-MMM-yyyy",
)
FURTHER_PATTERNS: t.Final = ("dd-MMM-yyyy HH:mm[:ss]", "M/dd/yyyy HH:mm[:ss]")

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r" ?(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?(?:\[([^\[\]]+)\])?",
    re.ASCII,
)
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_CANONICAL_LENGTH = len("2022-05-18T05:05:48.000Z")
_UTC = offset_zone("Z")


def parse_automatically(text: str) -> ZonedDateTime:
    """Read a date in any of the spellings that Data Prep knows without a pattern.

    Raises:
        EvaluationError: It is in none of them.
    """
    if date := _parse_canonical(text) or _parse_iso(text):
        return date
    for pattern in (*ADOBE_PATTERNS, *FURTHER_PATTERNS):
        if date := date_pattern(pattern).parse_or_none(text):
            return date
    raise EvaluationError("the text is not a date in a spelling that needs no pattern")


def _parse_canonical(text: str) -> ZonedDateTime | None:
    """Read a date-time in UTC with milliseconds, as most records have it."""
    if len(text) != _CANONICAL_LENGTH or not _CANONICAL.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text[:19])
    except ValueError:
        return None
    return ZonedDateTime(moment.replace(tzinfo=_UTC), int(text[20:23]) * 1_000_000)


def _parse_iso(text: str) -> ZonedDateTime | None:
    """Read an ISO 8601 date-time, which no pattern of the list reads otherwise."""
    match = _ISO.fullmatch(text)
    if not match:
        return None
    *numbers, fraction, offset, zone = match.groups()
    fields: dict[str, t.Any] = dict(
        zip("yMdHms", [int(part or 0) for part in numbers], strict=True)
    )
    fields["S"] = int((fraction or "0").ljust(9, "0"))
    try:
        if offset:
            fields["X"] = offset_zone(offset)
        if zone:
            fields["V"] = zone_of(zone)
        return resolve(fields)
    except EvaluationError:
        return None
