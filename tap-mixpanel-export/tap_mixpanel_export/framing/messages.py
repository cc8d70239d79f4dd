"""What is asked of a framer and what it answers; both go to helping processes and back."""

from __future__ import annotations

from array import array
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tap_mixpanel_export.event_time import EventTime
from tap_mixpanel_export.sweep import ArrivalFilter

ENDS: Final = "I"
"""The kind of array of ``Framed.ends``."""

FOREIGN = "foreign"
"""The line does not have the shape of an event: the body may end in it, aborted."""
ABORTED = "aborted"
"""The line says that Mixpanel aborted the export."""
MALFORMED = "malformed"
"""The line is an event that lacks something."""


class Framing(msgspec.Struct, frozen=True):
    """How the lines of one window become RECORD lines.

    Attributes:
        arrived_after: Arrivals that are taken, as ``ArrivalFilter`` has them.
        arrived_until: The last of these.
        wall_clock_zone: Zone of the raw ``time``, None if that is UTC.
        tolerates_malformed: Whether a malformed line is put aside; else the body fails by it.
    """

    arrived_after: int | None = None
    arrived_until: int = (1 << 63) - 1
    wall_clock_zone: str | None = None
    tolerates_malformed: bool = False

    @property
    def arrivals(self) -> ArrivalFilter:
        """The filter."""
        return ArrivalFilter(self.arrived_after, self.arrived_until)

    @property
    def event_time(self) -> EventTime:
        """How the raw ``time`` is read."""
        return EventTime(None if self.wall_clock_zone is None else ZoneInfo(self.wall_clock_zone))


class OddLine(msgspec.Struct, frozen=True):
    """A line that is no event.

    Attributes:
        kind: FOREIGN, ABORTED or MALFORMED.
        index: Its place in the block, from 0; later its number in the body, from 1.
        reason: Why it is no event, without any of the line.
        line: The line.
    """

    kind: str
    index: int
    reason: str
    line: bytes


class BlockPlace(msgspec.Struct, frozen=True):
    """Where a block is in the spool.

    Attributes:
        part: Which of the body's files.
        offset: Where in it the block begins.
        size: Its bytes: keys, ends of lines, lines.
        count: How many records it has, 0 for malformed lines.
        is_plain: Whether the lines are as they are, and not compressed.
        crc: CRC-32 of the keys and ends of plain lines, or of all that is compressed.
    """

    part: int
    offset: int
    size: int
    count: int
    is_plain: bool
    crc: int


class Framed(msgspec.Struct):
    """A block of lines, framed.

    Attributes:
        lines: How many lines it had, up to the one that ends the body for good.
        is_blank: Whether all of them are white space.
        events: How many of them are events.
        deferred: Events that arrived too late for the sweep.
        keys: Of each record, the 16 bytes of its ``event_id``.
        ends: Where the line of each record ends in the payload; 32 bits each.
        payload: The records, a RECORD line each.
        arrivals: The arrivals of all events that have one, in order; 64 bits each.
        distances: Receipt minus time of the first events, if that was asked for.
        malformed: Lines to be put aside.
        pending: A foreign line with nothing but white space after it.
        fatal: The line by which the body fails.
        places: Where it was kept, once it was.
    """

    lines: int = 0
    is_blank: bool = True
    events: int = 0
    deferred: int = 0
    keys: bytes = b""
    ends: bytes = b""
    payload: bytearray = bytearray()
    arrivals: bytes = b""
    distances: list[int] = []
    malformed: list[OddLine] = []
    pending: OddLine | None = None
    fatal: OddLine | None = None
    places: list[BlockPlace] = []

    def arrival_list(self) -> list[int]:
        """Return the arrivals."""
        values = array("q")
        values.frombytes(self.arrivals)
        return values.tolist()
