"""What an answer other than 200 means, and what to do about it.

The texts were collected from public clients of the endpoint; Mixpanel documents none of them.
See e.g. https://github.com/singer-io/tap-mixpanel/blob/master/tap_mixpanel/client.py and
https://github.com/airbytehq/airbyte/issues/9410.
"""

from __future__ import annotations

import email.utils
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_mixpanel_export.errors import (
    AttemptError,
    CredentialsRefusedError,
    DayNotStartedError,
    ExportRefusedError,
    RateLimitedError,
    TapError,
    TimedOutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_mixpanel_export.credentials import Credentials

SHOWN_BYTES = 500

_QUERY_STRING = re.compile(r"\?[^\s\"'<>]*")
_UNAUTHENTICATED = re.compile(r"unable to authenticate|invalid parameter: sig\b", re.IGNORECASE)
_TRANSIENT = re.compile(r"timeout error", re.IGNORECASE)
_TRANSIENT_STATUS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_TOO_LONG_STATUS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT})
_DAY_NOT_STARTED = re.compile(r"to_date cannot be later than today", re.IGNORECASE)
_DATE_RANGE = re.compile(r"\bdate range\b", re.IGNORECASE)
_FIX_DATES = "fix the settings start_date and end_date"
_ADVICE: dict[int, str] = {
    HTTPStatus.PAYMENT_REQUIRED: "the project's plan does not allow raw export "
    "(https://mixpanel.com/pricing)",
    HTTPStatus.FORBIDDEN: "give the account of {settings} access to the project, or fix project_id",
    HTTPStatus.NOT_FOUND: "check api_url and region",
}
_PARAMETERS = (
    (re.compile(r"\bwhere\b|expression|selector", re.IGNORECASE), "fix the setting where"),
    (re.compile(r"from_date|to_date|\bdate\b", re.IGNORECASE), _FIX_DATES),
    (re.compile(r"\bevents?\b", re.IGNORECASE), "fix the setting events"),
    (re.compile(r"project_id", re.IGNORECASE), "fix the setting project_id"),
)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return a text without secrets and query strings, on one line."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(_QUERY_STRING.sub("?…", text).split())


def server_words(body: bytes, secrets: Iterable[str]) -> str:
    """Return what an error body says: its ``error`` if it is JSON, else its beginning."""
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        text = value["error"]
    return redacted(text, secrets)[:SHOWN_BYTES] or "(no text)"


def error_of(
    status: int,
    words: str,
    *,
    retry_after: str | None,
    credentials: Credentials,
    now: float,
) -> TapError:
    """Classify an answer other than 200.

    Args:
        status: HTTP status.
        words: What ``server_words`` returned.
        retry_after: The ``Retry-After`` header.
        credentials: What the request was signed with.
        now: Seconds since the epoch.

    Returns:
        An AttemptError if another attempt may succeed, DayNotStartedError if ``to_date`` was
        too late, CredentialsRefusedError if Mixpanel does not know who asks, otherwise an
        ExportRefusedError.
    """
    said = f"Mixpanel answered {status}: {words}"
    unknown = credentials_error(status, words, credentials, ", project_id and region")
    if unknown is not None:
        return unknown
    if status == HTTPStatus.BAD_REQUEST and _DAY_NOT_STARTED.search(words):
        return DayNotStartedError(said)
    if not _is_transient(status, words):
        return ExportRefusedError(f"{said}; {_advice(status, words, credentials)}", status=status)
    kind = _transient_kind(status, words)
    seconds = parse_retry_after(retry_after, now)
    asked = "" if seconds is None else f" (it asks to wait {seconds:.0f} s)"
    budget = "; other tools may use the project's budget" if kind is RateLimitedError else ""
    return kind(said + asked + budget, retry_after=seconds)


def credentials_error(
    status: int, words: str, credentials: Credentials, also: str = ""
) -> CredentialsRefusedError | None:
    """Return the error of an answer that says the credentials are unknown, by 401 or 400.

    Args:
        status: HTTP status.
        words: What ``server_words`` returned.
        credentials: What the request was signed with.
        also: Other settings to check.
    """
    is_unknown = status == HTTPStatus.UNAUTHORIZED or (
        status == HTTPStatus.BAD_REQUEST and _UNAUTHENTICATED.search(words)
    )
    if not is_unknown:
        return None
    return CredentialsRefusedError(
        f"Mixpanel answered {status}: {words}; check {credentials.settings}{also}: "
        f"{credentials.why_refused}",
        status=status,
    )


def _is_transient(status: int, words: str) -> bool:
    if status == HTTPStatus.BAD_REQUEST:
        return bool(_TRANSIENT.search(words))
    return status in _TRANSIENT_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _transient_kind(status: int, words: str) -> type[AttemptError]:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError
    is_too_long = status in _TOO_LONG_STATUS or _TRANSIENT.search(words)
    return TimedOutError if is_too_long else AttemptError


def _advice(status: int, words: str, credentials: Credentials) -> str:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "the export answers 200: check api_url, or the proxy between"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "the tap follows no redirect; set region or api_url to the host that has the data"
    if status == HTTPStatus.FORBIDDEN and _DATE_RANGE.search(words):
        return _FIX_DATES
    if status in _ADVICE:
        return _ADVICE[status].format(settings=credentials.settings)
    named = (advice for pattern, advice in _PARAMETERS if pattern.search(words))
    return next(named, "check the settings project_id, events, where, start_date and end_date")


def parse_retry_after(header: str | None, now: float) -> float | None:
    """Read a ``Retry-After`` header, in seconds or as a date (RFC 9110 §10.2.3).

    Args:
        header: The header's text.
        now: Seconds since the epoch.

    Returns:
        Seconds to wait, 0 for a time that has passed, or None without a readable header.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now
        except (TypeError, ValueError):
            return None
    return max(seconds, 0.0)
