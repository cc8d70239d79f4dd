"""The three kinds of Mixpanel credentials, as request authentication.

https://developer.mixpanel.com/reference/raw-data-export-api-authentication
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

SERVICE_ACCOUNT = ("service_account_username", "service_account_secret")
API_SECRET = "api_secret"  # noqa: S105 - the name of a setting
OAUTH_TOKEN = "oauth_token"  # noqa: S105 - the name of a setting
_SERVICE_ACCOUNT_KIND = "service account"
_WHY_REFUSED = {
    _SERVICE_ACCOUNT_KIND: "the username or the secret is wrong, or the account has expired or "
    "was deleted, which is refused in the same words (Organization Settings > Service Accounts)",
    API_SECRET: "the secret is wrong, was reset or belongs to another project (Project Settings "
    "> Overview)",
    OAUTH_TOKEN: "the token is wrong or has expired; get a new one",
}
SECRET_SETTINGS = frozenset({*SERVICE_ACCOUNT, API_SECRET, OAUTH_TOKEN})
RETIREMENT_NOTICE = (
    "api_secret: Mixpanel retires project secrets on 2027-03-03; create a service account "
    "(Organization Settings > Service Accounts) and set service_account_username, "
    "service_account_secret and project_id instead"
)


@dataclass(frozen=True)
class Credentials:
    """One credential. Neither ``repr`` nor any message shows its secret.

    Attributes:
        kind: ``service account``, ``api_secret`` or ``oauth_token``.
        settings: The names of the settings it came from, for messages.
        authorization: Value of the ``Authorization`` header.
        secrets: Every text that must not appear in logs or errors.
    """

    kind: str
    settings: str
    authorization: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def why_refused(self) -> str:
        """What may be wrong with it when Mixpanel does not know it, and where to look."""
        return _WHY_REFUSED[self.kind]

    @property
    def is_service_account(self) -> bool:
        """Whether it belongs to an account, which ``/api/app/me`` tells the projects of."""
        return self.kind == _SERVICE_ACCOUNT_KIND

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = self.authorization
        return request


def credentials_from(config: Mapping[str, Any]) -> Credentials | str:
    """Find the one credential of a configuration.

    Args:
        config: The tap's settings; secrets are texts or absent.

    Returns:
        The credential, or a line that says what is wrong with the settings.
    """
    given = [names for names in _KINDS if any(config.get(name) for name in names)]
    if not given:
        return (
            "no credentials: set service_account_username, service_account_secret and "
            "project_id (or oauth_token, or api_secret)"
        )
    if len(given) > 1:
        return (
            "ambiguous credentials: set only one of service_account_username with "
            "service_account_secret, oauth_token, api_secret"
        )
    return _KINDS[given[0]](config)


def _service_account(config: Mapping[str, Any]) -> Credentials | str:
    for name in SERVICE_ACCOUNT:
        if not config.get(name):
            return f"{name}: is missing; a service account needs its username and its secret"
    if not config.get("project_id"):
        return "project_id: is missing; a service account needs it (Project Settings > Overview)"
    username, secret = (config[name] for name in SERVICE_ACCOUNT)
    return _basic(_SERVICE_ACCOUNT_KIND, " and ".join(SERVICE_ACCOUNT), username, secret)


def _api_secret(config: Mapping[str, Any]) -> Credentials:
    return _basic(API_SECRET, API_SECRET, config[API_SECRET], "")


def _oauth_token(config: Mapping[str, Any]) -> Credentials | str:
    token = config[OAUTH_TOKEN]
    if not (token.isascii() and token.isprintable()):
        return "oauth_token: holds characters that no token has; copy it again"
    return Credentials(OAUTH_TOKEN, OAUTH_TOKEN, f"Bearer {token}", (token,))


def _basic(kind: str, settings: str, username: str, password: str) -> Credentials:
    token = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
    secrets = tuple(secret for secret in (token, password, username) if secret)
    return Credentials(kind, settings, f"Basic {token}", secrets)


_KINDS: dict[tuple[str, ...], Callable[[Mapping[str, Any]], Credentials | str]] = {
    SERVICE_ACCOUNT: _service_account,
    (API_SECRET,): _api_secret,
    (OAUTH_TOKEN,): _oauth_token,
}
