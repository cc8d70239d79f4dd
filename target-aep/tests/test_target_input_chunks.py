"""The input comes in large pieces of whole lines, as soon as they are there."""

from __future__ import annotations

import io
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.input_chunks import InputChunks


@given(st.lists(st.binary(max_size=30), max_size=8), st.booleans())
def test_all_bytes_come_in_order_and_pieces_end_with_lines(parts, is_whole):
    content = b"\n".join(parts) + (b"\n" if is_whole else b"")
    pieces = [*InputChunks(io.BytesIO(content))]
    assert b"".join(pieces) == content
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert all(pieces)


def test_lines_longer_than_a_piece_and_many_pieces():
    content = b"".join(b"x" * size + b"\n" for size in (5, 3_000_000, 0, 1_048_575, 70)) + b"end"
    pieces = [*InputChunks(io.BytesIO(content))]
    assert b"".join(pieces) == content
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert pieces[-1] == b"end"


@pytest.mark.parametrize("make", [io.StringIO, lambda text: iter(text.splitlines(keepends=True))])
def test_text_is_taken_as_utf_8(make):
    text = "grün\n😀\nlast"
    assert b"".join(InputChunks(make(text))) == text.encode()


def test_only_files_have_a_descriptor(tmp_path):
    assert InputChunks(io.BytesIO(b"")).descriptor is None
    assert InputChunks([]).descriptor is None
    (tmp_path / "file").write_bytes(b"a\nb\n")
    with (tmp_path / "file").open("rb") as file:
        chunks = InputChunks(file)
        assert chunks.descriptor == file.fileno()
        assert [*chunks] == [b"a\nb\n"]


def test_a_line_is_there_while_the_rest_is_still_to_come():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        pieces = iter(InputChunks(file))
        os.write(writing, b"one\ntwo")
        assert next(pieces) == b"one\n"
        os.write(writing, b"!\nthree\n")
        assert next(pieces) == b"two!\nthree\n"
        os.close(writing)
        assert [*pieces] == []


def test_much_that_is_there_comes_at_once():
    reading, writing = os.pipe()
    content = b"line\n" * 400_000

    def write():
        with os.fdopen(writing, "wb") as out:
            out.write(content)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as file:
        assert b"".join(InputChunks(file)) == content
    thread.join()


def test_a_pipe_that_does_not_wait_is_not_at_its_end():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as file:
        pieces = iter(InputChunks(file))
        later = threading.Timer(0.05, lambda: (os.write(writing, b"one\ntwo"), os.close(writing)))
        later.start()
        assert [*pieces] == [b"one\n", b"two"]
        later.join()
