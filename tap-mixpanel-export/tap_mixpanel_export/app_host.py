"""Requests to Mixpanel's app host, ``/api/app``: one deadline, a limit of bytes, no secrets shown.

They are not in the export's budget: https://developer.mixpanel.com/reference/rate-limits
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests
import urllib3

from tap_mixpanel_export.deadline import DeadlineAdapter
from tap_mixpanel_export.errors import TapError
from tap_mixpanel_export.response_errors import SHOWN_BYTES, redacted, server_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_mixpanel_export.deadline import Deadline
    from tap_mixpanel_export.settings import Settings

MOST_BYTES = 32 << 20
"""An answer that is longer, once it is inflated, is none."""

_CONNECT_TIMEOUT = 10.0
_LONGEST_SILENCE = 60.0
_CHUNK = 1 << 16


class AppHostError(TapError):
    """The app host gave no answer that tells anything."""


class AnswerTooLongError(AppHostError):
    """The answer has more than ``MOST_BYTES``."""


@dataclass(frozen=True)
class AppAnswer:
    """An answer of any status.

    Attributes:
        retry_after: The header, if there is one.
        words: What the body says if the status is not 200, without secrets.
    """

    status: int
    retry_after: str | None
    words: str
    body: bytes

    def json(self) -> Any:
        """Parse the body.

        Raises:
            ValueError: It is not JSON, or nested too deeply.
        """
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def ask_app_host(
    settings: Settings,
    app_url: str,
    path: str,
    *,
    deadline: Deadline,
    parameters: Mapping[str, str] | None = None,
) -> AppAnswer:
    """Send one GET request, signed with the settings' credentials; no redirect is followed.

    Args:
        settings: Whose credentials are sent.
        app_url: The host, without a trailing slash.
        path: Begins with a slash.
        deadline: When the whole answer must be there.
        parameters: Of the query.

    Raises:
        AnswerTooLongError: It sent more than anybody should.
        AppHostError: It did not answer, or not in time.
    """
    if deadline.is_over():
        raise AppHostError(f"{app_url} was not asked: no time was left")
    try:
        answer = _answer(settings, app_url + path, deadline, parameters)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        if deadline.is_over():
            raise _late(app_url, deadline) from error
        words = redacted(f"{type(error).__name__}: {error}", settings.credentials.secrets)
        raise AppHostError(f"no answer from {app_url} ({words[:SHOWN_BYTES]})") from error
    if deadline.is_over():  # what was cut then may look whole
        raise _late(app_url, deadline)
    return answer


def _late(app_url: str, deadline: Deadline) -> AppHostError:
    return AppHostError(f"no answer from {app_url} within {deadline.seconds:.0f} s")


def _answer(
    settings: Settings, url: str, deadline: Deadline, parameters: Mapping[str, str] | None
) -> AppAnswer:
    with requests.Session() as session:
        for prefix in ("http://", "https://"):
            session.mount(prefix, DeadlineAdapter(deadline))
        silence = min(_LONGEST_SILENCE, settings.request_timeout)
        with session.get(
            url,
            params=parameters,
            auth=settings.credentials,
            headers={"Accept": "application/json", "User-Agent": settings.user_agent},
            stream=True,
            allow_redirects=False,
            timeout=(deadline.timeout(_CONNECT_TIMEOUT), deadline.timeout(silence)),
        ) as response:
            is_good = response.status_code == HTTPStatus.OK
            body = _body(response, url) if is_good else _beginning(response)
            words = "" if is_good else server_words(body, settings.credentials.secrets)
            retry_after = response.headers.get("Retry-After")
            return AppAnswer(response.status_code, retry_after, words, body)


def _body(response: requests.Response, url: str) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_content(_CHUNK):
        size += len(piece)
        if size > MOST_BYTES:
            raise AnswerTooLongError(f"the answer of {url} has more than {MOST_BYTES >> 20} MiB")
        pieces.append(piece)
    return b"".join(pieces)


def _beginning(response: requests.Response) -> bytes:
    return bytes(response.raw.read(4 * SHOWN_BYTES, decode_content=True))
