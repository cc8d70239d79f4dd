"""Dates in texts, by a pattern of Java's letters: read and printed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter

from target_aep.data_prep.date_fields import resolve
from target_aep.data_prep.date_pattern_syntax import Letters, Text, tokens_of
from target_aep.data_prep.date_printing import print_letters
from target_aep.data_prep.date_reading import Reader
from target_aep.data_prep.failures import EvaluationError

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from target_aep.data_prep.date_pattern_syntax import Token
    from target_aep.data_prep.zoned_date_time import ZonedDateTime


@dataclass(frozen=True)
class DatePattern:
    """A pattern; `date_pattern` makes it of its text.

    Attributes:
        text: As it was written.
        tokens: What it consists of.
    """

    text: str
    tokens: tuple[Token, ...]

    def parse(self, text: str) -> ZonedDateTime:
        """Read a date.

        Raises:
            EvaluationError: The text does not have the pattern, or is no date.
        """
        fields = self._reader.read(text)
        if fields is None:
            raise EvaluationError(f'the text does not have the date pattern "{self.text}"')
        return resolve(fields)

    def parse_or_none(self, text: str) -> ZonedDateTime | None:
        """Read a date; None where there is none of that pattern."""
        try:
            fields = self._reader.read(text)
            return None if fields is None else resolve(fields)
        except EvaluationError:
            return None

    def format(self, date: ZonedDateTime) -> str:
        """Print a date, as it is in its own zone.

        Raises:
            EvaluationError: The pattern asks for what is not known here.
        """
        if self._numeric is not None:
            template, numbers = self._numeric
            return template % tuple([number(date.moment_of_second) for number in numbers])
        return "".join([_printed(date, token) for token in self.tokens])

    @cached_property
    def _numeric(self) -> tuple[str, list[Callable[[datetime], int]]] | None:
        """The template of a pattern with nothing but plain numbers, and what goes into it."""
        template = ""
        numbers: list[Callable[[datetime], int]] = []
        for token in self.tokens:
            if isinstance(token, Text):
                template += token.text.replace("%", "%%")
            elif isinstance(token, Letters) and token in _NUMERIC:
                template += f"%0{token.width}d"
                numbers.append(attrgetter(_NUMERIC[token]))
            else:
                return None
        return template, numbers

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.tokens)


_NUMERIC: t.Final[dict[Token, str]] = {
    Letters("y", 4): "year",
    Letters("M", 2): "month",
    Letters("d", 2): "day",
    Letters("H", 2): "hour",
    Letters("m", 2): "minute",
    Letters("s", 2): "second",
}
"""The letters that nearly all patterns consist of."""


@lru_cache(maxsize=512)
def date_pattern(text: str) -> DatePattern:
    """The pattern of a text.

    Raises:
        EvaluationError: It is none.
    """
    return DatePattern(text, tokens_of(text))


def _printed(date: ZonedDateTime, token: Token) -> str:
    if isinstance(token, Letters):
        return print_letters(date, token.letter, token.width)
    return token.text if isinstance(token, Text) else ""
