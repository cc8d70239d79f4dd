"""Lines that are no events: what kind they are, in words without customer data."""

from __future__ import annotations

import re

from tap_mixpanel_export.event import (
    ErrorLineError,
    Event,
    ForeignLineError,
    InvalidLineError,
    parse_event,
)
from tap_mixpanel_export.framing.messages import ABORTED, FOREIGN, MALFORMED, OddLine

_SHOWN_CHARACTERS = 60
_ABORTED = re.compile(rb"terminated early\s*\Z|\A\s*\{\s*\"error\"", re.IGNORECASE)
_TEXT = re.compile(r"[A-Za-z ,.:;!()/-]+")


def read_line(line: bytes, index: int) -> Event | OddLine:
    """Read a line that is not blank.

    Args:
        line: The line.
        index: Its place, for an odd one.
    """
    try:
        return parse_event(line)
    except ForeignLineError as error:
        is_aborted = isinstance(error, ErrorLineError) or says_aborted(line)
        return OddLine(ABORTED if is_aborted else FOREIGN, index, str(error), line)
    except InvalidLineError as error:
        return OddLine(MALFORMED, index, str(error), line)


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing but white space."""
    return not line.strip()


def says_aborted(line: bytes) -> bool:
    """Whether a line has words with which Mixpanel ends a body that is not complete."""
    return _ABORTED.search(line) is not None


def abort_text(line: bytes) -> str:
    """Return plain words at a line's head, quoted, or nothing: events never begin so."""
    head = line[:_SHOWN_CHARACTERS].decode("utf-8", errors="replace")
    words = _TEXT.match(head)
    return f" (it begins: {words[0]!r})" if words else ""
