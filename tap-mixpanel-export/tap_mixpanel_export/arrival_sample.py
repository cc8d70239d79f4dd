"""A bounded sample of the arrivals in an answer: where would two equal parts meet?"""

from __future__ import annotations

from statistics import median_low

_MOST = 2000
_ENOUGH = 50
_SORTED = 0.25
_HIGH = 0.8


class ArrivalSample:
    """Keeps every so many of the arrivals it is shown, evenly over all of them."""

    def __init__(self) -> None:
        self._kept: list[int] = []
        self._stride = 1
        self._seen = 0

    def add_all(self, arrivals: list[int]) -> None:
        """Look at many arrivals at once (UTC milliseconds)."""
        begin = 0
        while begin < len(arrivals):
            first = begin + -self._seen % self._stride
            room = _MOST - len(self._kept)
            kept = arrivals[first : first + room * self._stride : self._stride]
            self._kept += kept
            if len(kept) < room:
                self._seen += len(arrivals) - begin
                return
            end = first + (room - 1) * self._stride + 1
            self._seen += end - begin
            begin = end
            del self._kept[1::2]
            self._stride *= 2

    def cut_after(self) -> int | None:
        """Return the arrival after which to cut an answer of which only the beginning came.

        The middle one, if the answer is in no order. If it is in the order of arrival, what came
        is its first part, and nearly all of that fits into an answer.

        Returns:
            UTC milliseconds, or None if too few were seen.
        """
        if len(self._kept) < _ENOUGH:
            return None
        return (
            sorted(self._kept)[int(_HIGH * len(self._kept))]
            if self._is_sorted()
            else self._middle()
        )

    def _middle(self) -> int:
        return median_low(self._kept)

    def _is_sorted(self) -> bool:
        half = len(self._kept) // 2
        moved = median_low(self._kept[half:]) - median_low(self._kept[:half])
        return moved > _SORTED * (max(self._kept) - min(self._kept))
