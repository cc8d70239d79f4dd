"""Whole bodies pass however they are cut into chunks; nothing else does."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export import export_body
from tap_mixpanel_export.errors import BrokenBodyError
from tap_mixpanel_export.export_body import (
    BodyChecker,
    GzipDecoder,
    IdentityDecoder,
    decoder_for,
)

EVENT = b'{"event":"a","properties":{"time":1,"text":"\xe2\x80\xa8"}}\n'


def check(body, *, sizes=(), decoder=None, tolerate=False):
    checker = BodyChecker(decoder or IdentityDecoder(), tolerate_invalid_lines=tolerate)
    rest = body
    for size in sizes:
        checker.feed(rest[:size])
        rest = rest[size:]
    checker.feed(rest)
    checker.finish()
    return checker


chunk_sizes = st.lists(st.integers(0, 60), max_size=20)


@given(count=st.integers(0, 9), members=st.integers(1, 3), sizes=chunk_sizes, pad=st.integers(0, 9))
def test_whole_gzip_bodies_pass(count, members, sizes, pad):
    body = b"".join(gzip.compress(EVENT * count + b"\n") for _ in range(members)) + bytes(pad)
    checker = check(body, sizes=sizes, decoder=GzipDecoder())
    assert checker.events == count * members


@given(cut=st.integers(1, 80), sizes=chunk_sizes)
def test_a_cut_gzip_body_never_passes(cut, sizes):
    body = gzip.compress(EVENT * 20)
    with pytest.raises(BrokenBodyError, match="before its trailer"):
        check(body[:-cut][: len(body) - cut], sizes=sizes, decoder=GzipDecoder())


@given(cut=st.integers(1, 3 * len(EVENT) - 1), sizes=chunk_sizes)
def test_a_cut_plain_body_passes_only_at_the_end_of_a_line(cut, sizes):
    body = (EVENT * 3)[:-cut]
    if cut % len(EVENT) == 0:  # the HTTP framing tells of such a cut
        assert check(body, sizes=sizes).events == 3 - cut // len(EVENT)
    else:
        with pytest.raises(BrokenBodyError, match="last line is cut off"):
            check(body, sizes=sizes)


def test_a_damaged_gzip_body_fails():
    body = bytearray(gzip.compress(EVENT * 20))
    body[-6] ^= 1
    with pytest.raises(BrokenBodyError, match="damaged"):
        check(bytes(body), decoder=GzipDecoder())
    with pytest.raises(BrokenBodyError, match="damaged"):
        check(gzip.compress(EVENT) + b"rubbish", decoder=GzipDecoder())
    with pytest.raises(BrokenBodyError, match="before its trailer"):
        check(b"", decoder=GzipDecoder())


def test_a_bomb_is_inflated_in_pieces():
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = compressor.compress(b"\n" * (32 << 20)) + compressor.flush()
    decoder = GzipDecoder()
    pieces = [len(piece) for piece in decoder.decode(body)]
    decoder.finish()
    assert sum(pieces) == 32 << 20
    assert max(pieces) <= 1 << 20


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n \n", EVENT, b"\n" + EVENT + b"\n\n"])
def test_blank_lines_and_empty_bodies_pass(body):
    assert check(body).events == body.count(b"event")


ABORTED = [
    b"terminated early\n",
    EVENT + b"terminated early\n",
    EVENT + b"terminated early\n\n",
    EVENT + b"export terminated early\n",
    EVENT + b"terminated early",
    EVENT + b'{"error": "internal"}\n',
    EVENT + b'{"error": "inter\n',
    b'{ "error" : "internal"}\n' + EVENT,
    EVENT + b"Internal Server Error\n",
    EVENT + b'{"event":"a","prop\n',
    EVENT + b"terminated early\n" + EVENT,
    EVENT + b'{"request":"/api/2.0/export?from_date=2024-03-19","error":"Timeout Error."}\n',
    EVENT + b'{"request":"/api/2.0/export","error":{"code":1}}\n' + EVENT,
    b'{"status":"error","error":null,"properties":{}}\n' + EVENT,
    EVENT + b'{"status":"error","message":"Internal"}\n',
    b'{"status":"error","message":"Internal"}\n',
    EVENT + b"null\n",
    EVENT + b"[]\n \n",
    EVENT + b'"terminated"\n',
    EVENT + b'{"event":"a"}\n',
    EVENT + b'{"event":{},"properties":{}}\n',
]


@pytest.mark.parametrize("body", ABORTED)
def test_an_abort_fails_the_window_even_if_invalid_lines_are_tolerated(body):
    with pytest.raises(BrokenBodyError):
        check(body, tolerate=True)


INVALID = [b"nonsense\n", b"[]\n", b'{"event":"a"}\n', b"\xff\n"]


@pytest.mark.parametrize("line", INVALID)
def test_a_malformed_line_inside_fails_unless_tolerated(line):
    with pytest.raises(BrokenBodyError, match=r"line 2: .*on_invalid_line"):
        check(EVENT + line + EVENT)
    checker = check(EVENT + line + EVENT, tolerate=True)
    assert (checker.events, checker.invalid_lines) == (2, 1)


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"a","properties":{}}\n',
        b'{"event":"a","properties":{"time":"1"},"error":"of the customer"}\n',
        b'{"event":"a","properties":{"time":NaN}}\n',
    ],
)
def test_a_last_line_with_the_shape_of_an_event_is_malformed_and_no_abort(line):
    assert check(EVENT + line, tolerate=True).invalid_lines == 1


def test_an_event_that_tells_of_an_error_is_an_event():
    line = b'{"error":1,"event":"a","properties":{"time":1,"error":"x"}}\n'
    assert check(line).events == 1


def test_an_endless_line_is_refused(monkeypatch):
    monkeypatch.setattr(export_body, "LONGEST_LINE", 1 << 20)
    checker = BodyChecker(IdentityDecoder(), tolerate_invalid_lines=True)
    checker.feed(b"x" * (1 << 20))
    with pytest.raises(BrokenBodyError, match="line 1 is longer than 1 MiB"):
        checker.feed(b"x")


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        (None, IdentityDecoder),
        ("", IdentityDecoder),
        ("identity", IdentityDecoder),
        ("gzip", GzipDecoder),
        ("X-GZIP", GzipDecoder),
    ],
)
def test_the_decoder_follows_the_header(encoding, kind):
    assert isinstance(decoder_for(encoding), kind)


def test_an_encoding_that_was_not_asked_for_is_an_error():
    with pytest.raises(BrokenBodyError, match="'br' is neither gzip nor none"):
        decoder_for("br")
