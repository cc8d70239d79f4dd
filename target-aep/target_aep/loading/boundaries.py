"""Where a batch has to end, beside its size: before the tap begins something new.

A run that is repeated after a kill finds its batches by the STATEs that they commit. A tap that
first finishes what an earlier run left open, and then begins something whose extent depends on the
moment (as an arrival interval that ends now), comes to the same STATE at the end of the former
only. So the former must not share a batch with what follows.
"""

from __future__ import annotations

import typing as t


def begins_anew(before: t.Any, after: t.Any) -> bool:
    """Whether a STATE that follows another one without a record between them opens something.

    It does if it fills in what the other left null. A bookmark that merely moves on does not.

    Args:
        before: The value of the STATE before.
        after: The value of the STATE.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        return any(name in after and begins_anew(before[name], after[name]) for name in before)
    return before is None and after is not None
