"""Retries, and what an answer's error means."""

from __future__ import annotations

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.credentials import credentials_from
from tap_mixpanel_export.errors import (
    AttemptError,
    ExportRefusedError,
    RateLimitedError,
    RetriesExhaustedError,
    TimedOutError,
)
from tap_mixpanel_export.response_errors import error_of, parse_retry_after, server_words
from tap_mixpanel_export.retries import RetryPolicy

LOGGER = logging.getLogger("unused")


class Clock:
    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time


@pytest.fixture
def call(fake_clock, logger):
    """A function that has a policy call something that fails with these errors, one by one."""

    def call(policy, errors, *, seconds_of_attempt=0.0):
        remaining = iter(errors)

        def attempt():
            fake_clock.advance(hours=seconds_of_attempt / 3600)
            error = next(remaining, None)
            if error is not None:
                raise error
            return "done"

        def pause(seconds, error):
            assert error in errors
            fake_clock.wait(seconds, threading.Event())

        return policy.call(attempt, "window x", pause=pause, clock=fake_clock, logger=logger)

    return call


def test_attempts_are_repeated_and_announced(call, caplog, fake_clock):
    errors = [AttemptError("first"), AttemptError("second")]
    assert call(RetryPolicy(max_tries=3), errors) == "done"
    one, two = fake_clock.slept
    assert f"window x failed (attempt 1): first; next attempt in {one:.1f} s" in caplog.text
    assert f"window x failed (attempt 2): second; next attempt in {two:.1f} s" in caplog.text


def test_patience_ends(call):
    errors = [AttemptError(f"number {n}") for n in range(5)]
    with pytest.raises(RetriesExhaustedError, match="window x failed for good: number 2"):
        call(RetryPolicy(max_tries=3), errors)


def test_an_outage_of_two_minutes_is_outlived(call, fake_clock):
    with pytest.raises(RetriesExhaustedError):
        call(RetryPolicy(), [AttemptError("503") for _ in range(8)])
    assert len(fake_clock.slept) == 7
    assert sum(fake_clock.slept) >= 120
    for number, seconds in enumerate(fake_clock.slept):
        assert 2**number <= seconds <= 2 ** (number + 1)


@pytest.mark.parametrize("kind", [AttemptError, RateLimitedError])
def test_what_the_server_asks_for_is_the_least_wait(call, fake_clock, kind):
    asked = [120.0, 0.0, 7.0, None, 4000.0]
    call(RetryPolicy(), [kind("no", retry_after=seconds) for seconds in asked])
    first, second, third, fourth, fifth = fake_clock.slept
    assert (first, fifth) == (120.0, 4000.0)
    assert 2 <= second <= 4
    assert 7 <= third <= 8
    assert 8 <= fourth <= 16


@pytest.mark.parametrize("kind", [AttemptError, RateLimitedError])
def test_a_server_that_asks_for_too_long_is_not_waited_for(call, fake_clock, kind):
    with pytest.raises(RetriesExhaustedError):
        call(RetryPolicy(patience=4500), [kind("tomorrow", retry_after=86400.0)])
    assert fake_clock.slept == []


@given(asked=st.none() | st.floats(0, 100), seconds_of_attempt=st.floats(0, 600))
def test_the_rate_limit_is_waited_out_for_its_patience_by_the_clock(asked, seconds_of_attempt):
    clock = Clock()
    refused_at = []

    def attempt():
        clock.time += seconds_of_attempt
        refused_at.append(clock.time)
        raise RateLimitedError("429", retry_after=asked)

    def pause(seconds, _error):
        assert seconds > 0
        clock.time += seconds

    policy = RetryPolicy(max_tries=2, patience=4500)
    with pytest.raises(RetriesExhaustedError):
        policy.call(attempt, "window x", pause=pause, clock=clock, logger=LOGGER)
    assert len(refused_at) > 2
    assert len(refused_at) < 40
    assert 4400 <= refused_at[-1] - refused_at[0] <= 4500 + 600 + 300


def test_other_errors_are_not_repeated(call):
    with pytest.raises(KeyError):
        call(RetryPolicy(), [KeyError("bug"), KeyError("bug")])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("86401", 86401.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("-3", None),
    ],
)
def test_retry_after(header, seconds):
    assert parse_retry_after(header, now=10.0) == seconds


CREDENTIALS = credentials_from({"api_secret": "0123456789abcdef"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"request":"/api/2.0/export?x=1","error":"Timeout Error."}', "Timeout Error."),
        (b'{"error": {"code": 1}}', '{"error": {"code": 1}}'),
        (b"  <html>\n oops </html>", "<html> oops </html>"),
        (b"see /export?project_id=1&where=x now", "see /export?\u2026 now"),
        (b"bad secret 0123456789abcdef", "bad secret ***"),
        (b"", "(no text)"),
        (b"\xff" * 3000, "\ufffd" * 500),
    ],
)
def test_the_servers_words_are_short_and_safe(body, words):
    assert server_words(body, CREDENTIALS.secrets) == words


@pytest.mark.parametrize(
    ("status", "words", "kind", "seconds"),
    [
        (408, "Request Timeout", TimedOutError, 30.0),
        (504, "Gateway Timeout", TimedOutError, 30.0),
        (429, "slow down", RateLimitedError, 30.0),
        (500, "unknown error", AttemptError, 30.0),
        (503, "maintenance", AttemptError, 30.0),
        (400, "Timeout Error.", TimedOutError, 30.0),
    ],
)
def test_what_is_asked_for_again_honours_retry_after(status, words, kind, seconds):
    error = error_of(status, words, retry_after="30", credentials=CREDENTIALS, now=0.0)
    assert type(error) is kind
    assert error.retry_after == seconds
    assert str(error).startswith(f"Mixpanel answered {status}: {words} (it asks to wait 30 s)")
    assert ("other tools may use" in str(error)) is (kind is RateLimitedError)


@pytest.mark.parametrize("status", [201, 204])
def test_a_success_that_is_not_the_exports_names_the_host(status):
    error = error_of(status, "(no text)", retry_after=None, credentials=CREDENTIALS, now=0.0)
    assert type(error) is ExportRefusedError
    assert "check api_url, or the proxy between" in str(error)


def test_messages_name_the_setting_in_use():
    error = error_of(401, "no", retry_after=None, credentials=CREDENTIALS, now=0.0)
    assert "check api_secret, project_id and region" in str(error)
