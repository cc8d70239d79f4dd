"""Names of months and days, which are English."""

from __future__ import annotations

import typing as t

MONTHS: t.Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS: t.Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUARTERS: t.Final = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")

_SHORT = 3


def numbers_by_name(names: tuple[str, ...]) -> dict[str, int]:
    """From 1, by the whole name and by its first three letters, in lower case."""
    numbers = {name.lower(): number for number, name in enumerate(names, 1)}
    return {**numbers, **{name[:_SHORT]: number for name, number in numbers.items()}}


MONTH_NUMBERS: t.Final = {**numbers_by_name(MONTHS), "sept": 9}
DAY_NUMBERS: t.Final = numbers_by_name(DAYS)
