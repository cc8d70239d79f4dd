"""The process that counts RECORD lines finds all of them, wherever its reads end."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.line_counter import count_records

_END = bytes(20)

_messages = st.sampled_from(
    [
        {"type": "RECORD", "stream": "events", "record": {"a": '"type":"RECORD"'}},
        {"type": "RECORD", "stream": "R", "record": {}},
        {"type": "STATE", "value": {"type": "RECORD"}},
        {"type": "SCHEMA", "stream": "events", "schema": {}, "key_properties": []},
    ]
)


@given(messages=st.lists(_messages, max_size=20), data=st.data())
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_any_split_of_the_output_gives_the_same_count(
    separators: tuple[str, str], messages: list[dict[str, object]], data: st.DataObject
) -> None:
    lines = [json.dumps(each, separators=separators) + "\n" for each in messages]
    output = "".join(lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=8)))
    found, rest = 0, b"\n"
    for begin, end in zip([0, *cuts], [*cuts, len(output)], strict=True):
        more, rest = count_records(rest + output[begin:end])
        found += more
    assert found + count_records(rest + _END)[0] == sum(
        each["type"] == "RECORD" for each in messages
    )
