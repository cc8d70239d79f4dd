"""Refusals in the error shapes of IMS, the gateway and the platform services."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

GATEWAY_MESSAGES = {
    "400003": "Missing header",
    "401013": "Oauth token is not valid",
    "403000": "Api Key is required",
    "403003": "Api Key is invalid",
    "403010": "Oauth token is missing.",
    "403025": "Profile is not valid",
    "403027": "User region is missing",
    "429050": "Too many requests",
}
"""AdobeDocs/experience-platform.en `help/landing/troubleshooting.md`; 429: ServiceNow KB3006995."""


class ApiError(Exception):
    """A refusal that is answered to the client as it is."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The refusal as an HTTP answer."""
        return Response(
            b"" if self.body is None else json.dumps(self.body),
            status=self.status,
            headers=self.headers,
            content_type="application/json",
        )


def gateway_error(code: str, *, retry_after: int | None = None) -> ApiError:
    """The API gateway's shape; the HTTP status is the code's first three digits.

    Args:
        code: One of `GATEWAY_MESSAGES`.
        retry_after: Seconds for a `Retry-After` header.
    """
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = {"error_code": code, "message": GATEWAY_MESSAGES[code]}
    return ApiError(int(code[:3]), body, headers)


def ims_error(status: int, error: str, description: str) -> ApiError:
    """The OAuth shape of Adobe's identity service."""
    return ApiError(status, {"error": error, "error_description": description})


def problem(status: int, title: str, detail: str, **extra: Any) -> ApiError:
    """The problem-details shape of the platform services."""
    body = {
        "type": f"http://ns.adobe.com/aep/errors/{status}",
        "status": status,
        "title": title,
        "detail": detail,
        **extra,
    }
    return ApiError(status, body)


def registry_error(code: str, title: str, detail: str) -> ApiError:
    """The Schema Registry's shape; the HTTP status is the last part of the code.

    The documented codes: AdobeDocs/experience-platform.en `help/xdm/troubleshooting-guide.md` and
    the Schema Registry's OpenAPI file; a refusal whose code nobody documents has `EMULATOR-…`.

    Args:
        code: Such as `XDM-1012-404`.
        title: Short text.
        detail: Long text, repeated inside the report as the registry does.
    """
    status = int(code.rpartition("-")[2])
    report = {
        "registryRequestId": str(uuid.uuid4()),
        "timestamp": time.strftime("%m-%d-%Y %H:%M:%S", time.gmtime()),
        "detailed-message": detail,
        "sub-errors": [],
    }
    body = {
        "type": f"http://ns.adobe.com/aep/errors/{code}",
        "title": title,
        "status": status,
        "report": report,
        "detail": detail,
    }
    return ApiError(status, body)


def permission_error(path: str) -> ApiError:
    """What a service answers to a caller whose role doesn't allow the call.

    The shapes are the services' own; batch ingestion documents no error body at all.
    """
    detail = "The caller's role does not have the permission that this call needs."
    if path.startswith("/data/foundation/import"):
        return ApiError(403, None)
    if path.startswith("/data/foundation/flowservice"):
        return ApiError(403, {"errorMessage": detail})
    if path.startswith("/data/foundation/schemaregistry"):
        return registry_error("EMULATOR-XDM-403", "Forbidden", detail)
    if path.startswith("/data/core"):
        return _identity_error(detail)
    return problem(403, "Forbidden", detail)


def _identity_error(detail: str) -> ApiError:
    body = {
        "type": "https://ns.adobe.com/aep/errors/UIS-4064-403",
        "status": 403,
        "title": "Insufficient permissions",
        "detail": detail,
        "report": {"tenantInfo": {}, "additionalContext": None, "errorChain": []},
    }
    return ApiError(403, body)
