"""Whose projects a service account may read, asked of the app host.

``GET /api/app/me`` is not in the export's budget:
https://developer.mixpanel.com/reference/service-accounts. The form of its answer is that of
public clients, e.g. jaredmcfarland/mixpanel_data ``src/mixpanel_headless/_internal/me.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_mixpanel_export.app_host import AppHostError, ask_app_host
from tap_mixpanel_export.response_errors import credentials_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_mixpanel_export.app_host import AppAnswer
    from tap_mixpanel_export.deadline import Deadline
    from tap_mixpanel_export.errors import TapError
    from tap_mixpanel_export.settings import Settings

ME_PATH = "/api/app/me"

_MOST_NAMED = 10
_SHOWN_NAME = 60
_ADVICE: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "this service account may not ask for its own projects",
    HTTPStatus.NOT_FOUND: "check app_url and region",
    HTTPStatus.TOO_MANY_REQUESTS: "run --test again in a minute",
}


@dataclass(frozen=True)
class AccountProject:
    """A project of an account; what Mixpanel does not tell is empty.

    Attributes:
        zone: Name of the time zone it has now.
        domain: The app host of its residency, such as ``eu.mixpanel.com``.
    """

    name: str
    zone: str
    domain: str


@dataclass(frozen=True)
class Account:
    """A service account that was accepted; its projects by id."""

    projects: Mapping[str, AccountProject]

    def listed(self) -> str:
        """Name the projects, at most ten of them."""
        by_id = sorted(self.projects.items(), key=lambda item: (len(item[0]), item[0]))
        named = [f"{number} {project.name!r}" for number, project in by_id[:_MOST_NAMED]]
        more = len(by_id) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")


def ask_account(settings: Settings, app_url: str, deadline: Deadline) -> Account:
    """Ask an app host for the projects of the settings' service account.

    Args:
        settings: Whose credentials are sent.
        app_url: The host, without a trailing slash.
        deadline: When the answer must be there.

    Raises:
        CredentialsRefusedError: The host does not know them.
        AppHostError: It did not answer, or in a way that says nothing about them.
    """
    # With its users the answer has tens of megabytes and takes long.
    parameters = {"include_workspace_users": "false"}
    try:
        answer = ask_app_host(settings, app_url, ME_PATH, deadline=deadline, parameters=parameters)
    except AppHostError as error:
        raise AppHostError(f"{error}; check app_url, region and the proxy's settings") from error
    if answer.status != HTTPStatus.OK:
        raise _refusal(settings, app_url, answer)
    projects = _projects(answer)
    if projects is None:
        raise AppHostError(
            f"{app_url} answered 200 without an account's projects; check app_url and what stands "
            "before it, such as a proxy"
        )
    return Account({number: _project(value) for number, value in projects.items()})


def _refusal(settings: Settings, app_url: str, answer: AppAnswer) -> TapError:
    status, words = answer.status, answer.words
    unknown = credentials_error(status, words, settings.credentials)
    if unknown is not None:
        return unknown
    advice = _ADVICE.get(status, "run --test again later")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        advice = "the tap follows no redirect; check app_url and region"
    return AppHostError(f"{app_url} answered {status}: {words}; {advice}")


def _projects(answer: AppAnswer) -> dict[str, Any] | None:
    try:
        content = answer.json()
    except ValueError:
        return None
    results = content.get("results") if isinstance(content, dict) else None
    projects = results.get("projects") if isinstance(results, dict) else None
    return projects if isinstance(projects, dict) else None


def _project(value: object) -> AccountProject:
    return AccountProject(*(_text(value, name) for name in ("name", "timezone", "domain")))


def _text(value: object, name: str) -> str:
    text = value.get(name) if isinstance(value, dict) else None
    return " ".join(text.split())[:_SHOWN_NAME] if isinstance(text, str) else ""
