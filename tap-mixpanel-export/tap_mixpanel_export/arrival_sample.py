"""A bounded sample of the arrivals in an answer, for its middle."""

from __future__ import annotations

from statistics import median_low

_MOST = 2000
_ENOUGH = 50


class ArrivalSample:
    """Keeps every so many of the arrivals it is shown, evenly over all of them."""

    def __init__(self) -> None:
        self._kept: list[int] = []
        self._stride = 1
        self._seen = 0

    def add(self, arrival_ms: int | None) -> None:
        """Look at an arrival (UTC milliseconds, None if an event has no stamp)."""
        if arrival_ms is None:
            return
        if self._seen % self._stride == 0:
            self._kept.append(arrival_ms)
            if len(self._kept) >= _MOST:
                del self._kept[1::2]
                self._stride *= 2
        self._seen += 1

    def median(self) -> int | None:
        """Return the middle arrival in UTC milliseconds, None if too few were seen."""
        return median_low(self._kept) if len(self._kept) >= _ENOUGH else None
