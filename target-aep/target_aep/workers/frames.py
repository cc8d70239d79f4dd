"""What a worker and the target say to each other: a head of fixed size, then as many bytes."""

from __future__ import annotations

import struct
import typing as t

HEAD: t.Final = struct.Struct("<BIQ")
"""Kind, number of the assignment, bytes that follow."""

AT_ONCE: t.Final = 3
"""Blocks that a worker is given ahead, and slots that it shares."""

READY: t.Final = 0
"""From a worker: it can take work."""
ASSIGNMENT: t.Final = 1
"""To a worker: a pickled `Assignment` under a number."""
BLOCK: t.Final = 2
"""To a worker: RECORD lines of that assignment. From a worker: what they became, pickled."""
FAILED: t.Final = 3
"""From a worker: it can't map a block."""
DROP: t.Final = 4
"""To a worker: no block of this assignment comes any more."""
BLOCK_IN_SLOT: t.Final = 5
"""As a block, but a slot has what is large: a `PLACE`, and from a worker the rest, pickled."""

PLACE: t.Final = struct.Struct("<III")
"""A slot, the bytes of the lines or rows in it, those of the copies after them."""


def head(kind: int, number: int = 0, size: int = 0) -> bytes:
    """The head of a frame.

    Args:
        kind: One of the kinds.
        number: Of the assignment.
        size: Bytes that follow.
    """
    return HEAD.pack(kind, number, size)
