"""The API gateway before every platform service: the required headers.

Source: AdobeDocs/experience-platform.en `help/landing/troubleshooting.md`. A missing sandbox header
is refused, as the OpenAPI documents mark it required (Adobe's Kafka sink calls it optional).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.aep.errors import gateway_error, permission_error, problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.wrappers import Request

    from emulators.aep.ims import TokenService

PLATFORM_PREFIX = "/data/"


@dataclass(frozen=True)
class Caller:
    """Who calls, after the gateway let them in."""

    client_id: str
    sandbox: str


class Gateway:
    """Checks the headers of platform calls."""

    def __init__(self, tokens: TokenService, org: str, sandboxes: Collection[str]) -> None:
        self._tokens = tokens
        self._org = org
        self._sandboxes = sandboxes

    def admit(self, request: Request) -> Caller:
        """Let a request in.

        Raises:
            ApiError: In the gateway's shape when a header is missing or wrong, in the service's
                when the credential may not make this call.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not token:
            raise gateway_error("403010")
        if scheme.lower() != "bearer" or not self._tokens.is_valid(token.strip()):
            raise gateway_error("401013")
        client_id = self._api_key(request)
        self._check_org(request)
        credential = self._tokens.credentials[client_id]
        if not credential.has_product_profile:
            raise gateway_error("403025")
        caller = Caller(client_id, self._sandbox(request))
        if any(_covers(rule, request) for rule in credential.denied):
            raise permission_error(request.path)
        return caller

    def _api_key(self, request: Request) -> str:
        key = request.headers.get("x-api-key", "")
        if not key:
            raise gateway_error("403000")
        if key not in self._tokens.credentials:
            raise gateway_error("403003")
        return key

    def _check_org(self, request: Request) -> None:
        org = request.headers.get("x-gw-ims-org-id", "")
        if not org:
            raise gateway_error("400003")
        if org != self._org:
            raise gateway_error("403027")

    def _sandbox(self, request: Request) -> str:
        sandbox = request.headers.get("x-sandbox-name", "")
        if not sandbox:
            raise gateway_error("400003")
        if sandbox not in self._sandboxes:
            raise problem(
                403,
                "Forbidden",
                f"The sandbox {sandbox!r} does not exist or the caller has no access to it.",
            )
        return sandbox


def _covers(rule: str, request: Request) -> bool:
    """Whether a rule of `Credential.denied` is about this request."""
    method, _, path = rule.rpartition(" ")
    return method in ("", request.method) and request.path.startswith(path)
