"""Access tokens: Adobe's identity service (IMS), client-credentials grant only.

Source: AdobeDocs/adobe-dev-console, `src/pages/guides/authentication/ServerToServerAuthentication/
ims.md`.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from typing import TYPE_CHECKING

from emulators.aep.errors import ims_error
from emulators.aep.rate import SlidingCounter
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug.wrappers import Request, Response

    from emulators.aep.config import Credential, Limits

TOKEN_PATH = "/ims/token/v3"  # noqa: S105 - a path


class TokenService:
    """Mints opaque tokens and knows which of them are still good."""

    def __init__(
        self, credentials: Iterable[Credential], limits: Limits, now: Callable[[], float]
    ) -> None:
        self.credentials = {credential.client_id: credential for credential in credentials}
        self.mints = 0
        self._limits = limits
        self._now = now
        self._expiry: dict[str, float] = {}
        self._counter = SlidingCounter(limits.tokens_per_minute, now)
        self._lock = threading.Lock()

    def is_valid(self, token: str) -> bool:
        """Whether the token was minted here, has not expired and was not revoked."""
        with self._lock:
            return self._expiry.get(token, 0.0) > self._now()

    def revoke_all(self) -> None:
        """Make every token minted so far invalid."""
        with self._lock:
            self._expiry.clear()

    def token_response(self, request: Request) -> Response:
        """Answer `POST /ims/token/v3`.

        Raises:
            ApiError: For a wrong method, grant, client, secret or scope, or too many mints.
        """
        if request.method != "POST":
            raise ims_error(405, "invalid_request", "only POST is supported")
        if request.mimetype != "application/x-www-form-urlencoded" and not request.args:
            raise ims_error(400, "invalid_request", "the body must be a URL-encoded form")
        fields = request.values
        if fields.get("grant_type") != "client_credentials":
            raise ims_error(400, "unsupported_grant_type", "unsupported grant_type parameter")
        self._check_client(fields.get("client_id"), fields.get("client_secret"))
        self._check_scope(fields["client_id"], fields.get("scope", ""))
        if not self._counter.admit():
            raise ims_error(429, "too_many_requests", "the client asks for tokens too often")
        return json_response(
            {
                "access_token": self._mint(),
                "token_type": "bearer",
                "expires_in": self._limits.token_seconds,
            }
        )

    def _check_client(self, client_id: str | None, secret: str | None) -> None:
        credential = self.credentials.get(client_id or "")
        if credential is None or not credential.is_enabled:
            raise ims_error(400, "invalid_client", "invalid client_id parameter")
        given = (secret or "").encode()
        if not any(hmac.compare_digest(given, good.encode()) for good in credential.client_secrets):
            raise ims_error(401, "invalid_client", "invalid client_secret parameter")

    def _check_scope(self, client_id: str, scope: str) -> None:
        asked = {part for part in scope.replace(" ", ",").split(",") if part}
        if not asked or asked - self.credentials[client_id].scopes:
            raise ims_error(400, "invalid_scope", "invalid scope parameter")

    def _mint(self) -> str:
        token = secrets.token_urlsafe(48)
        with self._lock:
            self.mints += 1
            self._expiry[token] = self._now() + self._limits.token_seconds
        return token
