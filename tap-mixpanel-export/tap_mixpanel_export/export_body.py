"""Is an export's body whole? The check runs on the bytes as they arrive, in constant memory.

Whole means: the gzip stream reached its end, the last line ends in a newline, no in-band error
text, and every line is an event. Mixpanel answers 200 and aborts in-band with a last line such as
``terminated early`` (https://github.com/mixpanel/mixpanel-utils/issues/5) or an object with
``error``, and a gzip stream cut at the end of a chunk reads as a shorter body. So a last line that
does not have the shape of an event is never taken for a malformed event.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from isal import isal_zlib

from tap_mixpanel_export.arrival_sample import ArrivalSample
from tap_mixpanel_export.errors import AbortedError, BrokenBodyError, CutOffError, TapError
from tap_mixpanel_export.framing.messages import ABORTED, Framed, Framing, OddLine
from tap_mixpanel_export.framing.odd_lines import abort_text, says_aborted
from tap_mixpanel_export.framing.queue import FrameQueue
from tap_mixpanel_export.skew_check import MOST_DISTANCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_mixpanel_export.framing.messages import BlockPlace
    from tap_mixpanel_export.record_spool import SpoolPart

LONGEST_LINE = 16 << 20

_PIECE = 1 << 18
_GZIP = 31
# The library's own types take it for an instance.
_DAMAGED = cast("type[Exception]", isal_zlib.error)
_MAGIC = b"\x1f\x8b"


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
        self._member = isal_zlib.decompressobj(_GZIP)
        self._is_begun = False

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
                self._member = isal_zlib.decompressobj(_GZIP)
                self._is_begun = False
            # isal waits for a whole header before it looks at it.
            if not self._is_begun and not _MAGIC.startswith(data[: len(_MAGIC)]):
                raise BrokenBodyError("the gzip stream is damaged (it does not begin as gzip does)")
            self._is_begun = True
            try:
                piece = self._member.decompress(data, _PIECE)
            except _DAMAGED as error:
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
    """Checks a body as its bytes come, and has its events framed.

    Attributes:
        events: Lines that are events.
        deferred: Of these, those that arrived too late for the sweep.
        invalid_lines: Malformed lines inside the body, if they are tolerated.
        arrivals: A sample of the events' arrivals.
        distances: Receipt minus time of the first events, in milliseconds.
        places: Where the records and the malformed lines are in the spool, in order.
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        tolerate_invalid_lines: bool,
        frames: FrameQueue | None = None,
        part: SpoolPart | None = None,
    ) -> None:
        """Begin a body.

        Args:
            decoder: Decodes it.
            tolerate_invalid_lines: Whether malformed lines are put aside.
            frames: Frames the lines; without it they are only checked.
            part: Where malformed lines are put.
        """
        self._decoder = decoder
        self._tolerate = tolerate_invalid_lines
        framing = Framing(tolerates_malformed=tolerate_invalid_lines)
        self._frames = FrameQueue(framing) if frames is None else frames
        self._part = part
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._line_number = 0
        self._foreign: OddLine | None = None
        self.events = 0
        self.deferred = 0
        self.invalid_lines = 0
        self.arrivals = ArrivalSample()
        self.distances: list[int] = []
        self.places: list[BlockPlace] = []

    def feed(self, data: bytes) -> None:
        """Check what arrived.

        Args:
            data: Bytes as sent, encoded.

        Raises:
            BrokenBodyError: The body cannot be whole.
            OSError: Records cannot be written.
        """
        for piece in self._decoder.decode(data):
            end = piece.rfind(b"\n") + 1
            if end:
                lines: list[bytes | memoryview] = [*self._rest, memoryview(piece)[:end]]
                self._rest.clear()
                self._rest_size = 0
                self._frames.add(lines, samples=self._samples)
                self._account()
            self._keep_rest(piece[end:] if end else piece)

    def finish(self) -> None:
        """Check the body's end.

        Raises:
            BrokenBodyError: The body is not whole.
            OSError: Records cannot be written.
        """
        self._account(everything=True)
        self._decoder.finish()
        if self._rest_size:
            tail = b"".join(self._rest)
            kind = AbortedError if says_aborted(tail) else CutOffError
            raise kind(f"the last line is cut off{abort_text(tail)}")
        if self._foreign is not None:
            raise AbortedError(f"the body ends in a line that is no event: {_told(self._foreign)}")

    def close(self) -> None:
        """End the work on a body, of which everything that came is counted, as far as it can be."""
        with suppress(TapError, OSError):
            self._account(everything=True)
        self._frames.close()

    @property
    def _samples(self) -> bool:
        return len(self.distances) < MOST_DISTANCES

    def _keep_rest(self, rest: bytes) -> None:
        if rest:
            self._rest.append(rest)
            self._rest_size += len(rest)
        if self._rest_size > LONGEST_LINE:
            self._account(everything=True)
            raise BrokenBodyError(
                f"line {self._line_number + 1} is longer than {LONGEST_LINE >> 20} MiB"
            )

    def _account(self, *, everything: bool = False) -> None:
        for framed in self._frames.finished(everything=everything):
            self._count(framed)

    def _count(self, framed: Framed) -> None:
        if self._foreign is not None and not framed.is_blank:
            # Another line follows it: no body ends in it, so it is a malformed event.
            self._put_aside([self._foreign])
            self._foreign = None
        self.events += framed.events
        self.deferred += framed.deferred
        self.arrivals.add_all(framed.arrival_list())
        self.distances += framed.distances[: MOST_DISTANCES - len(self.distances)]
        self.places += framed.places
        self._put_aside([self._numbered(line) for line in framed.malformed])
        if framed.fatal is not None:
            self._refuse(self._numbered(framed.fatal))
        if framed.pending is not None:
            self._foreign = self._numbered(framed.pending)
        self._line_number += framed.lines

    def _numbered(self, line: OddLine) -> OddLine:
        return OddLine(line.kind, self._line_number + line.index + 1, line.reason, line.line)

    def _put_aside(self, lines: list[OddLine]) -> None:
        if not lines:
            return
        if not self._tolerate:
            self._refuse(lines[0])
        self.invalid_lines += len(lines)
        if self._part is not None:
            self.places.append(self._part.put_aside(lines))

    def _refuse(self, line: OddLine) -> NoReturn:
        if line.kind == ABORTED:
            raise AbortedError(f"Mixpanel aborted the export: {_told(line)}")
        raise BrokenBodyError(
            f"{_told(line)} (setting on_invalid_line=quarantine would put it aside)"
        )


def _told(line: OddLine) -> str:
    """Tell of a line without customer data."""
    return f"line {line.index}: {line.reason}{abort_text(line.line)}"
