"""The budget of requests, retries and what an answer's error means."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_mixpanel_export.credentials import credentials_from
from tap_mixpanel_export.errors import AttemptError, RateLimitedError, RetriesExhaustedError
from tap_mixpanel_export.request_budget import InProcessBudget
from tap_mixpanel_export.response_errors import error_of, parse_retry_after, server_words
from tap_mixpanel_export.retries import RetryPolicy


class Clock:
    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        assert seconds > 0
        self.time += seconds


@given(
    per_hour=st.integers(1, 60),
    pauses=st.lists(st.floats(0, 900) | st.floats(0, 0.5), max_size=200),
)
def test_no_hour_and_no_second_sees_more_than_its_share(per_hour, pauses):
    clock = Clock()
    budget = InProcessBudget(per_hour=per_hour, clock=clock, logger=logging.getLogger("unused"))
    started = []
    for pause in pauses:
        clock.time += pause
        budget.acquire()
        started.append(clock.time)
    for period, most in ((3600, per_hour), (1, 3)):
        for index in range(len(started) - most):
            assert started[index + most] - started[index] > period


def test_a_long_wait_is_said(caplog, fake_clock, logger):
    budget = InProcessBudget(per_hour=2, clock=fake_clock, logger=logger)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            budget.acquire()
    assert "waiting 3601.0 s: all 2 requests of this hour are used up" in caplog.text


def test_a_clock_that_is_set_back_does_not_stop_the_tap(fake_clock, logger):
    budget = InProcessBudget(per_hour=1, clock=fake_clock, logger=logger)
    budget.acquire()
    fake_clock.advance(days=-30)
    budget.acquire()
    assert sum(fake_clock.slept) <= 3602


def failing(errors):
    remaining = list(errors)

    def attempt():
        if remaining:
            raise remaining.pop(0)
        return "done"

    return attempt


def test_attempts_are_repeated_and_announced(caplog, logger):
    policy = RetryPolicy(max_tries=3, scale=0)
    attempt = failing([AttemptError("first"), AttemptError("second")])
    assert policy.call(attempt, "window x", logger) == "done"
    assert "window x failed (attempt 1): first; next attempt in 0.0 s" in caplog.text
    assert "window x failed (attempt 2): second" in caplog.text


def test_patience_ends(logger):
    policy = RetryPolicy(max_tries=3, scale=0)
    attempt = failing([AttemptError(f"number {n}") for n in range(5)])
    with pytest.raises(RetriesExhaustedError, match="window x failed for good: number 2"):
        policy.call(attempt, "window x", logger)


def test_the_rate_limit_has_a_patience_of_its_own(caplog, logger):
    policy = RetryPolicy(max_tries=2, rate_limit_patience=4500, scale=0)
    refusals = [RateLimitedError("429", retry_after=60) for _ in range(70)]
    assert policy.call(failing(refusals), "window x", logger) == "done"
    with pytest.raises(RetriesExhaustedError):
        policy.call(failing(refusals * 2), "window x", logger)
    waited = [r for r in caplog.records if "next attempt" in r.getMessage()]
    assert len(waited) == 70 + 75


def test_other_errors_are_not_repeated(logger):
    with pytest.raises(KeyError):
        RetryPolicy(scale=0).call(failing([KeyError("bug"), KeyError("bug")]), "x", logger)


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


def test_messages_name_the_setting_in_use():
    error = error_of(401, "no", retry_after=None, credentials=CREDENTIALS, now=0.0)
    assert "check api_secret, project_id and region" in str(error)
