"""What ``msgspec`` passes over in a line, and ``parse_event`` refuses."""

from __future__ import annotations

import re
import sys

from tap_mixpanel_export.event import DEEPEST

# Digits of the longest integer that Python reads, see
# https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation
LONGEST_NUMBER = getattr(sys, "get_int_max_str_digits", int)() or sys.maxsize

_HALF = LONGEST_NUMBER // 2
_DIGITS = 18  # of an exponent; a Decimal holds smaller ones
_LARGE_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{%d}" % _DIGITS)
# Of so many digits, every third is six in a row of every third character. A time in milliseconds
# has five of them at most.
_STRIDE = 3
_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_ALIKE_DIGITS = b"0" * (_DIGITS // _STRIDE)
_SURE_DIGITS = _DIGITS - _STRIDE + 1  # from the first of these to the last
_BEFORE = _STRIDE + 1  # from the letter to the first of these
_MOST_LOOKS = 100
# A search is fast for characters that differ from most others in their last six bits.
_ALL_ALIKE = bytes.maketrans(b"0123456789E+-", b"\x1c" * 10 + b"eee")
_ALIKE_EXPONENT = b"e" + b"\x1c" * _DIGITS


def may_be_deep(raw: bytes) -> bool:
    """Whether there are enough brackets for an object that is nested too deeply."""
    return raw.count(b"{") + raw.count(b"[") >= DEEPEST


def has_long_number(raw: bytes) -> bool:
    """Whether there may be an integer that Python refuses to read.

    Its digits would fill one of these pieces, wherever it begins.
    """
    return any(
        raw[begin : begin + _HALF].isdigit() for begin in range(0, len(raw) - _HALF + 1, _HALF)
    )


def has_large_exponent(text: bytes) -> bool:
    """Whether there may be a number that no Decimal holds.

    Only places with many digits are looked at: a search of the whole text for the exponent itself
    takes as long as reading it. Where there are many such places, as ids of 19 digits are, all of
    the text is searched after all.
    """
    marks = text[::_STRIDE].translate(_ALIKE)
    at = -1
    for _ in range(_MOST_LOOKS):
        at = marks.find(_ALIKE_DIGITS, at + 1)
        if at < 0:
            return False
        digits = at * _STRIDE
        if text[digits : digits + _SURE_DIGITS].isdigit():
            earliest = max(0, digits - _BEFORE)
            if _LARGE_EXPONENT.search(text, earliest, digits + _DIGITS):
                return True
    is_alike = _ALIKE_EXPONENT in text.translate(_ALL_ALIKE)
    return is_alike and _LARGE_EXPONENT.search(text) is not None
