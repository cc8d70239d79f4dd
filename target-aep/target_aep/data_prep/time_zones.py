"""Time zones by the ids that Java takes, the short ones too."""

from __future__ import annotations

import re
import typing as t
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from target_aep.data_prep.failures import EvaluationError

SHORT_IDS: t.Final = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Harare",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "EST": "-05:00",
    "HST": "-10:00",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "MST": "-07:00",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}
"""The ids of three letters, as `java.time.ZoneId.SHORT_IDS` documents them."""

ABBREVIATIONS: t.Final = {
    "UT": 0,
    "WET": 0,
    "WEST": 60,
    "BST": 60,
    "CET": 60,
    "CEST": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "IST": 330,
    "JST": 540,
    "KST": 540,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
    "NST": -210,
    "NDT": -150,
    "AST": -240,
    "ADT": -180,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
}
"""What a date's text means by an abbreviation, in minutes ahead of UTC.

The abbreviation tells standard time from summer time, so it is an offset and not a region:
help/data-prep/functions.md turns 11:55:12 PST of an October day into 19:55:12 UTC.
"""

_OFFSET = re.compile(r"([+-])(\d\d?)(?::?(\d\d)(?::?(\d\d))?)?", re.ASCII)
_PREFIXED = re.compile(r"(?:UTC|GMT|UT)([+-].+)", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9_/+:-]{1,64}")
_MOST_SECONDS = 18 * 3600
_LONGEST_ID = 64


@lru_cache(maxsize=1024)
def zone_of(text: str) -> tzinfo:
    """The zone of an id: `Z`, an offset, `UTC+2`, a short id, or a name such as `Europe/Paris`.

    Raises:
        EvaluationError: There is no such zone.
    """
    if text in ("Z", "z"):
        return timezone.utc
    if _OFFSET.fullmatch(text):
        return offset_zone(text)
    if prefixed := _PREFIXED.fullmatch(text):
        return offset_zone(prefixed[1])
    known = SHORT_IDS.get(text, text)
    return zone_of(known) if known != text and known[0] in "+-" else _region(known, text)


@lru_cache(maxsize=1024)
def zone_in_text(text: str) -> tzinfo:
    """The zone that a date's text names: as `zone_of`, and abbreviations such as `PDT`."""
    minutes = ABBREVIATIONS.get(text.upper())
    return zone_of(text) if minutes is None else timezone(timedelta(minutes=minutes))


def offset_zone(text: str) -> tzinfo:
    """The zone of an offset: `+02`, `+0200`, `+02:00`, `+02:00:00` or `Z`."""
    if text in ("Z", "z"):
        return timezone.utc
    match = _OFFSET.fullmatch(text)
    if not match:
        raise _unknown(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > _MOST_SECONDS:  # noqa: PLR2004 - of an hour
        raise _unknown(text)
    return timezone(timedelta(seconds=-total if match[1] == "-" else total))


def _region(name: str, text: str) -> tzinfo:
    if len(name) > _LONGEST_ID:
        raise _unknown(text)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a plain name, the name of a directory
        raise _unknown(text) from None


def _unknown(text: str) -> EvaluationError:
    # What is no id at all may be anything in a record: that is not to be repeated in a log.
    name = f'"{text}"' if _ID.fullmatch(text) else "the text"
    return EvaluationError(f"{name} is not a time zone")
