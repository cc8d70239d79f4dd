"""The export body: selection of rows, seconds or milliseconds, gzip."""

from __future__ import annotations

import json
import re
import zlib
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emulators.mixpanel.where import Filter

GZIP_MINIMUM_BYTES = 1400
"""Bodies up to this size are never compressed (mixpanel/docs `openapi/export.openapi.yaml`)."""

_GZIP_WINDOW_BITS = 31
_GZIP_LEVEL = 1  # the emulator should not be what a benchmark measures
_TIME = re.compile(rb'("properties":\{"time":)(-?[0-9]+)')


def select(
    blocks: Iterable[list[bytes]],
    *,
    events: tuple[str, ...] | None,
    where: Filter | None,
    limit: int | None,
) -> Iterator[list[bytes]]:
    """The rows that an export asks for."""
    if events is not None:
        blocks = _named(blocks, events)
    if where is not None:
        blocks = _filtered(blocks, where)
    return iter(blocks) if limit is None else _limited(blocks, limit)


def in_seconds(blocks: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """Rows with `time` cut to seconds, as exported without `time_in_ms`."""
    for block in blocks:
        yield [_TIME.sub(_seconds, line, count=1) for line in block]


def starts_larger(chunks: Iterator[bytes], size: int) -> tuple[list[bytes], bool]:
    """Read ahead until more than `size` bytes came; returns what was read and whether they did."""
    read: list[bytes] = []
    total = 0
    for chunk in chunks:
        read.append(chunk)
        total += len(chunk)
        if total > size:
            return read, True
    return read, False


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as one gzip stream."""
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW_BITS)
    for chunk in chunks:
        if compressed := compressor.compress(chunk):
            yield compressed
    yield compressor.flush()


def joined(blocks: Iterable[list[bytes]]) -> Iterator[bytes]:
    """One chunk of bytes per block that has lines."""
    for block in blocks:
        if block:
            yield b"".join(block)


def _named(blocks: Iterable[list[bytes]], names: tuple[str, ...]) -> Iterator[list[bytes]]:
    # A stored line begins with its name; escaped when it holds a lone surrogate anywhere.
    prefixes = tuple(
        f'{{"event":{json.dumps(name, ensure_ascii=ascii_only)},'.encode("utf-8", "surrogatepass")
        for name in names
        for ascii_only in (False, True)
    )
    for block in blocks:
        yield [line for line in block if line.startswith(prefixes)]


def _filtered(blocks: Iterable[list[bytes]], where: Filter) -> Iterator[list[bytes]]:
    for block in blocks:
        yield [line for line in block if where(json.loads(line)["properties"])]


def _limited(blocks: Iterable[list[bytes]], limit: int) -> Iterator[list[bytes]]:
    left = limit
    for block in blocks:
        yield list(islice(block, left))
        left -= min(left, len(block))
        if not left:
            return


def _seconds(match: re.Match[bytes]) -> bytes:
    return match[1] + b"%d" % (int(match[2]) // 1000)
