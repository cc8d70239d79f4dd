"""Types that a project's owners have written down: Mixpanel's Lexicon.

``GET /api/app/projects/{id}/schemas/event``, for service accounts only, 5 requests a minute; see
https://developer.mixpanel.com/reference/list-schemas-for-entity and
https://developer.mixpanel.com/reference/rate-limits
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_mixpanel_export.app_host import AnswerTooLongError, AppHostError, ask_app_host
from tap_mixpanel_export.clock import wait
from tap_mixpanel_export.deadline import Deadline
from tap_mixpanel_export.discovery.lexicon_definitions import LexiconProperty, read_definitions
from tap_mixpanel_export.errors import AttemptError, RateLimitedError, TapError
from tap_mixpanel_export.response_errors import parse_retry_after

if TYPE_CHECKING:
    import logging

    from tap_mixpanel_export.app_host import AppAnswer
    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.settings import Settings

_LONGEST = 120.0
_UNDOCUMENTED = "its answer is not what Mixpanel documents"


class LexiconUnavailableError(TapError):
    """Lexicon tells this tap nothing; the text says why."""


def lexicon_properties(
    settings: Settings, *, policy: RetryPolicy, clock: Clock, logger: logging.Logger
) -> dict[str, LexiconProperty]:
    """Ask for the properties that have a schema.

    Args:
        settings: The tap's settings; ``events`` applies.
        policy: How patient to be; its ``deadline`` is that of the whole answer.
        clock: Waits.
        logger: Gets a line for each failed attempt, and for definitions that make no sense.

    Raises:
        LexiconUnavailableError: There is no answer, and why.
    """
    _check_access(settings)
    deadline = policy.deadline or Deadline(_LONGEST)

    def pause(seconds: float, _error: AttemptError) -> None:
        wait(clock, seconds, threading.Event())

    def attempt() -> object:
        return _ask(settings, deadline, clock.now())

    what = "the request for Lexicon's schemas"
    try:
        answer = policy.call(attempt, what, pause=pause, clock=clock, logger=logger)
    except TapError as error:
        raise LexiconUnavailableError(str(error)) from error
    try:
        return read_definitions(answer, settings.events, logger)
    except ValueError as error:
        raise LexiconUnavailableError(_UNDOCUMENTED) from error


def _check_access(settings: Settings) -> None:
    if not settings.credentials.is_service_account:
        raise LexiconUnavailableError("only a service account may read it")
    if not settings.asks_app_host:
        raise LexiconUnavailableError("api_url names another host; set app_url as well")


def _ask(settings: Settings, deadline: Deadline, now: float) -> object:
    path = f"/api/app/projects/{settings.project_id}/schemas/event"
    try:
        answer = ask_app_host(settings, settings.app_url, path, deadline=deadline)
    except AnswerTooLongError as error:
        raise LexiconUnavailableError(str(error)) from error
    except AppHostError as error:
        raise AttemptError(str(error)) from error
    if answer.status != HTTPStatus.OK:
        raise _refusal(answer, now)
    try:
        return answer.json()
    except ValueError as error:
        raise LexiconUnavailableError(_UNDOCUMENTED) from error


def _refusal(answer: AppAnswer, now: float) -> TapError:
    said = f"Mixpanel answered {answer.status}: {answer.words}"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimitedError(said, retry_after=parse_retry_after(answer.retry_after, now))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AttemptError(said)
    return LexiconUnavailableError(said)
