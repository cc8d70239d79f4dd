"""A process that frames blocks of lines for the tap, until its input ends.

It reads requests from stdin and answers each on stdout. A message is its length, 4 bytes, and
MessagePack; the block follows its request. A request that is None only asks for an answer. Little
is imported here, so that it starts soon.
"""

from __future__ import annotations

import signal
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from tap_mixpanel_export.framing.framer import Framer
from tap_mixpanel_export.framing.messages import Framed, Framing
from tap_mixpanel_export.record_spool import SpoolPart

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH_BYTES = 4


class Request(msgspec.Struct, frozen=True):
    """A block to be framed and kept.

    Attributes:
        framing: What is asked for.
        path: Where to keep it: a file of the body that no other process writes to.
        part: The number of that file.
        samples: Whether distances between receipt and time are wanted.
        is_plain: Whether there is room for lines that are not compressed.
        size: Bytes of the block.
    """

    framing: Framing
    path: str
    part: int
    samples: bool
    is_plain: bool
    size: int


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """The block could not be kept.

    Attributes:
        number: The system's number of the error.
        reason: Its words.
    """

    number: int
    reason: str


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The block is framed.

    Attributes:
        framed: What came of it, without the records, which are kept.
    """

    framed: Framed


_requests = msgspec.msgpack.Decoder(Request | None)
_framer = lru_cache(maxsize=4)(Framer)


def main() -> None:
    """Answer requests until the input ends, which it also does when the tap is killed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # which are for the tap to obey
        signal.signal(number, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while length := requests.read(LENGTH_BYTES):
        request = _requests.decode(requests.read(int.from_bytes(length, "big")))
        if request is None:
            send(answers, Answer(Framed()))
            continue
        block = requests.read(request.size)
        if len(block) < request.size:
            return
        send(answers, _answer(request, block))


def send(
    output: BinaryIO, message: msgspec.Struct | None, pieces: Sequence[bytes | memoryview] = ()
) -> None:
    """Send a message, and what follows it.

    Raises:
        OSError: Nobody reads it.
    """
    content = msgspec.msgpack.encode(message)
    output.write(len(content).to_bytes(LENGTH_BYTES, "big") + content)
    output.writelines(pieces)
    output.flush()


def _answer(request: Request, block: bytes) -> Answer | Refusal:
    framed = _framer(request.framing).frame(block, samples=request.samples)
    try:
        with Path(request.path).open("ab") as file:
            SpoolPart(file, request.part).keep(framed, is_plain=request.is_plain)
    except OSError as error:
        return Refusal(error.errno or 0, error.strerror or str(error))
    return Answer(framed)
