"""Raw times as texts of their instants, a minute's work done once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_mixpanel_export.instants import instant_text

if TYPE_CHECKING:
    from tap_mixpanel_export.event_time import EventTime

SECOND_TEXTS = tuple(f"{second:02d}" for second in range(60))
"""What follows a minute's text, by the second of the minute."""

THOUSANDTH_TEXTS = tuple(f".{ms:03d}Z" for ms in range(1000))
"""What follows that, by the millisecond of the second."""

_MINUTE_TEXTS = tuple(f"{each // 60:02d}:{each % 60:02d}:" for each in range(24 * 60))
_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
_QUARTER = 15  # minutes
_QUARTER_HOUR = _QUARTER * _MINUTE
_LONG_BEFORE = 1 << 40  # milliseconds, some 34 years
_DIGITS_OF_A_DAY = len("2022-05-18T")
_MOST = 50_000


class TimeTexts(dict[int, str]):
    """By the minute of a raw time: the text of its instant up to the minute.

    It is empty for a minute whose times do not become UTC by one whole number of minutes: one near
    which a wall clock was put forward or back, or ran twice, and those of old local mean times.
    """

    def __init__(self, event_time: EventTime) -> None:
        super().__init__()
        self._event_time = event_time
        self._offsets: dict[int, int | None] = {}
        self._days: dict[int, str] = {}

    def __missing__(self, minute: int) -> str:
        if len(self) >= _MOST:
            self.clear()
            self._offsets.clear()
            self._days.clear()
        quarter = minute // _QUARTER
        if quarter not in self._offsets:
            self._offsets[quarter] = self._offset(quarter)
        offset = self._offsets[quarter]
        # Minutes of a quarter are mostly asked for together, but for times from all over a year.
        is_roomy = len(self) < _MOST // 2
        begin, end = (
            (quarter * _QUARTER, (quarter + 1) * _QUARTER) if is_roomy else (minute, minute + 1)
        )
        for each in range(begin, end):
            self[each] = "" if offset is None else self._text(each * _MINUTE + offset)
        return self[minute]

    def _text(self, instant: int) -> str:
        """Write an instant up to the minute."""
        day, rest = divmod(instant, _DAY)
        text = self._days.get(day)
        if text is None:
            text = self._days[day] = instant_text(day * _DAY)[:_DIGITS_OF_A_DAY]
        return text + _MINUTE_TEXTS[rest // _MINUTE]

    def _offset(self, quarter: int) -> int | None:
        """Return what becomes UTC if it is added to a time of a quarter of an hour."""
        if self._event_time.wall_clock_zone is None:
            return 0
        begin = quarter * _QUARTER_HOUR
        # The receipts make `to_utc` choose the one, then the other, of two instants.
        found = {
            self._event_time.to_utc(raw, received) - raw
            for raw in (begin, begin + _QUARTER_HOUR - 1)
            for received in (raw - _LONG_BEFORE, raw + _LONG_BEFORE)
        }
        offset = found.pop()
        return None if found or offset % _MINUTE else offset
