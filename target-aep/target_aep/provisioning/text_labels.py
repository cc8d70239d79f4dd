"""What a text is counted as: its kind, and the types of fields in which it says the same."""

from __future__ import annotations

import functools
import re
import typing as t

from target_aep.provisioning.value_kinds import kind_of
from target_aep.xdm.exact_coercion import compile_exact_coercer
from target_aep.xdm.schema import XdmField
from target_aep.xdm.unconvertible import UnconvertibleError

_TextTakers = t.Literal["boolean", "integer", "number", "date", "date-time"]
_FROM_TEXT: t.Final = {
    f"text as {kind}": compile_exact_coercer(XdmField(kind)) for kind in t.get_args(_TextTakers)
}
_PLAIN: t.Final = ("string",)
_TRUTH: t.Final = ("string", "text as boolean")
# What has no digit for its first, or a letter of no number and no date, is neither of the two.
_LIKE_NUMBER = re.compile(r"\s*[-\d][-+\d\s.,:eEtTzZ]*")
_LIKE_TRUTH = re.compile(r"true|false", re.IGNORECASE | re.ASCII)


def labels_of_text(text: str) -> tuple[str, ...]:
    """The labels of a text that is not empty.

    They are its kind, as `kind_of` has it, and `text as integer` and the like for each type of
    field that takes it without a change.
    """
    if _LIKE_NUMBER.fullmatch(text):
        return _labels_of_number(text)
    return _TRUTH if _LIKE_TRUTH.fullmatch(text) else _PLAIN


@functools.lru_cache(maxsize=10_000)
def _labels_of_number(text: str) -> tuple[str, ...]:
    return kind_of(text), *(name for name, coerce in _FROM_TEXT.items() if takes(coerce, text))


def takes(coerce: t.Callable[[t.Any], t.Any], value: t.Any) -> bool:
    """Whether a conversion takes a value."""
    try:
        coerce(value)
    except UnconvertibleError:
        return False
    return True
