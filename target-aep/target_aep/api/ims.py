"""Access tokens of Adobe's identity service (IMS), OAuth server-to-server.

`POST {ims}/ims/token/v3` with the client credentials in the form body, as the Developer Console
guide asks (AdobeDocs/adobe-dev-console, src/pages/guides/authentication/
ServerToServerAuthentication/ims.md); `expires_in` is in seconds, there is no refresh token.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
import typing as t
from dataclasses import dataclass

import requests

from target_aep.api.calls import Bearer
from target_aep.api.retrying import RetriableError, retry_after
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.api.calls import CallRules

DEFAULT_SCOPES: t.Final = (
    "openid,AdobeID,read_organizations,additional_info.projectedProductContext,session"
)
"""What Adobe's own streaming sink asks for (experience-platform-streaming-connect)."""

_LONGEST_MARGIN = 300.0

_CREDENTIAL: t.Final = "the OAuth Server-to-Server credential of the project (Developer Console)"
_HINTS: t.Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("expired", "disabled", "inactive", "deactivated", "revoked", "deleted", "suspended"),
        (
            "the credential or its secret has expired or is switched off: check client_id and "
            f"client_secret, add a new secret to {_CREDENTIAL}, and see that its API access is on"
        ),
    ),
    (
        ("scope",),
        f"check scopes: only those that are listed for {_CREDENTIAL} are given",
    ),
    (
        ("client_secret", "client secret"),
        (
            "the secret is not valid, or not any more: check client_id and client_secret with "
            f"{_CREDENTIAL}"
        ),
    ),
    (
        ("client_id", "client id"),
        (
            "there is no such credential, or it was disabled or deleted: check client_id and "
            f"client_secret with {_CREDENTIAL}"
        ),
    ),
    (
        ("unauthorized_client", "unsupported_grant_type"),
        f"it is of another kind: client_id must be that of {_CREDENTIAL}",
    ),
)
"""Hints by words of a refusal, the most telling first."""
_NOT_IMS = frozenset({301, 302, 307, 308, 404, 405})

_PATIENCE = 5
"""Times as many tries where IMS throttles a credential, which passes (Developer Console guide,
ServerToServerAuthentication/implementation.md), as where it does not work."""


class _ThrottledError(Exception):
    """IMS mints no token for now; `retry_after` is its wish in seconds."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__(
            "IMS answered 429, it throttles a credential with which too many tokens are minted"
        )
        self.retry_after = retry_after


@dataclass(frozen=True)
class Credential:
    """An OAuth server-to-server credential; its secret stays out of `repr`."""

    client_id: str
    client_secret: str
    org_id: str
    scopes: str = DEFAULT_SCOPES

    def __repr__(self) -> str:
        return f"Credential(org_id={self.org_id!r})"


class TokenSource:
    """Mints tokens, keeps one while it is good, and renews it early; safe across threads."""

    def __init__(
        self,
        credential: Credential,
        ims_url: str,
        rules: CallRules,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed to mint; nothing is requested yet.

        Args:
            credential: Whom to mint for.
            ims_url: Base URL of IMS.
            rules: How minting is retried; its redactor learns each token.
            clock: Seconds that only go forward.
        """
        self._credential = credential
        self._url = ims_url.rstrip("/").removesuffix("/ims/token/v3") + "/ims/token/v3"
        self._rules = rules
        self._patient = dataclasses.replace(
            rules, policy=dataclasses.replace(rules.policy, tries=_PATIENCE * rules.policy.tries)
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    def token(self) -> str:
        """A token that is good for a while yet.

        Raises:
            PlatformError: IMS refuses the credential, or can't be reached.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                self._token, self._renew_at = self._patient.retry(
                    self._mint_unless_throttled, "the IMS token"
                )
            return self._token

    def discard(self, token: str) -> None:
        """Forget a token that the platform refused, unless it was renewed meanwhile."""
        with self._lock:
            if self._token == token:
                self._token = None

    def _mint_unless_throttled(self) -> tuple[str, float]:
        try:
            return self._rules.retry(self._mint, "the IMS token")
        except _ThrottledError as error:
            raise RetriableError(str(error), retry_after=error.retry_after) from error

    def _mint(self) -> tuple[str, float]:
        asked_at = self._clock()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credential.client_id,
            "client_secret": self._credential.client_secret,
            "scope": ",".join(part.strip() for part in self._credential.scopes.split(",")),
        }
        try:
            response = requests.post(
                self._url,
                data=form,
                auth=Bearer(),
                timeout=self._rules.timeouts.call,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise RetriableError(
                f"IMS at {self._url} can't be reached ({type(error).__name__}), check ims_url and "
                "the network"
            ) from error
        if response.status_code != requests.codes.ok:
            raise self._refusal(response)
        token, lifetime = self._read_answer(response)
        self._rules.redact.learn(token)
        margin = min(_LONGEST_MARGIN, lifetime / 10)
        return token, asked_at + lifetime - margin

    def _read_answer(self, response: requests.Response) -> tuple[str, float]:
        """The token and its lifetime in seconds."""
        try:
            answer = response.json()
            token, lifetime = answer["access_token"], float(answer["expires_in"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            token, lifetime = None, 0.0
        if not isinstance(token, str) or not token.strip() or not math.isfinite(lifetime):
            raise PlatformError(
                f"IMS at {self._url} answered without an access token: check ims_url"
            )
        return token, lifetime

    def _refusal(self, response: requests.Response) -> Exception:
        status = response.status_code
        if status == requests.codes.too_many_requests:
            return _ThrottledError(retry_after(response))
        if status >= requests.codes.server_error:
            return RetriableError(f"IMS answered {status}", retry_after=retry_after(response))
        error, description = _words_of(response)
        said = self._rules.redact.quote(f"{error} {description}")
        return PlatformError(
            f"IMS refused the credential ({status} {said}): {_hint(status, error, description)}",
            status=status,
        )


def _words_of(response: requests.Response) -> tuple[str, str]:
    """IMS's error code and its description."""
    try:
        answer = response.json()
        error = str(answer.get("error") or answer.get("error_code") or "")
        return error, str(answer.get("error_description") or answer.get("message") or "")
    except (ValueError, AttributeError):
        return "without a reason", ""


def _hint(status: int, error: str, description: str) -> str:
    """What to do about a refusal.

    The codes are those of OAuth (RFC 6749, section 5.2); what the description says differs, so
    that only its nouns are looked for.
    """
    said = f"{error} {description}".lower()
    for words, hint in _HINTS:
        if any(word in said for word in words):
            return hint
    if status in _NOT_IMS:
        return "check ims_url: what answers there does not give tokens"
    return "check client_id and client_secret"
