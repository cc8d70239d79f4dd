"""Literals of expressions: the values that texts and numbers are spelled for."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from target_aep.data_prep.limits import NUMBER_DIGITS, NUMBER_EXPONENT
from target_aep.data_prep.syntax_errors import Problem

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_OCTAL_DIGITS = frozenset("01234567")


def decode_text(literal: str) -> str:
    r"""The text of a literal with its quotes.

    As in JEXL 3.1 a backslash escapes the quote, itself and `\uXXXX`; before any other character
    it stays, so that `"\|"` and `"\\|"` are the same.
    """
    quote = literal[0]

    def decode(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return match[2] if match[2] in {quote, "\\"} else match[0]

    text = _ESCAPE.sub(decode, literal[1:-1])
    return _PAIR.sub(_join_pair, text)


def _join_pair(match: re.Match[str]) -> str:
    """Java's text is UTF-16, where two escapes make one character."""
    return match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def decode_number(literal: str, position: int) -> int | float | Decimal:
    """The value of a number.

    The suffixes are JEXL's: l and h for integers, f and d for floating point, b for decimals.

    Raises:
        Problem: It is too long or too large, or an octal number with the digits 8 or 9.
    """
    if len(literal) > NUMBER_DIGITS:
        raise Problem(f"a number has at most {NUMBER_DIGITS} digits", position)
    plain = literal.lower()
    if plain.startswith("0x"):
        return int(plain[2:].rstrip("lh"), 16)
    if plain[-1] == "b" or plain[-1] in "fd" or "." in plain or "e" in plain:
        return _decode_fraction(plain, position)
    digits = plain.rstrip("lh")
    if digits[0] == "0" and len(digits) > 1:
        if not _OCTAL_DIGITS.issuperset(digits):
            raise Problem("a number that begins with 0 is octal, of the digits 0 to 7", position)
        return int(digits, 8)
    return int(digits)


def _decode_fraction(literal: str, position: int) -> float | Decimal:
    number = Decimal(literal.rstrip("bfd"))
    if abs(number.adjusted()) > NUMBER_EXPONENT:
        raise Problem("the number is too large or too small", position)
    if literal[-1] == "b":
        return number
    double = float(number)
    if not math.isfinite(double):
        raise Problem("the number is too large for a double: end it with b", position)
    return double
