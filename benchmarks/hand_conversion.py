"""Values into the types of fields, as a programmer would write it for Mixpanel's records."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

Record = dict[str, Any]

_TRUE = frozenset({"y", "yes", "Y", "YES", "on", "ON", "true", "TRUE"})
_FALSE = frozenset({"n", "no", "N", "NO", "off", "OFF", "false", "FALSE"})


class HandConversion:
    """Puts values under keys, unless they are null or empty.

    Attributes:
        failed: How many could not be converted, by field.
    """

    def __init__(self) -> None:
        self.failed: Counter[str] = Counter()

    def text(self, part: Record, key: str, value: Any) -> None:
        """Put a text."""
        if isinstance(value, str):
            if value:
                part[key] = value
        elif isinstance(value, bool):
            part[key] = "true" if value else "false"
        elif isinstance(value, (int, Decimal)):
            part[key] = str(value)
        elif value is not None:
            self.failed[key] += 1

    def integer(self, part: Record, key: str, value: Any) -> None:
        """Put a whole number."""
        if value is None or value == "":
            return
        try:
            part[key] = value if type(value) is int else _whole(value)
        except ValueError:
            self.failed[key] += 1

    def number(self, part: Record, key: str, value: Any) -> None:
        """Put a number."""
        if value is None or value == "":
            return
        try:
            part[key] = value if type(value) is int else float(known_number(value))
        except ValueError:
            self.failed[key] += 1

    def boolean(self, part: Record, key: str, value: Any) -> None:
        """Put true or false."""
        if isinstance(value, bool):
            part[key] = value
        elif isinstance(value, str) and value in _TRUE:
            part[key] = True
        elif isinstance(value, str) and value in _FALSE:
            part[key] = False
        elif value is not None and value != "":
            self.failed[key] += 1


def known_number(value: Any) -> Any:
    """A number, or the one in a text.

    Raises:
        ValueError: There is none.
    """
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        return float(value)
    raise ValueError("no number")


def _whole(value: Any) -> int:
    number = known_number(value)
    if number != int(number):
        raise ValueError("a fraction")
    return int(number)
