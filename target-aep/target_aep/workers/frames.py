"""What a worker and the target say to each other: a head of fixed size, then as many bytes."""

from __future__ import annotations

import struct
import typing as t

HEAD: t.Final = struct.Struct("<BIQ")
"""Kind, number of the assignment, bytes that follow."""

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


def head(kind: int, number: int = 0, size: int = 0) -> bytes:
    """The head of a frame.

    Args:
        kind: One of the kinds.
        number: Of the assignment.
        size: Bytes that follow.
    """
    return HEAD.pack(kind, number, size)
