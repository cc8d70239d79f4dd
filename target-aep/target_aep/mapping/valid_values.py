"""Tests of values that are valid in a field as they are, for the function that maps a record."""

from __future__ import annotations

import typing as t

from target_aep.xdm.scalar_coercion import (
    has_choices_only,
    has_lengths_only,
    is_reference_only,
    takes_any_text,
)

if t.TYPE_CHECKING:
    from target_aep.xdm.schema import XdmField

_EXACT: t.Final = 2**53
_ANY_TEXT: t.Final = "x.__class__ is str and x"
_WHOLE: t.Final = "x.__class__ is int"
_TRUTH: t.Final = "x is True or x is False"


def test_of_valid(field: XdmField) -> str | None:
    """Code that tests whether the conversion to a field leaves a value as it is.

    Args:
        field: Of a schema, or of any kind.

    Returns:
        An expression of the variable `x`, and of CHOICES for the field's enum. It may be false for
        values that are valid, too. None if there is no such test.
    """
    if field.kind == "any":
        return f"{_ANY_TEXT} or {_WHOLE} or {_TRUTH}"
    if field.kind == "boolean":
        return _TRUTH
    if field.kind == "string":
        return _text_test(field)
    if field.kind in ("integer", "number"):
        return _number_test(field)
    return None


def _text_test(field: XdmField) -> str | None:
    if takes_any_text(field):
        return _ANY_TEXT
    if has_choices_only(field):
        return f"{_ANY_TEXT} and x in CHOICES"
    if has_lengths_only(field):
        low, high = max(field.min_length, 1), field.max_length
        most = "" if high is None else f" <= {int(high)}"
        return f"x.__class__ is str and {low} <= len(x){most}"
    if is_reference_only(field):  # letters and digits are one, as the ids of the tap are
        return "x.__class__ is str and x.isalnum() and x.isascii()"
    return None


def _number_test(field: XdmField) -> str | None:
    low, high = field.minimum, field.maximum
    if low is None and high is None:
        finite = "x.__class__ is float and x - x == 0"
        within = f"{_WHOLE} and -{_EXACT} <= x <= {_EXACT}"
        return f"{within} or {finite}" if field.kind == "number" else _WHOLE
    least = -_EXACT if low is None else max(low, -_EXACT)
    most = _EXACT if high is None else min(high, _EXACT)
    if not (isinstance(least, int) and isinstance(most, int)):
        return None
    return f"{_WHOLE} and {least} <= x <= {most}"
