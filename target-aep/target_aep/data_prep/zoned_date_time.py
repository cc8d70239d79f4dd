"""Date-times of Data Prep: an instant to the nanosecond, and the zone that it is seen from.

They are what `java.time.ZonedDateTime` is to Adobe (help/data-prep/functions.md in
AdobeDocs/experience-platform.en prints them). Python's datetime ends at microseconds and does not
tell `Z` from the zone called `UTC`, so it is only what this is made of.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import total_ordering

from target_aep.data_prep.failures import EvaluationError

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = timedelta(seconds=1)
_OUT_OF_RANGE = "the date is outside the years 1 to 9999"

NANOSECONDS_OF_SECOND: t.Final = 1_000_000_000
_NANOSECONDS_OF_MILLISECOND = 1_000_000


@total_ordering
@dataclass(frozen=True, eq=False)
class ZonedDateTime:
    """A date-time with a zone; two are equal, and ordered, as their instants are.

    Attributes:
        moment_of_second: An aware datetime in the zone, without a fraction.
        nanosecond: Of that second, 0 to 999,999,999.
    """

    moment_of_second: datetime
    nanosecond: int = 0

    @classmethod
    def of_local(cls, local: datetime, zone: tzinfo, nanosecond: int = 0) -> ZonedDateTime:
        """Make one from what a clock in the zone shows.

        An hour that a zone skips is read as the one after it, and of one that it has twice the
        first is meant, as in Java.

        Args:
            local: Naive, without a fraction of the second.
            zone: The zone of that clock.
            nanosecond: Of the second.

        Raises:
            EvaluationError: In UTC it lies outside the years 1 to 9999.
        """
        try:
            moment = local.replace(tzinfo=zone).astimezone(timezone.utc).astimezone(zone)
        except OverflowError:
            raise EvaluationError(_OUT_OF_RANGE) from None
        return cls(moment, nanosecond)

    @classmethod
    def of_epoch_milliseconds(cls, milliseconds: int, zone: tzinfo = timezone.utc) -> ZonedDateTime:
        """Make one from milliseconds since 1970-01-01 UTC.

        Raises:
            EvaluationError: Outside the years 1 to 9999.
        """
        seconds, rest = divmod(milliseconds, 1000)
        try:
            moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
        except OverflowError:
            raise EvaluationError(_OUT_OF_RANGE) from None
        return cls(moment, rest * _NANOSECONDS_OF_MILLISECOND)

    def in_zone(self, zone: tzinfo) -> ZonedDateTime:
        """The same instant, seen from another zone.

        Raises:
            EvaluationError: There it lies outside the years 1 to 9999.
        """
        try:
            return ZonedDateTime(self.moment_of_second.astimezone(zone), self.nanosecond)
        except OverflowError:
            raise EvaluationError(_OUT_OF_RANGE) from None

    @property
    def moment(self) -> datetime:
        """An aware datetime; what is finer than microseconds is cut."""
        return self.moment_of_second.replace(microsecond=self.nanosecond // 1000)

    @property
    def zone(self) -> tzinfo:
        """The zone that it is seen from."""
        return t.cast("tzinfo", self.moment_of_second.tzinfo)

    @property
    def zone_name(self) -> str | None:
        """The name of a zone that is more than an offset, such as `Europe/Paris` or `UTC`."""
        return getattr(self.zone, "key", None)

    @property
    def offset_seconds(self) -> int:
        """How far the zone is ahead of UTC at that instant."""
        return t.cast("timedelta", self.moment_of_second.utcoffset()) // _SECOND

    @property
    def epoch_milliseconds(self) -> int:
        """Whole milliseconds since 1970-01-01 UTC."""
        return self._epoch_nanoseconds // _NANOSECONDS_OF_MILLISECOND

    @property
    def text(self) -> str:
        """RFC 3339: `2019-10-23T11:24:00Z`, a fraction only where there is one."""
        local = self.moment_of_second.replace(tzinfo=None).isoformat()
        return f"{local}{_fraction_text(self.nanosecond)}{offset_text(self.offset_seconds)}"

    @property
    def zoned_text(self) -> str:
        """The text as Java's `ISO_ZONED_DATE_TIME` has it, with a named zone in brackets."""
        return f"{self.text}[{self.zone_name}]" if self.zone_name else self.text

    @property
    def _epoch_nanoseconds(self) -> int:
        seconds = (self.moment_of_second - _EPOCH) // _SECOND
        return seconds * NANOSECONDS_OF_SECOND + self.nanosecond

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ZonedDateTime):
            return NotImplemented
        return self._epoch_nanoseconds == other._epoch_nanoseconds

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, ZonedDateTime):
            return NotImplemented
        return self._epoch_nanoseconds < other._epoch_nanoseconds

    def __hash__(self) -> int:
        return hash(self._epoch_nanoseconds)

    def __str__(self) -> str:
        return self.text


def offset_text(seconds: int, colon: str = ":", zero: str = "Z") -> str:
    """An offset as `+02:00`; seconds only where it has some.

    Args:
        seconds: Ahead of UTC.
        colon: Between hours and minutes.
        zero: What stands for UTC.
    """
    if not seconds:
        return zero
    minutes, rest = divmod(abs(seconds), 60)
    tail = f"{colon}{rest:02}" if rest else ""
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}{colon}{minutes % 60:02}{tail}"


def _fraction_text(nanosecond: int) -> str:
    return f".{nanosecond:09}".rstrip("0") if nanosecond else ""
