r"""The syntax of Java's regular expressions, rewritten for the `regex` package (its version 1).

What means the same in both is passed on, what differs is spelled out (`\h`, `\R`, `\Z`, `$`, `.`,
`\d`, `\p{Alpha}`, `\Q…\E`, class intersection, flags), and what Java does not have is refused,
so that nothing of `regex` that could do harm (recursion, fuzzy matching, verbs) can be reached.
The syntax is that of `java.util.regex.Pattern`.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from target_aep.data_prep.java_regex_classes import (
    LINE_END,
    LINE_ENDS,
    UNICODE_SETS,
    PatternError,
    character_escape,
    property_set,
    read_class,
    shorthand_set,
)

_GROUP_OPENING = re.compile(
    r"\?(?:<(?P<name>[a-zA-Z][a-zA-Z0-9]*)>"
    r"|(?P<kind>:|=|!|>|<=|<!)"
    r"|(?P<on>[idmsuxU]*)(?:-(?P<off>[idmsuxU]*))?(?P<end>[:)]))",
)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})[+?]?", re.ASCII)
_BACK_REFERENCE = re.compile(r"[1-9]")
_NAMED_REFERENCE = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>")
_COMMENT = re.compile(r"\s+|#[^\n]*")
_MOST_REPETITIONS = 100_000
_MOST_COPIES = 20_000
_DEEPEST = 50

_BOUNDARIES: t.Final = {
    "A": r"\A",
    "b": r"\b",
    "B": r"\B",
    "G": r"\G",
    "z": r"\Z",
    "Z": rf"(?=(?:{LINE_END})?\Z)",
    "R": rf"(?>{LINE_END})",
    "X": r"\X",
}


def translate(pattern: str) -> str:
    """Rewrite a pattern of Java for `regex.compile(…, regex.VERSION1)`.

    Raises:
        PatternError: It is none of Java's.
    """
    return _Translation(pattern).run()


@dataclass
class _Translation:
    """One pass over a pattern.

    Attributes:
        flags: Those of the innermost group, as their letters.
        outer: Those of the groups around it.
        groups: How many capturing groups have been opened.
        names: Those of capturing groups.
        parts: What has been written.
        repeatable: Whether the last of them may be followed by a quantifier.
        weights: By group, the outermost first: how many parts `regex` makes of what is in it, as
            it writes out what has to be repeated.
        last_weight: The same for the last part.
    """

    pattern: str
    position: int = 0
    flags: frozenset[str] = frozenset()
    outer: list[frozenset[str]] = field(default_factory=list)
    groups: int = 0
    names: set[str] = field(default_factory=set)
    parts: list[str] = field(default_factory=list)
    repeatable: bool = False
    weights: list[int] = field(default_factory=lambda: [0])
    last_weight: int = 0

    def run(self) -> str:
        while self.position < len(self.pattern):
            self._step()
        if self.outer:
            raise PatternError("a group is not closed")
        return "".join(self.parts)

    def _step(self) -> None:
        char = self.pattern[self.position]
        if "x" in self.flags and (comment := _COMMENT.match(self.pattern, self.position)):
            self.position = comment.end()
        elif char in "*+?{":
            self._quantifier()
        elif char == "(":
            self._open_group()
        elif char == ")":
            self._close_group()
        elif char == "[":
            text, self.position = read_class(self.pattern, self.position, self._is_unicode)
            self._add(text)
        elif char == "\\":
            self._escape()
        else:
            self.position += 1
            self._plain(char)

    def _plain(self, char: str) -> None:
        if char == ".":
            self._add(self._dot())
        elif char == "$":
            self._add("$" if "m" in self.flags else _BOUNDARIES["Z"])
        elif char in "^|":
            self._add(char, repeatable=False)
        else:
            self._add(re.escape(char))

    def _dot(self) -> str:
        if "s" in self.flags:
            return "(?s:.)"
        return r"[^\n]" if "d" in self.flags else f"[^{LINE_ENDS}]"

    def _quantifier(self) -> None:
        match = _QUANTIFIER.match(self.pattern, self.position)
        if not match:
            raise PatternError("{ is not followed by a number of repetitions")
        if not self.repeatable:
            raise PatternError(f"{match[0][0]} has nothing to repeat")
        low, high = int(match[1] or 0), int(match[3] or match[1] or 0)
        if max(low, high) > _MOST_REPETITIONS:
            raise PatternError(f"more than {_MOST_REPETITIONS:,} repetitions")
        if high < low:
            raise PatternError(f"the range {match[0]} has no numbers in it")
        self.position = match.end()
        self._add(match[0], repeatable=False, weight=self.last_weight * max(low - 1, 0))

    def _open_group(self) -> None:
        self.position += 1
        if len(self.outer) >= _DEEPEST:
            raise PatternError(f"more than {_DEEPEST} groups within each other")
        if not self.pattern.startswith("?", self.position):
            self._enter("(", self.flags, captures=True)
            return
        match = _GROUP_OPENING.match(self.pattern, self.position)
        if not match:
            raise PatternError("(? is not followed by what Java knows")
        self.position = match.end()
        if match["name"]:
            if match["name"] in self.names:
                raise PatternError(f"two groups are called {match['name']}")
            self.names.add(match["name"])
            self._enter(f"(?<{match['name']}>", self.flags, captures=True)
        elif match["kind"]:
            self._enter(f"(?{match['kind']}", self.flags)
        else:
            self._change_flags(match)

    def _change_flags(self, match: re.Match[str]) -> None:
        changed = (self.flags | set(match["on"])) - set(match["off"] or "")
        if match["end"] == ":":
            self._enter(_passed_on(changed, ":"), changed)
        else:
            self.flags = changed
            self._add(_passed_on(changed, ")"), repeatable=False)

    def _enter(self, opening: str, flags: frozenset[str], *, captures: bool = False) -> None:
        self.outer.append(self.flags)
        self.flags = flags
        self.groups += captures
        self._add(opening, repeatable=False)
        self.weights.append(0)

    def _close_group(self) -> None:
        if not self.outer:
            raise PatternError("a ) closes nothing")
        self.flags = self.outer.pop()
        self.position += 1
        self._add(")", weight=self.weights.pop())

    def _escape(self) -> None:
        self.position += 1
        if self.position == len(self.pattern):
            raise PatternError("a backslash is the last character")
        letter = self.pattern[self.position]
        if letter == "Q":
            self._quoted()
        elif letter in _BOUNDARIES:
            self.position += 1
            self._add(_BOUNDARIES[letter])
        elif letter == "k":
            self._named_reference()
        elif _BACK_REFERENCE.match(letter):
            self._back_reference()
        elif letter in "pP":
            text, self.position = property_set(self.pattern, self.position)
            self._add(f"[{text}]")
        elif letter in UNICODE_SETS:
            self.position += 1
            self._add(f"[{shorthand_set(letter, unicode=self._is_unicode)}]")
        else:
            char, self.position = character_escape(self.pattern, self.position)
            self._add(re.escape(char))

    def _quoted(self) -> None:
        end = self.pattern.find("\\E", self.position)
        text = self.pattern[self.position + 1 : end if end >= 0 else None]
        self.position = end + 2 if end >= 0 else len(self.pattern)
        for char in text:
            self._add(re.escape(char))

    def _named_reference(self) -> None:
        match = _NAMED_REFERENCE.match(self.pattern, self.position)
        if not match:
            raise PatternError(r"\k is not followed by <name>")
        self.position = match.end()
        self._add(f"(?P={match[1]})")

    def _back_reference(self) -> None:
        number, self.position = int(self.pattern[self.position]), self.position + 1
        while (digit := self.pattern[self.position : self.position + 1]) and digit in "0123456789":
            if number * 10 + int(digit) > self.groups:
                break
            number, self.position = number * 10 + int(digit), self.position + 1
        self._add(rf"(?:\{number})")

    @property
    def _is_unicode(self) -> bool:
        return "U" in self.flags

    def _add(self, text: str, *, repeatable: bool = True, weight: int = 1) -> None:
        self.parts.append(text)
        self.repeatable = repeatable
        self.last_weight = weight
        self.weights[-1] += weight
        if self.weights[-1] > _MOST_COPIES:
            raise PatternError(f"what is to be repeated has over {_MOST_COPIES:,} parts")


def _passed_on(flags: frozenset[str], end: str) -> str:
    """The flags that `regex` knows alike; full case folding is not Java's."""
    on = "".join(flag for flag in "im" if flag in flags)
    off = "".join(flag for flag in "im" if flag not in flags)
    return f"(?{on}-f{off}{end}"
