"""Mixpanel projects and who may read them."""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from emulators.mixpanel.errors import UNAUTHENTICATED, Refused, RefusedByApp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date

TimeBasis = Literal["utc", "project"]
Region = Literal["US", "EU", "IN"]

APP_DOMAINS: dict[Region, str] = {
    "US": "mixpanel.com",
    "EU": "eu.mixpanel.com",
    "IN": "in.mixpanel.com",
}
"""App host by residency (mixpanel/docs `openapi/lexicon-schemas.openapi.yaml`)."""


@dataclass(frozen=True)
class Project:
    """One project.

    Attributes:
        id: Numeric project id.
        name: As `/api/app/me` tells it; default `Project` and the id.
        region: Where it lives: hosts of other regions do not know it.
        time_basis: `utc` (created since 2023): `time` is a true epoch and days are UTC days.
            `project` (older): `time` is the wall clock of `timezone` written as an epoch, and days
            are days of that wall clock.
        timezone: IANA name; matters for `project` only.
        plan_allows_export: False answers every export with 402.
        service_accounts: User name to secret, of the accounts that may read this project.
        expiries: User name to epoch seconds from which on an account is refused as unknown.
        denied_exports: Accounts that have the project but may not export it (403), as those
            without permission for its classified data.
        api_secret: The deprecated project secret.
        oauth_tokens: Bearer tokens that may read this project.
        schemas: What Lexicon has, `{"entityType", "name", "schemaJson"}` each.
        most_events: Answers with more events end early, in band; None for any number.
        service_account_error: Status of a wrong service account, 401 or 400; both were seen.
        secret_error: Status of a wrong project secret, 400 or 401.
    """

    id: int
    name: str = ""
    region: Region = "US"
    time_basis: TimeBasis = "utc"
    timezone: str = "UTC"
    plan_allows_export: bool = True
    service_accounts: Mapping[str, str] = field(default_factory=dict)
    expiries: Mapping[str, float] = field(default_factory=dict)
    denied_exports: Collection[str] = ()
    api_secret: str | None = None
    oauth_tokens: Collection[str] = ()
    schemas: Collection[dict[str, Any]] = ()
    most_events: int | None = None
    service_account_error: int = 401
    secret_error: int = 400

    @property
    def title(self) -> str:
        """Its name, also if it was given none."""
        return self.name or f"Project {self.id}"

    def knows(self, user: str, secret: str, now: float) -> bool:
        """Whether that service account may read it at an instant in epoch seconds."""
        is_known = bool(secret) and self.service_accounts.get(user) == secret
        return is_known and now < self.expiries.get(user, math.inf)

    def today(self, now: float) -> date:
        """The project's day at an instant in epoch seconds."""
        zone = ZoneInfo(self.timezone) if self.time_basis == "project" else timezone.utc
        return datetime.fromtimestamp(now, zone).date()


class Authenticator:
    """Decides which project a request may read.

    Rules: https://docs.mixpanel.com/reference/raw-data-export-api-authentication
    """

    def __init__(self, projects: Mapping[int, Project], now: Callable[[], float]) -> None:
        self._projects = projects
        self._now = now

    def project(self, authorization: str | None, project_id: int | None) -> Project:
        """The project that the `Authorization` header and `project_id` give access to.

        Raises:
            Refused: 400, 401 or 403 as the kind of mistake asks.
        """
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(value.strip(), project_id)
        if scheme.lower() == "basic":
            user, _, secret = _basic_credentials(value.strip()).partition(":")
            if secret:
                return self._by_service_account(user, secret, project_id)
            return self._by_secret(user, project_id)
        raise Refused(400, UNAUTHENTICATED)

    def accessible(self, authorization: str | None) -> list[Project]:
        """The projects of a service account.

        Raises:
            Refused: 401 for anything else than a valid service account.
        """
        scheme, _, value = (authorization or "").partition(" ")
        user, _, secret = _basic_credentials(value.strip()).partition(":")
        projects = self._of_service_account(user, secret)
        if scheme.lower() != "basic" or not projects:
            raise RefusedByApp(401, "Invalid service account credentials")
        return projects

    def _by_token(self, token: str, project_id: int | None) -> Project:
        if project_id is None or not token:
            raise Refused(400, UNAUTHENTICATED)
        readable = [project for project in self._projects.values() if token in project.oauth_tokens]
        return _chosen(readable, project_id, status=401)

    def _by_service_account(self, user: str, secret: str, project_id: int | None) -> Project:
        if project_id is None:
            raise Refused(400, UNAUTHENTICATED)
        asked = self._projects.get(project_id)
        readable = self._of_service_account(user, secret)
        project = _chosen(readable, project_id, asked.service_account_error if asked else 401)
        if user in project.denied_exports:
            raise _no_permission(project_id)
        return project

    def _by_secret(self, secret: str, project_id: int | None) -> Project:
        for project in self._projects.values():
            if secret and secret == project.api_secret and project_id in {None, project.id}:
                return project
        asked = self._asked(project_id)
        raise _unauthenticated(asked.secret_error if asked else 400)

    def _of_service_account(self, user: str, secret: str) -> list[Project]:
        return [
            project
            for project in self._projects.values()
            if project.knows(user, secret, self._now())
        ]

    def _asked(self, project_id: int | None) -> Project | None:
        if project_id is None and len(self._projects) == 1:
            return next(iter(self._projects.values()))
        return None if project_id is None else self._projects.get(project_id)


def _chosen(readable: list[Project], project_id: int, status: int) -> Project:
    if not readable:
        raise _unauthenticated(status)
    for project in readable:
        if project.id == project_id:
            return project
    raise _no_permission(project_id)


def _no_permission(project_id: int) -> Refused:
    return Refused(403, f"No permission to read project {project_id}", as_json=True)


def _unauthenticated(status: int) -> Refused:
    if status == 400:  # noqa: PLR2004 - the two statuses that were seen
        return Refused(400, UNAUTHENTICATED)
    return Refused(401, "Invalid credentials", as_json=True)


def _basic_credentials(value: str) -> str:
    """The `user:secret` of a Basic header; Mixpanel also takes it without base64."""
    if ":" in value:
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
