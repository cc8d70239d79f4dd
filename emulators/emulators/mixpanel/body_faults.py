"""Faults of the export body, as Mixpanel shows them or a network makes them.

In-band texts: mixpanel/mixpanel-utils#5, cloudquery/cloudquery#10599 (`terminated early`), and the
error tail of treasure-data/embulk-input-mixpanel's tests.

| kind | args (default) | effect |
|---|---|---|
| `terminated_early` | `after_events` (1), `text`, `newline` (false) | a last line of plain text |
| `error_tail` | `after_events` (1), `text` | ends in the beginning of an error object |
| `malformed_line` | `after_events` (1), `variant` (`broken`) or `line` | a wrong line within |
| `cut_line` | `drop_bytes` (10) | ends early in plain text, in order otherwise |
| `cut_gzip` | `drop_bytes` (20) | the gzip stream ends early, the chunks end in order |
| `cut_body` | `drop_bytes` (20) | connection closed before the chunks end |
| `reset` | `after_bytes` (none: before any answer) | TCP reset |
| `hang` | `after_bytes` (none), `seconds` (300) | sends nothing more |
| `slow` | `chunk_bytes` (100), `pause` (0.05 seconds) | drips |

`malformed_line` variants: `broken`, `array`, `scalar`, `invalid_utf8`. `drop_bytes` 8 of `cut_gzip`
takes the trailer only, 1 of `cut_line` the last newline only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.server import close_connection, hang, reset_connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import WSGIEnvironment

    from emulators.faults import Fault

LINE_KINDS = frozenset({"terminated_early", "error_tail", "malformed_line"})
TEXT_KINDS = frozenset({"cut_line"})
STREAM_KINDS = frozenset({"cut_gzip", "cut_body", "reset", "hang", "slow"})
BODY_KINDS = LINE_KINDS | TEXT_KINDS | STREAM_KINDS

_MALFORMED = {
    "broken": b'{"event":"Broken","properties":{"time":16\n',
    "array": b'["event","properties"]\n',
    "scalar": b"17\n",
    "invalid_utf8": b'{"event":"Caf\xe9","properties":{"time":1652825148000,"x":"\xff\xfe"}}\n',
}


def spoil_lines(blocks: Iterable[list[bytes]], fault: Fault) -> Iterator[list[bytes]]:
    """Apply a fault of `LINE_KINDS` to the rows."""
    wrong, goes_on = _wrong_line(fault), fault.kind == "malformed_line"
    left = int(fault.args.get("after_events", 1))
    blocks = iter(blocks)
    for block in blocks:
        if len(block) < left:
            left -= len(block)
            yield block
            continue
        yield [*block[:left], wrong]
        if goes_on:
            yield block[left:]
            yield from blocks
        return
    yield [wrong]


def aborted_after(blocks: Iterable[list[bytes]], most_events: int) -> Iterator[list[bytes]]:
    """End rows with Mixpanel's words when there are more than so many."""
    left = most_events
    for block in blocks:
        if len(block) > left:
            yield [*block[:left], b"terminated early"]
            return
        left -= len(block)
        yield block


def spoil_text(chunks: Iterable[bytes], fault: Fault) -> Iterator[bytes]:
    """Apply a fault of `TEXT_KINDS` to the uncompressed body."""
    return _without_tail(chunks, int(fault.args.get("drop_bytes", 10)))


def spoil_stream(
    chunks: Iterable[bytes], fault: Fault, environ: WSGIEnvironment
) -> Iterator[bytes]:
    """Apply a fault of `STREAM_KINDS` to the body as it is sent.

    Raises:
        AnswerLost: While iterating, when the connection is to end.
    """
    if fault.kind == "slow":
        yield from _dripping(chunks, fault, environ)
        return
    if fault.kind in {"cut_gzip", "cut_body"}:
        yield from _without_tail(chunks, int(fault.args.get("drop_bytes", 20)))
    else:
        yield from _head(chunks, int(fault.args.get("after_bytes", 0)))
    if fault.kind == "cut_body":
        close_connection(environ)
    if fault.kind == "reset":
        reset_connection(environ)
    if fault.kind == "hang":
        hang(environ, float(fault.args.get("seconds", 300)))
        close_connection(environ)


def _wrong_line(fault: Fault) -> bytes:
    args = fault.args
    if fault.kind == "malformed_line":
        if "line" in args:
            return f"{args['line']}\n".encode()
        return _MALFORMED[args.get("variant", "broken")]
    default = "terminated early" if fault.kind == "terminated_early" else '{"error": "internal err'
    return (str(args.get("text", default)) + ("\n" if args.get("newline") else "")).encode()


def _without_tail(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        held += chunk
        if len(held) > size:
            yield held[:-size]
            held = held[-size:]


def _head(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        if size <= 0:
            return
        yield chunk[:size]
        size -= len(chunk)


def _dripping(chunks: Iterable[bytes], fault: Fault, environ: WSGIEnvironment) -> Iterator[bytes]:
    size, pause = int(fault.args.get("chunk_bytes", 100)), float(fault.args.get("pause", 0.05))
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
            hang(environ, pause)
