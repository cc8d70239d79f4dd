"""The lines of a body become RECORD lines, in one go.

Nearly every line has the form ``{"event":"...","properties":{...}}``. Of such a line only what the
record's columns need is read, its properties come out as the bytes that they are. The line is
proven to be an event on the way: its head was parsed before, ``msgspec`` checks the grammar of
all the rest, and the few things that ``parse_event`` refuses and ``msgspec`` does not are looked
for. Any other line is left to ``parse_event`` and ``build_record``, which make the same of it.
"""

from __future__ import annotations

import json
from array import array
from datetime import datetime, timezone
from hashlib import blake2b

from msgspec import MsgspecError, Raw

from tap_mixpanel_export.bookmark_json import STREAM
from tap_mixpanel_export.event import EVENT_ID_BYTES, Event, build_record
from tap_mixpanel_export.framing.columns import OpenRecord, encode, read_columns
from tap_mixpanel_export.framing.content_ids import id_by_content
from tap_mixpanel_export.framing.messages import (
    ABORTED,
    ENDS,
    FOREIGN,
    Framed,
    Framing,
    OddLine,
)
from tap_mixpanel_export.framing.odd_lines import is_blank, read_line
from tap_mixpanel_export.framing.strictness import (
    LONGEST_NUMBER,
    has_large_exponent,
    has_long_number,
    may_be_deep,
)
from tap_mixpanel_export.framing.time_texts import SECOND_TEXTS, THOUSANDTH_TEXTS, TimeTexts
from tap_mixpanel_export.instants import instant_text
from tap_mixpanel_export.json_text import DELETE, escaped, json_text, quoted
from tap_mixpanel_export.skew_check import SkewSample

MOST_HEADS = 5_000
"""Different event names that are remembered; Mixpanel has 5,000 per project."""

_PIECE = 1 << 16  # what a core's nearest caches hold, with all that is made of it
_MIDDLE = b',"properties":'
_TO_PROPERTIES = len(_MIDDLE)
# Characters are looked for as numbers: Python takes a text for one first, which costs an error.
_NEWLINE, _RETURN, _BRACE, _BRACKET, _CLOSING = b"\n\r{[}"
_RECORD = f'{{"type":"RECORD","stream":"{STREAM}","record":'.encode()
_SEPARATORS = {each.encode(): quoted(each)[1:-1].encode() for each in "\x85\u2028\u2029"}
_SECOND = 1000
_MINUTE = 60 * _SECOND
_LAST_ARRIVAL = (1 << 63) - 1
_BEFORE_ALL = -(1 << 63) - 1
_HASHER = blake2b(digest_size=EVENT_ID_BYTES)

# What speaks against a line, and what a Decimal does not hold.
_ODD = (MsgspecError, ValueError, ArithmeticError, RecursionError)


class Framer:
    """Frames the lines of one window's bodies."""

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self.event_time = framing.event_time
        self.arrivals = framing.arrivals
        self.times = TimeTexts(self.event_time)
        self.heads: dict[bytes, Raw] = {}

    def frame(self, block: bytes, *, samples: bool = False) -> Framed:
        """Frame whole lines.

        Args:
            block: The lines, each with its newline.
            samples: Whether distances between receipt and time are wanted.
        """
        return _Block(self, samples=samples).framed(block)


