"""Pattern letters, read: what each may look like in a text, and the number or zone that it is.

Reading is strict: `dd` is two digits, `d` one or two, and every number has to be in its range. A
year of two digits is one of 2000 to 2099, as for `java.time`. Names are taken in any case and in
their short or full form, offsets in any of their spellings.
"""

from __future__ import annotations

import re
import typing as t

from target_aep.data_prep.date_names import DAY_NUMBERS, MONTH_NUMBERS
from target_aep.data_prep.date_pattern_syntax import Letters, Text
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.time_zones import offset_zone, zone_in_text, zone_of

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_aep.data_prep.date_pattern_syntax import Token

Fields = dict[str, t.Any]
"""What was read, by pattern letter: a number, or a zone."""

_OFFSET = r"[+-]\d\d?(?::?\d\d(?::?\d\d)?)?"
_ZONE = rf"[A-Za-z][A-Za-z0-9_/+:~-]{{0,63}}|{_OFFSET}"
_SAME_FIELD = {"L": "M", "q": "Q", "x": "X"}
_NAMED_FROM = 3
_MILLISECOND_DIGITS, _NANOSECOND_DIGITS = 3, 9
_CENTURY = 2000

Convert = t.Callable[[str], t.Any]


class Reader:
    """What reads texts of one pattern."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._converts: list[tuple[str, Convert]] = []
        parts = [self._part(token) for token in tokens]
        self._expression = re.compile("".join(parts), re.IGNORECASE | re.ASCII)

    def read(self, text: str) -> Fields | None:
        """What the text holds, None where it does not have the pattern.

        Raises:
            EvaluationError: It holds a zone that does not exist.
        """
        match = self._expression.fullmatch(text)
        if match is None:
            return None
        return {
            letter: convert(part)
            for (letter, convert), part in zip(self._converts, match.groups(), strict=True)
            if part is not None
        }

    def _part(self, token: Token) -> str:
        if isinstance(token, Text):
            return re.escape(token.text)
        if isinstance(token, Letters):
            return self._group(token)
        return "(?:" if token == "[" else ")?"  # noqa: S105 - a bracket is no password

    def _group(self, token: Letters) -> str:
        letter = _SAME_FIELD.get(token.letter, token.letter)
        if any(known == letter for known, _ in self._converts):
            # A text could be divided between them in very many ways.
            raise EvaluationError(f'a date can\'t be read by a pattern that has "{letter}" twice')
        expression, convert = _letter_syntax(letter, token.width)
        self._converts.append((letter, convert))
        return f"({expression})"


def _letter_syntax(letter: str, count: int) -> tuple[str, Convert]:
    if letter in _WIDTHS:
        return _digits(count, _WIDTHS[letter]), int
    return _OTHERS[letter](count)


def _digits(count: int, most: int) -> str:
    return rf"\d{{{count},{max(count, most) if count == 1 or most > count > 1 else count}}}"


_WIDTHS = {"d": 2, "H": 2, "h": 2, "K": 2, "k": 2, "m": 2, "s": 2, "w": 2, "D": 3}
_WIDTHS |= {"W": 1, "F": 1, "u": 1}
"""How many digits the number of a letter can have."""


def _year(count: int) -> tuple[str, Convert]:
    if count == len("yy"):
        return r"\d\d", lambda text: _CENTURY + int(text)
    return rf"\d{{{count},{max(count, 4)}}}", int


def _month(count: int) -> tuple[str, Convert]:
    if count < _NAMED_FROM:
        return _digits(count, 2), int
    return _names(MONTH_NUMBERS)


def _names(numbers: dict[str, int]) -> tuple[str, Convert]:
    longest_first = sorted(numbers, key=len, reverse=True)
    return "|".join(longest_first), lambda text: numbers[text.lower()]


def _quarter(count: int) -> tuple[str, Convert]:
    if count < _NAMED_FROM:
        return rf"0{{{count - 1}}}[1-4]", int
    return r"Q[1-4]|[1-4](?:st|nd|rd|th) quarter", lambda text: int(text.lower().strip("q")[0])


def _fraction(count: int) -> tuple[str, Convert]:
    if count <= _MILLISECOND_DIGITS:
        return rf"\d{{{count},{_MILLISECOND_DIGITS}}}", lambda text: int(text) * 1_000_000
    return rf"\d{{{count}}}", lambda text: int(text[:_NANOSECOND_DIGITS].ljust(9, "0"))


def _offset(_count: int) -> tuple[str, Convert]:
    return f"(?:GMT|UTC)?{_OFFSET}|GMT|UTC|Z", lambda text: _offset_of(text.upper())


def _offset_of(text: str) -> t.Any:
    bare = text.removeprefix("GMT").removeprefix("UTC")
    return offset_zone(bare or "Z")


def _zone(_count: int) -> tuple[str, Convert]:
    return _ZONE, zone_in_text


def _zone_id(_count: int) -> tuple[str, Convert]:
    return _ZONE, zone_of


_OTHERS: dict[str, Callable[[int], tuple[str, Convert]]] = {
    "G": lambda _count: (r"AD|BC|Anno Domini|Before Christ", lambda text: text[0] in "Aa"),
    "y": _year,
    "Y": _year,
    "M": _month,
    "Q": _quarter,
    "E": lambda _count: _names(DAY_NUMBERS),
    "a": lambda _count: ("AM|PM", lambda text: text.upper() == "PM"),
    "S": _fraction,
    "Z": _offset,
    "X": _offset,
    "O": _offset,
    "z": _zone,
    "V": _zone_id,
}
