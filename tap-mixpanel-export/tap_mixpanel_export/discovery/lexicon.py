"""Types that a project's owners have written down: Mixpanel's Lexicon.

``GET /api/app/projects/{id}/schemas/event``, for service accounts only, 5 requests a minute; see
https://developer.mixpanel.com/reference/list-schemas-for-entity and
https://developer.mixpanel.com/reference/rate-limits
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests

from tap_mixpanel_export.clock import wait
from tap_mixpanel_export.credentials import API_SECRET, OAUTH_TOKEN
from tap_mixpanel_export.discovery.property_types import commonest
from tap_mixpanel_export.errors import AttemptError, RateLimitedError, TapError
from tap_mixpanel_export.hosts import APP_HOSTS, EXPORT_HOSTS
from tap_mixpanel_export.response_errors import parse_retry_after, redacted, server_words

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.settings import Settings

_CONNECT_TIMEOUT = 30.0
_READ_TIMEOUT = 120.0
_UNDOCUMENTED = "its answer is not what Mixpanel documents"


class LexiconUnavailableError(TapError):
    """Lexicon tells this tap nothing; the text says why."""


@dataclass(frozen=True)
class LexiconProperty:
    """What Lexicon says of a property.

    Attributes:
        kind: JSON schema type, None if it names none but null.
        description: For people, or None.
    """

    kind: str | None
    description: str | None


def lexicon_properties(
    settings: Settings, *, policy: RetryPolicy, clock: Clock, logger: logging.Logger
) -> dict[str, LexiconProperty]:
    """Ask for the properties that have a schema.

    A property of several events is of the type that most of them give it. Properties that
    Mixpanel drops at ingestion are left out, and so are those of events that are not exported.

    Args:
        settings: The tap's settings; ``events`` applies.
        policy: How patient to be.
        clock: Waits.
        logger: Gets a line for each failed attempt.

    Raises:
        LexiconUnavailableError: There is no answer, and why.
    """
    _check_access(settings)

    def pause(seconds: float, _error: AttemptError) -> None:
        wait(clock, seconds, threading.Event())

    def attempt() -> object:
        return _ask(settings, clock.now())

    what = "the request for Lexicon's schemas"
    try:
        answer = policy.call(attempt, what, pause=pause, clock=clock, logger=logger)
    except TapError as error:
        raise LexiconUnavailableError(str(error)) from error
    try:
        return _properties(_event_schemas(answer, settings.events))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LexiconUnavailableError(_UNDOCUMENTED) from error


def _check_access(settings: Settings) -> None:
    if settings.credentials.kind in {API_SECRET, OAUTH_TOKEN}:
        raise LexiconUnavailableError("only a service account may read it")
    is_elsewhere = settings.api_url not in EXPORT_HOSTS.values()
    if is_elsewhere and settings.app_url in APP_HOSTS.values():
        raise LexiconUnavailableError("api_url names another host; set app_url as well")


def _ask(settings: Settings, now: float) -> object:
    hidden = settings.credentials.secrets
    try:
        response = requests.get(
            f"{settings.app_url}/api/app/projects/{settings.project_id}/schemas/event",
            auth=settings.credentials,
            headers={"Accept": "application/json", "User-Agent": settings.user_agent},
            allow_redirects=False,
            timeout=(_CONNECT_TIMEOUT, _READ_TIMEOUT),
        )
    except requests.exceptions.RequestException as error:
        words = redacted(f"{type(error).__name__}: {error}", hidden)
        raise AttemptError(f"the connection to {settings.app_url} failed ({words})") from error
    if response.status_code != HTTPStatus.OK:
        words = server_words(response.content, hidden)
        raise _refusal(response, f"Mixpanel answered {response.status_code}: {words}", now)
    try:
        return response.json()
    except ValueError as error:
        raise LexiconUnavailableError(_UNDOCUMENTED) from error


def _refusal(response: requests.Response, said: str, now: float) -> TapError:
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = parse_retry_after(response.headers.get("Retry-After"), now)
        return RateLimitedError(said, retry_after=seconds)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AttemptError(said)
    return LexiconUnavailableError(said)


def _event_schemas(answer: Any, events: Iterable[str]) -> list[Mapping[str, Any]]:
    """The schemas of the events that are exported, in the order of their names."""
    wanted = {*events}
    entries = [
        (entry["name"], entry["schemaJson"])
        for entry in answer["results"]
        if entry["entityType"] == "event" and (not wanted or entry["name"] in wanted)
    ]
    return [schema for _, schema in sorted(entries, key=lambda entry: str(entry[0]))]


def _properties(schemas: Iterable[Mapping[str, Any]]) -> dict[str, LexiconProperty]:
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    descriptions: dict[str, str] = {}
    for name, definition in _definitions(schemas):
        kinds[name].update(_types(definition))
        if definition.get("description"):
            descriptions.setdefault(name, str(definition["description"]))
    return {
        name: LexiconProperty(commonest(counts), descriptions.get(name))
        for name, counts in kinds.items()
    }


def _definitions(
    schemas: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for schema in schemas:
        for name, definition in (schema.get("properties") or {}).items():
            metadata = (definition.get("metadata") or {}).get("com.mixpanel") or {}
            if not metadata.get("dropped"):
                yield name, definition


def _types(definition: Mapping[str, Any]) -> list[str]:
    types = definition.get("type") or []
    return [types] if isinstance(types, str) else [str(each) for each in types]
