r"""Character classes and single characters of Java's regular expressions.

They come out as sets of the `regex` package: the text that may stand between `[` and `]` there.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata


class PatternError(ValueError):
    """A pattern that Java would not take, and why."""


LINE_ENDS: t.Final = r"\n\r\x85\u2028\u2029"
LINE_END: t.Final = r"\r\n|[\n\x0b\x0c\r\x85\u2028\u2029]"

_HORIZONTAL = r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
_VERTICAL = r"\n\x0b\x0c\r\x85\u2028\u2029"
_SHORTHANDS = {
    "d": "0-9",
    "w": "a-zA-Z0-9_",
    "s": r" \t\n\x0b\x0c\r",
    "h": _HORIZONTAL,
    "v": _VERTICAL,
}
UNICODE_SETS: t.Final = frozenset("dwshvDWSHV")

_ASCII_PROPERTIES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-\~",
    "Graph": r"!-\~",
    "Print": r" -\~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\x0c\r",
    "javaLowerCase": r"\p{Lowercase}",
    "javaUpperCase": r"\p{Uppercase}",
    "javaWhitespace": r"\t-\r\x1c-\x1f \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000",
    "javaMirrored": r"\p{Bidi_Mirrored}",
    "javaLetter": r"\p{L}",
    "javaDigit": r"\p{Nd}",
    "javaLetterOrDigit": r"\p{L}\p{Nd}",
    "javaAlphabetic": r"\p{Alphabetic}",
    "L1": r"\x00-\xff",
    "LC": r"\p{Lu}\p{Ll}\p{Lt}",
    "LD": r"\p{L}\p{Nd}",
    "all": r"\x00-\U0010ffff",
}
_PROPERTY = re.compile(r"([pP])(?:\{(\^?[A-Za-z0-9_ =-]{1,60})\}|([A-Z]))")
_KEYED = re.compile(r"(?:(?:sc|script|blk|block|gc|general_category)=)?(\w[\w -]*)", re.IGNORECASE)

_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_NUMBERED = re.compile(
    r"x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,8})\}|u([0-9a-fA-F]{4})|0([0-3]?[0-7]{1,2})"
)
_NAMED = re.compile(r"N\{([A-Za-z0-9 ()-]{1,90})\}")
_OCTAL_GROUP = 4
_HIGH_HALF, _LOW_HALF = range(0xD800, 0xDC00), range(0xDC00, 0xE000)
_DEEPEST = 20


def shorthand_set(letter: str, *, unicode: bool) -> str:
    r"""The set of `\d`, `\W` and so on: ASCII in Java, unless the flag `U` is set."""
    lower = letter.lower()
    if unicode and lower in "dws":
        return rf"\{letter}"
    members = _SHORTHANDS[lower]
    return members if letter == lower else f"[^{members}]"


def property_set(pattern: str, position: int) -> tuple[str, int]:
    r"""The set of `\p{…}`, and where it ends; `position` is that of the `p`.

    Raises:
        PatternError: There is no such property.
    """
    match = _PROPERTY.match(pattern, position)
    if not match:
        raise PatternError(rf"\{pattern[position]} is not followed by a property")
    name = match[2] or match[3]
    members = _ASCII_PROPERTIES.get(name) or _unicode_property(name)
    return (members if match[1] == "p" else f"[^{members}]"), match.end()


def _unicode_property(name: str) -> str:
    keyed = _KEYED.fullmatch(name)
    if not keyed:
        raise PatternError(rf"\p{{{name}}} is not a property")
    return rf"\p{{{name}}}"


def character_escape(pattern: str, position: int) -> tuple[str, int]:
    r"""The character of an escape such as `\t`, `\x41` or `\.`, and where it ends.

    Raises:
        PatternError: Java has no such escape.
    """
    letter = pattern[position]
    if letter in _CONTROLS:
        return _CONTROLS[letter], position + 1
    if numbered := _NUMBERED.match(pattern, position):
        return _numbered_character(pattern, numbered)
    if named := _NAMED.match(pattern, position):
        return _named_character(named[1]), named.end()
    if letter == "c" and position + 1 < len(pattern):
        return chr(ord(pattern[position + 1]) ^ 64), position + 2
    if letter.isascii() and letter.isalnum():
        raise PatternError(rf"\{letter} is not an escape")
    return letter, position + 1


def _numbered_character(pattern: str, match: re.Match[str]) -> tuple[str, int]:
    octal = match[_OCTAL_GROUP]
    number = int(octal, 8) if octal else int(match[1] or match[2] or match[3], 16)
    end = match.end()
    if number in _HIGH_HALF and pattern.startswith("\\u", end):
        low = _NUMBERED.match(pattern, end + 1)
        if low and low[3] and int(low[3], 16) in _LOW_HALF:
            number = 0x10000 + ((number - 0xD800) << 10) + int(low[3], 16) - 0xDC00
            end = low.end()
    if number > 0x10FFFF:  # noqa: PLR2004 - the last character of Unicode
        raise PatternError(rf"\{match[0]} is beyond Unicode")
    return chr(number), end


def _named_character(name: str) -> str:
    try:
        return unicodedata.lookup(name)
    except KeyError:
        raise PatternError(f"there is no character called {name}") from None


def read_class(pattern: str, position: int, unicode: bool, depth: int = 0) -> tuple[str, int]:
    """Rewrite a class in brackets.

    Args:
        pattern: The whole pattern.
        position: Where its `[` is.
        unicode: Whether shorthands mean more than ASCII.
        depth: How many classes it stands in.

    Returns:
        The class for `regex`, and the position after its `]`.

    Raises:
        PatternError: It is not closed, or not one of Java's.
    """
    if depth > _DEEPEST:
        raise PatternError(f"more than {_DEEPEST} classes within each other")
    start = position + 1
    negated = pattern.startswith("^", start)
    position = start + negated
    operands: list[list[str]] = [[]]
    while position < len(pattern):
        if pattern[position] == "]" and (len(operands) > 1 or operands[0]):
            return _written(negated, operands), position + 1
        if pattern.startswith("&&", position):
            operands.append([])
            position += 2
            continue
        item, position = _read_item(pattern, position, unicode, depth)
        operands[-1].append(item)
    raise PatternError("a class is not closed")


def _written(negated: bool, operands: list[list[str]]) -> str:
    present = ["".join(items) for items in operands if items]
    if len(present) > 1:
        return f"[{'^' if negated else ''}{'&&'.join(f'[{text}]' for text in present)}]"
    return f"[{'^' if negated else ''}{''.join(present)}]"


def _read_item(pattern: str, position: int, unicode: bool, depth: int) -> tuple[str, int]:
    """A member of a class: a class, a set, a quoted text, a range or a character."""
    if pattern[position] == "[":
        return read_class(pattern, position, unicode, depth + 1)
    following = pattern[position + 1 : position + 2]
    if pattern[position] == "\\" and following:
        if following == "Q":
            end = pattern.find("\\E", position)
            text = pattern[position + 2 : end if end >= 0 else None]
            return "".join(map(_member, text)), end + 2 if end >= 0 else len(pattern)
        if following in UNICODE_SETS:
            return shorthand_set(following, unicode=unicode), position + 2
        if following in "pP":
            return property_set(pattern, position + 1)
    low, position = _read_character(pattern, position)
    if not _begins_range(pattern, position):
        return _member(low), position
    high, position = _read_character(pattern, position + 1)
    if high < low:
        raise PatternError(f"the range {low}-{high} has no characters in it")
    return f"{_member(low)}-{_member(high)}", position


def _begins_range(pattern: str, position: int) -> bool:
    return (
        pattern.startswith("-", position)
        and position + 1 < len(pattern)
        and pattern[position + 1] not in "[]"
    )


def _read_character(pattern: str, position: int) -> tuple[str, int]:
    if pattern[position] == "\\":
        if position + 1 == len(pattern):
            raise PatternError("a backslash is the last character")
        return character_escape(pattern, position + 1)
    return pattern[position], position + 1


def _member(char: str) -> str:
    """A character as it may stand in a set of `regex`, where many signs are operators."""
    return char if char.isalnum() else f"\\U{ord(char):08x}"
