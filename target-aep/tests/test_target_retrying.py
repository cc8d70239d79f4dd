"""How long is waited between tries, and when no longer."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from target_aep.api.redaction import Redactor
from target_aep.api.retrying import RetriableError, RetryPolicy, retry_after
from target_aep.errors import PlatformError


@given(st.integers(1, 2000), st.none() | st.floats(0, 1e6), st.floats(0, 100), st.floats(0.1, 100))
def test_the_wait_is_the_longer_one_of_wish_and_back_off(number, wish, base, cap):
    policy = RetryPolicy(base=base, cap=cap, longest_wish=900)
    wait = policy.wait_after(RetriableError("busy", retry_after=wish), number)
    assert wait >= min(wish or 0, 900)
    assert wait <= max(min(wish or 0, 900), min(cap, base * 2.0 ** min(number - 1, 60)))


def test_a_wait_ends_with_the_run():
    stopped = threading.Event()
    tries = []

    def call():
        tries.append(stopped.set())
        raise RetriableError("busy", retry_after=900)

    with pytest.raises(PlatformError, match="the run is ending"):
        RetryPolicy().run(call, "it", stopped)
    assert len(tries) == 1


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("soon", None), ("7", 7.0)])
def test_reads_what_the_server_wishes(text, seconds):
    response = requests.Response()
    response.headers["Retry-After"] = text
    assert retry_after(response) == seconds


@pytest.mark.parametrize("ahead", [-5, 3600])
def test_reads_a_wish_that_is_a_date(ahead):
    response = requests.Response()
    moment = datetime.now(timezone.utc) + timedelta(seconds=ahead)
    response.headers["Retry-After"] = format_datetime(moment, usegmt=True)
    wish = retry_after(response)
    assert wish is not None
    assert wish == 0 if ahead < 0 else wish > 3000


@given(st.lists(st.text(min_size=3, max_size=20), max_size=4), st.text(max_size=30))
def test_no_known_secret_stays_in_a_text(secrets, text):
    redact = Redactor(*secrets)
    redacted = redact(text + "".join(secrets) + text)
    stars = all(set(secret) <= {"*"} for secret in secrets)
    assert stars or not any(secret in redacted.replace("***", "") for secret in secrets)


def test_secrets_are_known_as_they_are_written_in_forms_and_json():
    redact = Redactor('a+b/"c')
    assert redact('x a+b/"c a%2Bb%2F%22c a+b/\\"c y') == "x *** *** *** y"
    redact.learn("token")
    assert redact.quote("a\n token\n" + "x" * 1000) == "a *** " + "x" * 494
