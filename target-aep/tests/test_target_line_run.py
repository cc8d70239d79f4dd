"""Lines that are told by their places are the lines that splitting gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.line_run import LineRun

LINES = st.lists(st.sampled_from([b"", b"a", b"ab", b"abc", b"xab", b"ab\rab", b"ab" * 40]))


def number_alike(lines, prefix):
    return next((n for n, line in enumerate(lines) if not line.startswith(prefix)), len(lines))


@given(LINES, LINES, st.sampled_from([b"ab", b"a", b"abc"]), st.sampled_from([b"", b"ab", b"x"]))
def test_a_run_is_of_whole_lines_up_to_one_that_begins_otherwise(before, lines, prefix, rest):
    chunk = b"".join(line + b"\n" for line in [*before, *lines]) + rest
    start = sum(map(len, before)) + len(before)
    run = LineRun.alike(chunk, start, prefix)
    alike = lines[: number_alike(lines, prefix)]
    assert list(run) == alike
    assert len(run) == len(alike)
    assert run.text == b"\n".join(alike)
    assert run.size == run.end - start == sum(map(len, alike)) + len(alike)
    assert run.longest == max((len(line) + 1 for line in alike), default=0)


@given(LINES, st.slices(8))
def test_parts_of_a_run_are_runs(lines, part):
    part = slice(part.start, part.stop)
    run = LineRun.alike(b"before\n" + b"".join(line + b"\n" for line in lines), 7, b"")
    assert list(run[part]) == lines[part]
    assert run[part].size == sum(map(len, lines[part])) + len(lines[part])


def test_lines_by_their_place():
    run = LineRun.alike(b"one\ntwo\nthree\nrest", 4, b"t")
    assert [run[0], run[-1]] == [b"two", b"three"]
    assert [run[:1].end, run[:2].end, run[1:].size] == [8, 14, 6]
    with pytest.raises(IndexError):
        run[2]
