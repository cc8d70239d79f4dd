"""Type conversions: help/data-prep/functions.md, "Type conversions"."""

from __future__ import annotations

import math
import struct
import typing as t
from decimal import Decimal

from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions.definition import Category
from target_aep.data_prep.functions.numbers import integral

CATEGORY = Category("Type conversions")

_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_MOST_DIGITS = 4000
_DIGITS_OF_FLOAT = 9

Number = t.Any


@CATEGORY.define("to_bigint(STRING: number) -> integer")
def to_bigint(number: Number) -> int:
    """A whole number of any size; a fraction is cut, since the documented call has one."""
    exact = Decimal(number)
    if exact.adjusted() >= _MOST_DIGITS:
        raise EvaluationError(f"to_bigint: the number has {_MOST_DIGITS:,} digits or more")
    return int(exact)


@CATEGORY.define("to_decimal(STRING: number) -> number")
def to_decimal(number: Number) -> float:
    """A number of double precision."""
    return _double("to_decimal", number)


@CATEGORY.define("to_float(STRING: number) -> number")
def to_float(number: Number) -> float:
    """A number of single precision: the shortest one that is written the same in it."""
    double = _double("to_float", number)
    try:
        single = struct.unpack("<f", struct.pack("<f", double))[0]
    except OverflowError:
        raise EvaluationError("to_float: the number is too large") from None
    spellings = (float(f"{single:.{digits}g}") for digits in range(1, _DIGITS_OF_FLOAT + 1))
    return next((short for short in spellings if _rounded(short) == single), single)


@CATEGORY.define("to_integer(STRING: number) -> integer")
def to_integer(number: Number) -> int:
    """A whole number of 32 bits."""
    whole = integral(number)
    if whole is None:
        raise EvaluationError("to_integer: the number has a fraction")
    if not _SMALLEST <= whole <= _LARGEST:
        raise EvaluationError("to_integer: the number does not fit 32 bits")
    return whole


def _double(function: str, number: Number) -> float:
    try:
        double = float(number)
    except OverflowError:
        double = math.inf
    if not math.isfinite(double):
        raise EvaluationError(f"{function}: the number is too large")
    return double


def _rounded(number: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.inf
