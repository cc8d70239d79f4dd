"""Regular expressions of Java, run by the `regex` package within a bound of time."""

from __future__ import annotations

import typing as t
from functools import lru_cache

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_regex_classes import PatternError
from target_aep.data_prep.java_regex_syntax import translate

_SECONDS_OF_MATCH = 0.2
_LONGEST_PATTERN = 4096
_TOO_SLOW = "the regular expression takes too long on this text"

_Result = t.TypeVar("_Result")


def check(pattern: str) -> None:
    """Refuse what is not a regular expression of Java.

    Raises:
        EvaluationError: Why it is none.
    """
    _compile(pattern)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches, as Java's `String.matches` has it."""
    return _timed(lambda: _compile(pattern).fullmatch(text, timeout=_SECONDS_OF_MATCH) is not None)


def find(pattern: str, text: str) -> bool:
    """Whether a part of the text matches."""
    return _timed(lambda: _compile(pattern).search(text, timeout=_SECONDS_OF_MATCH) is not None)


def groups(pattern: str, text: str) -> list[str | None] | None:
    """The first part that matches, followed by its groups; None where nothing does."""
    match = _timed(lambda: _compile(pattern).search(text, timeout=_SECONDS_OF_MATCH))
    return None if match is None else [match[0], *match.groups()]


def split(pattern: str, text: str) -> list[str]:
    """The text between the matches, empty pieces too (`String.split` with the limit -1).

    A match of no width before the first character separates nothing.
    """
    return _timed(lambda: _split(pattern, text))


def _split(pattern: str, text: str) -> list[str]:
    pieces, start = [], 0
    for match in _compile(pattern).finditer(text, timeout=_SECONDS_OF_MATCH):
        if match.end() == 0:
            continue
        pieces.append(text[start : match.start()])
        start = match.end()
    pieces.append(text[start:])
    return pieces


def _timed(run: t.Callable[[], _Result]) -> _Result:
    try:
        return run()
    except TimeoutError:
        raise EvaluationError(_TOO_SLOW) from None
    except (MemoryError, RecursionError):
        raise EvaluationError(_TOO_SLOW) from None


@lru_cache(maxsize=512)
def _compile(pattern: str) -> t.Any:
    # Most runs use no pattern, and should not pay for the import.
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415

    if len(pattern) > _LONGEST_PATTERN:
        raise EvaluationError(f"a regular expression of over {_LONGEST_PATTERN} characters")
    try:
        return regex.compile(translate(pattern), regex.VERSION1)
    except (PatternError, regex.error) as error:
        raise EvaluationError(f"not a regular expression of Java: {error}") from None
    except (RecursionError, OverflowError, ValueError, KeyError, IndexError):
        raise EvaluationError("a regular expression that can't be read") from None
