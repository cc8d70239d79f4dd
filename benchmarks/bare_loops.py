"""`python -m benchmarks.bare_loops NAME URL`: the least that any program has to do with an export.

Each loop downloads, inflates and does one thing more than the one before; none checks anything, or
knows what an event is. They are the limits that the tap is measured against.
"""

from __future__ import annotations

import json
import sys
import zlib
from typing import TYPE_CHECKING, Any

import msgspec
import requests
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 1 << 16
_GZIP = 31


def inflate_zlib(chunks: Iterator[bytes]) -> None:
    """Inflate with the standard library."""
    _count_bytes(_inflated(chunks, zlib.decompressobj))


def inflate_isal(chunks: Iterator[bytes]) -> None:
    """Inflate with isal."""
    _count_bytes(_inflated(chunks, isal_zlib.decompressobj))


def split(chunks: Iterator[bytes]) -> None:
    """Inflate, split into lines, count them."""
    total = sum(len(lines) for lines in _blocks(chunks))
    print(json.dumps({"records": total}))


def paste(chunks: Iterator[bytes]) -> None:
    """Inflate, and write each line, unparsed, as the record of a RECORD line."""
    write = sys.stdout.buffer.write
    for lines in _blocks(chunks):
        for line in lines:
            write(b'{"type":"RECORD","stream":"events","record":' + line + b"}\n")


def recode(chunks: Iterator[bytes]) -> None:
    """Inflate, decode each line, and encode it as the record of a RECORD line."""
    write = sys.stdout.buffer.write
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    for lines in _blocks(chunks):
        for line in lines:
            write(encode({"type": "RECORD", "stream": "events", "record": decode(line)}))
            write(b"\n")


LOOPS: dict[str, Callable[[Iterator[bytes]], None]] = {
    "inflate-zlib": inflate_zlib,
    "inflate-isal": inflate_isal,
    "split": split,
    "paste": paste,
    "recode": recode,
}


def main() -> None:
    """Run one loop over what an address answers with."""
    name, url = sys.argv[1:]
    with requests.get(url, stream=True, auth=("nobody", "secret"), timeout=60) as response:
        response.raise_for_status()
        LOOPS[name](response.raw.stream(_CHUNK, decode_content=False))


def _inflated(chunks: Iterator[bytes], decompressobj: Callable[[int], Any]) -> Iterator[bytes]:
    """Inflate the members of a gzip body."""
    member = decompressobj(_GZIP)
    for chunk in chunks:
        data = chunk
        while data:
            if member.eof:
                member = decompressobj(_GZIP)
            yield member.decompress(data)
            data = member.unused_data


def _blocks(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for piece in _inflated(chunks, isal_zlib.decompressobj):
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        yield lines


def _count_bytes(pieces: Iterator[bytes]) -> None:
    print(json.dumps({"bytes": sum(map(len, pieces))}))


if __name__ == "__main__":
    main()