class _Block:
    """What becomes of one block of lines."""

    def __init__(self, framer: Framer, *, samples: bool) -> None:
        self._framer = framer
        self._framed = Framed()
        self._ids: list[str] = []
        self._ends: list[int] = []
        self._arrivals: list[int] = []
        self._sample = SkewSample(framer.event_time) if samples else None
        self._may_have_exponents = False
        extracted = datetime.now(timezone.utc).isoformat()
        self._tail = f'}},"time_extracted":"{extracted}"}}\n'.encode()

    def framed(self, block: bytes) -> Framed:
        framed = self._framed
        at = 0
        while at < len(block) and framed.fatal is None:
            end = block.find(_NEWLINE, at + _PIECE) + 1 or len(block)
            self._read_piece(block[at:end])
            at = end
        framed.is_blank = framed.is_blank and not framed.events
        framed.keys = bytes.fromhex("".join(self._ids))
        framed.ends = array(ENDS, self._ends).tobytes()
        framed.arrivals = array("q", self._arrivals).tobytes()
        if self._sample is not None:
            framed.distances = self._sample.distances
        return framed

    def _read_piece(self, piece: bytes) -> None:
        framed = self._framed
        # A line with a return is two for readers that know several ends of lines.
        may_be_fast = _RETURN not in piece
        self._may_have_exponents = has_large_exponent(piece)
        at = 0
        while at < len(piece) and framed.fatal is None:
            if may_be_fast and framed.pending is None:
                at = self._read_fast(piece, at)
            if at < len(piece):
                end = piece.index(_NEWLINE, at)
                self._read(piece[at:end])
                at = end + 1

    def _read(self, line: bytes) -> None:
        """Read a line in the ordinary way."""
        framed = self._framed
        index = framed.lines
        framed.lines += 1
        if is_blank(line):
            return
        framed.is_blank = False
        if framed.pending is not None:  # which another line follows: no body ends in it
            self._put_aside(framed.pending)
            framed.pending = None
        content = read_line(line, index)
        if framed.fatal is not None:
            return
        if isinstance(content, Event):
            self._add(content)
        elif content.kind == ABORTED:
            framed.fatal = content
        elif content.kind == FOREIGN:
            framed.pending = content
        else:
            self._put_aside(content)

    def _put_aside(self, line: OddLine) -> None:
        if self._framer.framing.tolerates_malformed:
            self._framed.malformed.append(line)
        else:
            self._framed.fatal = line

    def _add(self, event: Event) -> None:
        framed, framer, arrival = self._framed, self._framer, event.arrival_ms
        framed.events += 1
        if self._sample is not None:
            self._sample.look_at(event)
        if arrival is not None:
            self._arrivals.append(min(arrival, _LAST_ARRIVAL))
        if framer.arrivals.takes(arrival):
            record = build_record(event, framer.event_time)
            self._ids.append(record["event_id"])
            framed.payload += _RECORD + json_text(record).encode() + self._tail[1:]
            self._ends.append(len(framed.payload))
        else:
            framed.deferred += framer.arrivals.defers(arrival)

    # One long loop over local names: a few calls for each line would cost a fifth of its time.
    def _read_fast(  # noqa: C901, PLR0912, PLR0915 - as above
        self, piece: bytes, at: int
    ) -> int:
        """Read lines up to one that is unlike the others; returns where it begins."""
        framer = self._framer
        heads, times, event_time = framer.heads, framer.times, framer.event_time
        after, until = framer.arrivals.arrived_after, framer.arrivals.arrived_until
        takes_unstamped, defers = after is None, framer.arrivals.defers
        after = _BEFORE_ALL if after is None else after
        weigh = None if self._sample is None else self._sample.weigh
        payload, add_end = self._framed.payload, self._ends.append
        add_arrival, add_id = self._arrivals.append, self._ids.append
        tail, hasher, find, size = self._tail, _HASHER.copy, piece.find, len(piece)
        may_have_exponents = self._may_have_exponents
        events = 0
        bracket = -1  # where the next one is
        while at < size:
            end = find(_NEWLINE, at)
            middle = find(_MIDDLE, at, end)
            if middle < 0:
                break
            try:
                name = heads[piece[at:middle]]
            except KeyError:
                known = _name_of(piece[at:middle])
                if known is None:
                    break
                if len(heads) >= MOST_HEADS:
                    heads.clear()
                name = heads[piece[at:middle]] = known
            raw = piece[middle + _TO_PROPERTIES : end - 1]
            try:
                columns = read_columns(raw)
                if not raw.isascii():
                    text = raw.decode()
                    if "\u2028" in text or "\u2029" in text or "\x85" in text:
                        raw = _with_escapes(raw)
                insert_id = columns.insert_id
                content_id = "" if insert_id is not None else id_by_content(bytes(name), raw)
            except _ODD:
                break
            if bracket < at:
                bracket = find(_BRACKET, at)
                if bracket < 0:
                    bracket = size
            has_list = bracket < end
            if (
                piece[end - 1] != _CLOSING
                or (
                    (has_list or find(_BRACE, middle + _TO_PROPERTIES + 1, end) > 0)
                    and may_be_deep(raw)
                )
                or (len(raw) > LONGEST_NUMBER and has_long_number(raw))
                or (may_have_exponents and has_large_exponent(raw))
            ):
                break
            events += 1
            at = end + 1
            raw_time, received, arrival = columns.time, columns.received, columns.arrival
            if weigh is not None:
                weigh(raw_time, received, is_imported=columns.imported is True)
            if arrival is None:
                if not takes_unstamped:
                    continue
            else:
                add_arrival(arrival)
                if not after < arrival <= until:
                    self._framed.deferred += defers(arrival)
                    continue
            distinct_id = columns.distinct_id
            if insert_id is None:
                event_id = content_id
            else:
                identity = columns.original_id
                if identity is None:
                    identity = distinct_id
                content = encode(("insert_id", name, raw_time, insert_id, identity))
                if DELETE in content or not content.isascii():
                    content = escaped(content)
                key = hasher()
                key.update(content)
                event_id = key.hexdigest()
            minute, rest = divmod(raw_time, _MINUTE)
            text = times[minute]
            if text:
                second, rest = divmod(rest, _SECOND)
                time = f"{text}{SECOND_TEXTS[second]}{THOUSANDTH_TEXTS[rest]}"
            else:
                time = instant_text(event_time.to_utc(raw_time, received))
            record = encode(
                OpenRecord(
                    event_id,
                    name,
                    time,
                    distinct_id,
                    insert_id,
                    columns.device_id,
                    columns.user_id,
                    columns.imported,
                    columns.endpoint,
                    received,
                    arrival,
                )
            )
            if DELETE in record or not record.isascii():
                record = escaped(record)
            add_id(event_id)
            payload += _RECORD
            payload += record[:-1]
            payload += raw
            payload += tail
            add_end(len(payload))
        self._framed.events += events
        self._framed.lines += events
        return at


def _name_of(head: bytes) -> Raw | None:
    """Return the name in ``{"event":"name"``, as JSON in ASCII, or None if it is not that."""
    try:
        pairs = json.loads((head + b"}").decode(), object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    match pairs:
        case [("event", str(name))]:
            return Raw(quoted(name).encode())
    return None


def _with_escapes(raw: bytes) -> bytes:
    """Return the same JSON without characters at which some readers end a line."""
    for separator, escape in _SEPARATORS.items():
        if raw.find(separator) >= 0:
            raw = raw.replace(separator, escape)
    return raw
