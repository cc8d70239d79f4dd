"""Which streams a STATE resumes."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Collection


def resumes(state: t.Any, streams: Collection[str]) -> bool:
    """Whether a STATE has a bookmark of one of the streams, or is of a form that can't be read.

    Records of a stream without one are sent again by every run, whatever the STATE.

    Args:
        state: The STATE's value, None if there is none.
        streams: The tap's names of a stream.
    """
    if state is None:
        return False
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, dict):
        return True
    return any(bookmarks.get(stream) for stream in streams)
