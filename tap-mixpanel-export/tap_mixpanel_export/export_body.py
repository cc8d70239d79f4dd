"""Is an export's body whole? The check runs on the bytes as they arrive, in constant memory.

Whole means: the gzip stream reached its end, the last line ends in a newline, no in-band error
text, and every line is an event. Mixpanel answers 200 and aborts in-band with a last line such as
``terminated early`` (https://github.com/mixpanel/mixpanel-utils/issues/5) or an object with
``error``, and a gzip stream cut at the end of a chunk reads as a shorter body. So a last line that
does not have the shape of an event is never taken for a malformed event.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Protocol

from tap_mixpanel_export.arrival_sample import ArrivalSample
from tap_mixpanel_export.errors import AbortedError, BrokenBodyError, CutOffError
from tap_mixpanel_export.event import (
    ErrorLineError,
    ForeignLineError,
    InvalidLineError,
    parse_event,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 16 << 20

_PIECE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_SHOWN_CHARACTERS = 60
_ABORTED = re.compile(rb"terminated early\s*\Z|\A\s*\{\s*\"error\"", re.IGNORECASE)
_TEXT = re.compile(r"[A-Za-z ,.:;!()/-]+")


class Decoder(Protocol):
    """Turns the bytes as sent into the body's own bytes."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes in pieces of bounded size."""

    def finish(self) -> None:
        """Check that the encoded bytes end where they should.

        Raises:
            BrokenBodyError: They were cut.
        """


class IdentityDecoder:
    """For bodies without ``Content-Encoding``."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the bytes themselves."""
        yield data

    def finish(self) -> None:
        """Accept any end."""


class GzipDecoder:
    """Inflates one or more gzip members, each to its trailer."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield inflated pieces.

        Raises:
            BrokenBodyError: It is not gzip, or its checksum is wrong.
        """
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")  # members may be padded with zeros
                if not data:
                    return
                self._member = zlib.decompressobj(_GZIP)
            try:
                piece = self._member.decompress(data, _PIECE)
            except zlib.error as error:
                raise BrokenBodyError(f"the gzip stream is damaged ({error})") from error
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            yield piece

    def finish(self) -> None:
        """Check that the last member reached its trailer.

        Raises:
            BrokenBodyError: It did not.
        """
        if not self._member.eof:
            raise CutOffError("the gzip stream ends before its trailer")


def decoder_for(content_encoding: str | None) -> Decoder:
    """Return the decoder that a response's ``Content-Encoding`` asks for.

    Raises:
        BrokenBodyError: The tap did not ask for that encoding and cannot read it.
    """
    encoding = (content_encoding or "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        return GzipDecoder()
    if encoding == "identity":
        return IdentityDecoder()
    raise BrokenBodyError(f"the body's Content-Encoding {encoding!r} is neither gzip nor none")


class BodyChecker:
    """Checks a body's lines as its bytes come.

    Attributes:
        events: Lines that are events.
        invalid_lines: Malformed lines inside the body, if they are tolerated.
        arrivals: A sample of the events' arrivals.
    """

    def __init__(self, decoder: Decoder, *, tolerate_invalid_lines: bool) -> None:
        self._decoder = decoder
        self._tolerate = tolerate_invalid_lines
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._line_number = 0
        self._foreign: _InvalidLine | None = None
        self.events = 0
        self.invalid_lines = 0
        self.arrivals = ArrivalSample()

    def feed(self, data: bytes) -> None:
        """Check what arrived.

        Args:
            data: Bytes as sent, encoded.

        Raises:
            BrokenBodyError: The body cannot be whole.
        """
        for piece in self._decoder.decode(data):
            for line in self._lines(piece):
                self._check(line)

    def finish(self) -> None:
        """Check the body's end.

        Raises:
            BrokenBodyError: The body is not whole.
        """
        self._decoder.finish()
        if self._rest_size:
            tail = b"".join(self._rest)
            kind = AbortedError if _ABORTED.search(tail) else CutOffError
            raise kind(f"the last line is cut off{_abort_text(tail)}")
        if self._foreign is not None:
            raise AbortedError(f"the body ends in a line that is no event: {self._foreign}")

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        *ended, rest = piece.split(b"\n")
        for line in ended:
            yield b"".join((*self._rest, line))
            self._rest.clear()
            self._rest_size = 0
        if rest:
            self._rest.append(rest)
            self._rest_size += len(rest)
        if self._rest_size > LONGEST_LINE:
            raise BrokenBodyError(
                f"line {self._line_number + 1} is longer than {LONGEST_LINE >> 20} MiB"
            )

    def _check(self, line: bytes) -> None:
        self._line_number += 1
        if is_blank(line):
            return
        self._settle()
        try:
            event = parse_event(line)
        except ForeignLineError as error:
            invalid = _InvalidLine(self._line_number, error, line)
            if isinstance(error, ErrorLineError) or _ABORTED.search(line):
                raise AbortedError(f"Mixpanel aborted the export: {invalid}") from None
            self._foreign = invalid
        except InvalidLineError as error:
            self._invalid(_InvalidLine(self._line_number, error, line))
        else:
            self.events += 1
            self.arrivals.add(event.arrival_ms)

    def _settle(self) -> None:
        """Take a foreign line for a malformed event, now that another line follows it."""
        if self._foreign is not None:
            self._invalid(self._foreign)
            self._foreign = None

    def _invalid(self, invalid: _InvalidLine) -> None:
        if not self._tolerate:
            raise BrokenBodyError(
                f"{invalid} (setting on_invalid_line=quarantine would put it aside)"
            )
        self.invalid_lines += 1


class _InvalidLine:
    """A line that is no event, described without customer data."""

    def __init__(self, number: int, error: InvalidLineError, line: bytes) -> None:
        self._number = number
        self._error = error
        self._shown = _abort_text(line)

    def __str__(self) -> str:
        return f"line {self._number}: {self._error}{self._shown}"


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing but white space."""
    return not line.strip()


def _abort_text(line: bytes) -> str:
    """Return plain words at a line's head, quoted, or nothing: events never begin so."""
    head = line[:_SHOWN_CHARACTERS].decode("utf-8", errors="replace")
    words = _TEXT.match(head)
    return f" (it begins: {words[0]!r})" if words else ""
