"""From the lines of a body to RECORD lines, in one go: all the work per event of the tap.

Nearly every line has the form ``{"event":"...","properties":{...}}``. Of such a line only what the
record's columns need is read, its properties come out as the bytes that they are. The line is
proven to be an event on the way: its head was parsed before, ``msgspec`` checks the grammar of
all the rest, and the few things that ``parse_event`` refuses and ``msgspec`` does not are looked
for. Any other line is left to ``parse_event`` and ``build_record``, which make the same of it.
"""

from __future__ import annotations

import json
import re
import sys
from array import array
from datetime import datetime, timezone
from hashlib import blake2b
from itertools import accumulate
from typing import Annotated

from msgspec import Meta, MsgspecError, Struct, field
from msgspec.json import Decoder

from tap_mixpanel_export.bookmark_json import STREAM
from tap_mixpanel_export.content_ids import id_by_content
from tap_mixpanel_export.event import DEEPEST, EVENT_ID_BYTES, Event, build_record
from tap_mixpanel_export.event_time import EARLIEST_TIME, LATEST_TIME
from tap_mixpanel_export.framing import ABORTED, ENDS, FOREIGN, Framed, Framing, OddLine
from tap_mixpanel_export.instants import instant_text
from tap_mixpanel_export.json_text import json_text, quoted
from tap_mixpanel_export.odd_lines import is_blank, read_line
from tap_mixpanel_export.skew_check import SkewSample
from tap_mixpanel_export.time_texts import TimeTexts, second_texts

MOST_HEADS = 5_000
"""Different event names that are remembered; Mixpanel has 5,000 per project."""

_MIDDLE = b',"properties":'
_TO_PROPERTIES = len(_MIDDLE)
_CLOSING = b"}"[0]
_RECORD = f'{{"type":"RECORD","stream":"{STREAM}","record":'
_BOOLEANS = {None: "null", True: "true", False: "false"}
_SEPARATORS = {each.encode(): quoted(each)[1:-1].encode() for each in "\x85\u2028\u2029"}
_PARTS = 3  # of a line: the columns, the properties, the tail
_MINUTE = 60_000
_LAST_ARRIVAL = (1 << 63) - 1
_BEFORE_ALL = -(1 << 63) - 1
_HASHER = blake2b(digest_size=EVENT_ID_BYTES)
# Digits of the longest integer that Python reads, see
# https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation
_LONG = getattr(sys, "get_int_max_str_digits", int)() or sys.maxsize
_HALF = _LONG // 2
_LARGE_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{18}")  # a Decimal holds smaller ones
# The search for it takes as long as all the rest; that for a text of few characters does not.
_ALIKE = bytes.maketrans(b"123456789E+-", b"000000000eee")
_ALIKE_EXPONENT = b"e" + b"0" * 18

# What speaks against a line, and what a Decimal does not hold.
_ODD = (MsgspecError, ValueError, ArithmeticError, RecursionError)

_Integer = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_Time = Annotated[int, Meta(ge=EARLIEST_TIME, le=LATEST_TIME)]
_Name = Annotated[str, Meta(min_length=1)]


class _Columns(Struct, gc=False):
    """What the columns are made of, each of the type that it nearly always has."""

    time: _Time
    distinct_id: str | None = None
    insert_id: _Name | None = field(default=None, name="$insert_id")
    device_id: str | None = field(default=None, name="$device_id")
    user_id: str | None = field(default=None, name="$user_id")
    imported: bool | None = field(default=None, name="$import")
    endpoint: str | None = field(default=None, name="$mp_api_endpoint")
    received: _Integer | None = field(default=None, name="$mp_api_timestamp_ms")
    arrival: _Integer | None = field(default=None, name="mp_processing_time_ms")
    original_id: str | None = field(default=None, name="$distinct_id_before_identity")


_decode = Decoder(_Columns).decode


