"""How deeply the input may be nested: fixed bounds, so that no stack decides, in any process.

Python ends a recursion at 1,000 calls, of which some are under way already. With that, a record of
about 490 levels can be mapped (two calls a level), and one of about 970 be read and kept as a
dead letter. Both bounds are well below.
"""

from __future__ import annotations

import re
import typing as t

DEEPEST: t.Final = 200
"""Levels of a record, a STATE's value or a SCHEMA's schema; far above any real one."""

DEEPEST_LINE: t.Final = 850
"""Levels of a line that is read at all: a record of so many can still be kept as a dead letter."""

TOO_DEEP: t.Final = (
    f"nested too deeply (more than {DEEPEST} levels): let the tap leave out what is so deep, or "
    "send it as text"
)
"""Why a record can't be loaded."""

UNREADABLE: t.Final = (
    f"nested too deeply (more than {DEEPEST_LINE} levels) to be read: let the tap leave out what "
    "is so deep, or send it as text"
)
"""Why a line can't be read."""

_MARK = re.compile(rb'\\.|["{}\[\]]', re.DOTALL)
_CONTAINERS: t.Final = (dict, list)
_SHORTEST_LEVEL = len(b'{"":')


def may_be_deeper(line: bytes, levels: int) -> bool:
    """Whether a line of JSON could have more levels of objects and lists.

    It is asked of every record, so most lines are told by where their first and last brackets are,
    which is far sooner found than how many there are: an object in another takes four bytes more.

    Args:
        line: JSON.
        levels: As many are not too many.
    """
    first_list = line.find(b"[")
    lists = line.rfind(b"[") - first_list + 1 if first_list >= 0 else 0
    if lists + line.rfind(b"{") // _SHORTEST_LEVEL < levels:
        return False
    brackets = len(line) - len(line.replace(b"{", b"").replace(b"[", b""))  # far quicker than count
    return brackets > levels


def is_line_too_deep(line: bytes) -> bool:
    """Whether that is why a line can't be read; slow, and asked of no other."""
    level, is_text = 0, False
    for match in _MARK.finditer(line):
        mark = match[0]
        if mark == b'"':
            is_text = not is_text
        elif is_text or len(mark) > 1:
            continue
        elif mark in b"{[":
            level += 1
            if level > DEEPEST_LINE:
                return True
        else:
            level -= 1
    return False


def is_deeper(value: t.Any, levels: int) -> bool:
    """Whether a value as it was read from JSON has more levels of objects and lists."""
    level = [value] if value.__class__ in _CONTAINERS else []
    for _ in range(levels):
        if not level:
            return False
        level = [
            part
            for container in level
            for part in (container.values() if container.__class__ is dict else container)
            if part.__class__ in _CONTAINERS
        ]
    return bool(level)
