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
    bookmarks = _bookmarks_of(state)
    return True if bookmarks is None else any(bookmarks.get(stream) for stream in streams)


def part_of(state: t.Any, streams: Collection[str]) -> t.Any:
    """What a STATE says of a stream: its bookmarks, else all, where that can't be told.

    Args:
        state: The STATE's value.
        streams: The tap's names of the stream.
    """
    bookmarks = _bookmarks_of(state)
    if bookmarks is None:
        return state
    return {stream: bookmarks[stream] for stream in streams if stream in bookmarks}


def _bookmarks_of(state: t.Any) -> dict[str, t.Any] | None:
    bookmarks = state.get("bookmarks")
    return bookmarks if isinstance(bookmarks, dict) else None