class Framer:
    """Frames the lines of one window's bodies."""

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self.event_time = framing.event_time
        self.arrivals = framing.arrivals
        self.times = TimeTexts(self.event_time)
        self.heads: dict[bytes, str] = {}

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
        self._parts: list[bytes] = []
        self._arrivals: list[int] = []
        self._sample = SkewSample(framer.event_time) if samples else None
        self._may_have_exponents = False
        extracted = datetime.now(timezone.utc).isoformat()
        self._tail = f'}},"time_extracted":"{extracted}"}}\n'.encode()

    def framed(self, block: bytes) -> Framed:
        framed = self._framed
        self._may_have_exponents = _ALIKE_EXPONENT in block.translate(_ALIKE)
        lines = block.split(b"\n")
        lines.pop()
        # A line with one of these is two for readers that know several ends of lines.
        may_be_fast = b"\r" not in block
        at = 0
        while at < len(lines) and framed.fatal is None:
            if may_be_fast and framed.pending is None:
                at = self._read_fast(lines, at)
            if at < len(lines):
                self._read(lines[at], at)
                at += 1
        framed.lines = at
        framed.is_blank = framed.is_blank and not framed.events
        framed.keys = bytes.fromhex("".join(self._ids))
        framed.payload = b"".join(self._parts)
        framed.ends = array(ENDS, [*accumulate(map(len, self._parts))][2::_PARTS]).tobytes()
        framed.arrivals = array("q", self._arrivals).tobytes()
        if self._sample is not None:
            framed.distances = self._sample.distances
        return framed

    def _read(self, line: bytes, at: int) -> None:
        """Read a line in the ordinary way."""
        framed = self._framed
        if is_blank(line):
            return
        framed.is_blank = False
        if framed.pending is not None:  # which another line follows: no body ends in it
            self._put_aside(framed.pending)
            framed.pending = None
        content = read_line(line, at)
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
            self._parts += (_RECORD.encode(), json_text(record).encode(), self._tail[1:])
        else:
            framed.deferred += framer.arrivals.defers(arrival)

    # One long loop over local names: a few calls for each line would cost a fifth of its time.
    def _read_fast(  # noqa: C901, PLR0912, PLR0915 - as above
        self, lines: list[bytes], at: int
    ) -> int:
        """Read lines up to one that is unlike the others; returns where it is."""
        framer = self._framer
        heads, times, event_time = framer.heads, framer.times, framer.event_time
        may_have_exponents = self._may_have_exponents
        after, until = framer.arrivals.arrived_after, framer.arrivals.arrived_until
        takes_unstamped, defers = after is None, framer.arrivals.defers
        after = _BEFORE_ALL if after is None else after
        weigh = None if self._sample is None else self._sample.weigh
        add_part, add_arrival, add_id = self._parts.append, self._arrivals.append, self._ids.append
        tail, seconds, hasher = self._tail, second_texts(), _HASHER.copy
        begin = at
        for line in lines[begin:] if begin else lines:
            middle = line.find(_MIDDLE)
            head = line[:middle]
            name = heads.get(head)
            if name is None:
                name = _name_of(head) if middle > 0 else None
                if name is None:
                    break
                if len(heads) >= MOST_HEADS:
                    heads.clear()
                heads[head] = name
            raw = line[middle + _TO_PROPERTIES : -1]
            try:
                columns = _decode(raw)
                if not raw.isascii():
                    text = raw.decode()
                    if "\u2028" in text or "\u2029" in text or "\x85" in text:
                        raw = _with_escapes(raw)
                content_id = "" if columns.insert_id is not None else id_by_content(name, raw)
            except _ODD:
                break
            if (
                line[-1] != _CLOSING
                or ((raw.find(b"{", 1) > 0 or raw.find(b"[") > 0) and _may_be_deep(raw))
                or (len(raw) > _LONG and _has_long_number(raw))
                or (may_have_exponents and _LARGE_EXPONENT.search(raw))
            ):
                break
            at += 1
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
            distinct_id, device_id = columns.distinct_id, columns.device_id
            user_id, endpoint, original_id = columns.user_id, columns.endpoint, columns.original_id
            who = "null" if distinct_id is None else quoted(distinct_id)
            if columns.insert_id is None:
                insert_id = "null"
                event_id = content_id
            else:
                insert_id = quoted(columns.insert_id)
                key = hasher()
                identity = who if original_id is None else quoted(original_id)
                key.update(f'["insert_id",{name},{raw_time},{insert_id},{identity}]'.encode())
                event_id = key.hexdigest()
            minute, rest = divmod(raw_time, _MINUTE)
            text = times[minute]
            if text:
                time = text + seconds[rest]
            else:
                time = instant_text(event_time.to_utc(raw_time, received))
            add_id(event_id)
            add_part(
                f'{_RECORD}{{"event_id":"{event_id}","event_name":{name},"time":"{time}",'
                f'"distinct_id":{who},"insert_id":{insert_id},'
                f'"device_id":{"null" if device_id is None else quoted(device_id)},'
                f'"user_id":{"null" if user_id is None else quoted(user_id)},'
                f'"import":{_BOOLEANS[columns.imported]},'
                f'"mp_api_endpoint":{"null" if endpoint is None else quoted(endpoint)},'
                f'"mp_api_timestamp_ms":{"null" if received is None else received},'
                f'"mp_processing_time_ms":{"null" if arrival is None else arrival},'
                f'"properties":'.encode()
            )
            add_part(raw)
            add_part(tail)
        self._framed.events += at - begin
        return at


def _name_of(head: bytes) -> str | None:
    """Return the name in ``{"event":"name"``, as JSON text, or None if that is something else."""
    try:
        pairs = json.loads((head + b"}").decode(), object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    match pairs:
        case [("event", str(name))]:
            return quoted(name)
    return None


def _with_escapes(raw: bytes) -> bytes:
    """Return the same JSON without characters at which some readers end a line."""
    for separator, escape in _SEPARATORS.items():
        raw = raw.replace(separator, escape)
    return raw


def _may_be_deep(raw: bytes) -> bool:
    """Whether there are enough brackets for an object that is nested too deeply."""
    return raw.count(b"{") + raw.count(b"[") >= DEEPEST


def _has_long_number(raw: bytes) -> bool:
    """Whether there may be an integer that Python refuses to read.

    Its digits would fill one of these pieces, wherever it begins.
    """
    return any(
        raw[begin : begin + _HALF].isdigit() for begin in range(0, len(raw) - _HALF + 1, _HALF)
    )
