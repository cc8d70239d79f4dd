"""Windows: the day ranges that requests are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """Project days from ``first_day`` to ``last_day``, both included."""

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ValueError(f"a window cannot end on {self.last_day} before {self.first_day}")

    def __str__(self) -> str:
        if self.first_day == self.last_day:
            return self.first_day.isoformat()
        return f"{self.first_day} to {self.last_day}"

    @property
    def count(self) -> int:
        """How many days it has."""
        return (self.last_day - self.first_day) // DAY + 1

    def __contains__(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def first_window(days: Window, *, size: int) -> Window:
    """Return the first ``size`` days of a range, or all of it if it is shorter."""
    last_day = min(days.last_day, days.first_day + timedelta(days=size - 1))
    return Window(days.first_day, last_day)
