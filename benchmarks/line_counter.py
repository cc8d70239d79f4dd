"""`python -m benchmarks.line_counter`: reads a tap's output and tells how many RECORDs it has.

It is a process of its own, so that the tap writes to a pipe, as it does in real life. It looks at
the first letter of each message's type and at nothing else, since what it takes is not the tap's.
"""

from __future__ import annotations

import json
import os
import time

import numpy as np

_BEGINNINGS = (b'{"type":"', b'{"type": "')  # as one or the other encoder writes them
_LONGEST = max(map(len, _BEGINNINGS)) + 1
_BLOCK = 1 << 20


def main() -> None:
    """Count until the input ends; prints `{"records", "bytes", "first"}`, `first` by monotonic."""
    records = size = 0
    first = None
    rest = b"\n"  # the end of a block, of which the beginning of a line was not looked at
    while block := os.read(0, _BLOCK):
        size += len(block)
        found, rest = count_records(rest + block)
        records += found
        if first is None and records:
            first = time.monotonic()
    records += count_records(rest + bytes(_LONGEST))[0]
    print(json.dumps({"records": records, "bytes": size, "first": first}))


def count_records(text: bytes) -> tuple[int, bytes]:
    """Count the RECORD lines that begin after a newline.

    Args:
        text: Some of the output.

    Returns:
        How many there are, and the end of the text, which is to be looked at with what follows.
    """
    letters = np.frombuffer(text, np.uint8)
    end = max(0, len(letters) - _LONGEST)
    begins = np.flatnonzero(letters[:end] == ord("\n")) + 1
    marks = sum((letters[begins + len(each)] == ord("R")) for each in _BEGINNINGS)
    return int(np.count_nonzero(marks)), text[end:]


if __name__ == "__main__":
    main()
