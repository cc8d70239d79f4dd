"""`python -m benchmarks.hand_target FILE < RECORDS`: decode, row by hand, encode, write.

The rows are those of `target-aep` with its default mapping (`same_rows.py` checks that), and this
is all that it does: the limit that the target is measured against.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from benchmarks.mixpanel_by_hand import mixpanel_row


def main() -> None:
    """Write a file of rows, and their number to stdout."""
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    rows = 0
    with Path(sys.argv[1]).open("wb") as file:
        write = file.write
        for line in sys.stdin.buffer:
            message = decode(line)
            if message["type"] == "RECORD":
                write(encode(mixpanel_row(message["record"])))
                write(b"\n")
                rows += 1
    print(f'{{"records": {rows}}}')


if __name__ == "__main__":
    main()
