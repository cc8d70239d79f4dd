"""`python -m benchmarks.line_counter`: reads a tap's output and tells how many RECORDs it has.

It is a process of its own, so that the tap writes to a pipe, as it does in real life.
"""

from __future__ import annotations

import json
import os
import time

_MARK = b'"RECORD"'
"""Inside a text the quotes would be escaped, and no generated property has this value."""

_BLOCK = 1 << 20


def main() -> None:
    """Count until the input ends; prints `{"records", "bytes", "first"}`, `first` by monotonic."""
    records = size = 0
    first = None
    tail = b""
    while block := os.read(0, _BLOCK):
        size += len(block)
        text = tail + block
        records += text.count(_MARK)
        tail = text[1 - len(_MARK) :]
        if first is None and records:
            first = time.monotonic()
    print(json.dumps({"records": records, "bytes": size, "first": first}))


if __name__ == "__main__":
    main()
