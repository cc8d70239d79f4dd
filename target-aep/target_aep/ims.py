"""Access tokens of Adobe's identity service (IMS), OAuth server-to-server.

`POST {ims}/ims/token/v3` with the client credentials in the form body, as the Developer Console
guide asks (AdobeDocs/adobe-dev-console, src/pages/guides/authentication/
ServerToServerAuthentication/ims.md); `expires_in` is in seconds, there is no refresh token.
"""

from __future__ import annotations

import threading
import time
import typing as t
from dataclasses import dataclass

import requests

from target_aep.errors import PlatformError
from target_aep.retrying import RetriableError, RetryPolicy, retry_after

if t.TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_SCOPES: t.Final = (
    "openid,AdobeID,read_organizations,additional_info.projectedProductContext,session"
)
"""What Adobe's own streaming sink asks for (experience-platform-streaming-connect)."""

_LONGEST_MARGIN = 300.0
_TIMEOUT = (30, 60)


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
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed to mint; nothing is requested yet.

        Args:
            credential: Whom to mint for.
            ims_url: Base URL of IMS.
            policy: How minting is retried.
            clock: Seconds that only go forward.
        """
        self._credential = credential
        self._url = ims_url.rstrip("/").removesuffix("/ims/token/v3") + "/ims/token/v3"
        self._policy = policy
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
                self._token, self._renew_at = self._policy.run(self._mint, "the IMS token")
            return self._token

    def discard(self, token: str) -> None:
        """Forget a token that the platform refused, unless it was renewed meanwhile."""
        with self._lock:
            if self._token == token:
                self._token = None

    def _mint(self) -> tuple[str, float]:
        asked_at = self._clock()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credential.client_id,
            "client_secret": self._credential.client_secret,
            "scope": ",".join(part.strip() for part in self._credential.scopes.split(",")),
        }
        try:
            response = requests.post(self._url, data=form, timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise RetriableError(f"IMS at {self._url}: {type(error).__name__}") from error
        if response.status_code != requests.codes.ok:
            raise self._refusal(response)
        try:
            answer = response.json()
            token, lifetime = str(answer["access_token"]), float(answer["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise PlatformError(
                f"IMS at {self._url} answered without an access token: check ims_url"
            ) from error
        margin = min(_LONGEST_MARGIN, lifetime / 10)
        return token, asked_at + lifetime - margin

    def _refusal(self, response: requests.Response) -> Exception:
        status = response.status_code
        if status == requests.codes.too_many_requests or status >= requests.codes.server_error:
            return RetriableError(f"IMS answered {status}", retry_after=retry_after(response))
        said = _words_of(response)
        hint = "check client_id and client_secret"
        if "scope" in said:
            hint = "check scopes: the Developer Console lists those of the credential"
        return PlatformError(f"IMS refused the credential ({status} {said}): {hint}", status=status)


def _words_of(response: requests.Response) -> str:
    """IMS's error code, without anything of the request in it."""
    try:
        answer = response.json()
        return str(answer.get("error") or answer.get("error_code") or "")[:200]
    except (ValueError, AttributeError):
        return "without a reason"
