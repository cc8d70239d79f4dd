"""Refusals of Experience Platform in words: what it said, and what to do about it."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    import requests

Topic = t.Literal["authorization", "api key", "organisation", "product profile", "sandbox"]
"""What all calls of a credential are refused for, whichever service they are for."""


class _Refusal(t.NamedTuple):
    about: Topic
    hint: str


_NO_PROFILE: t.Final = "403025"
_GATEWAY: t.Final[dict[str, _Refusal]] = {
    # help/landing/troubleshooting.md and help/landing/api-authentication.md in
    # AdobeDocs/experience-platform.en
    "403010": _Refusal(
        "authorization",
        "the access token is missing: see that no proxy takes the Authorization header away",
    ),
    "401013": _Refusal(
        "authorization",
        "the access token is not valid: check that ims_url and platform_url belong together, "
        "client_id and client_secret",
    ),
    "403000": _Refusal("api key", "the API key is missing: set client_id"),
    "403003": _Refusal(
        "api key",
        "the API key is not valid: check client_id, and that its project in the Developer Console "
        "has the Experience Platform API",
    ),
    "400003": _Refusal(
        "organisation", "the organisation is missing: set org_id, as the Developer Console shows it"
    ),
    "403027": _Refusal(
        "organisation",
        "the organisation does not fit the credential: check org_id, and that the credential has "
        "a product profile of Experience Platform (Developer Console)",
    ),
    _NO_PROFILE: _Refusal(
        "product profile",
        "no access: give the credential a product profile of Experience Platform (Developer "
        "Console or Admin Console) and a role for the sandbox (Permissions)",
    ),
}
_SANDBOX = _Refusal(
    "sandbox",
    "there is no such sandbox, or no access to it: check sandbox_name, and give the credential a "
    "role for it (Permissions)",
)
_STATUS_HINTS: t.Final[dict[int, str]] = {
    401: "check client_id, client_secret and scopes",
    403: "check sandbox_name, and that the credential has a product profile and a role for it",
    404: "check platform_url and the ids in the settings",
    413: "the file is too large for it, or for a proxy between: lower file_max_bytes",
}
_PERMISSIONS: t.Final[tuple[tuple[str, str, str, str], ...]] = (
    # help/access-control/home.md in AdobeDocs/experience-platform.en
    ("/data/foundation/schemaregistry", "View Schemas", "Manage Schemas", "Data Modeling"),
    ("/data/foundation/import", "Manage Datasets", "Manage Datasets", "Data Management"),
    ("/data/foundation/export", "View Datasets", "View Datasets", "Data Management"),
    ("/data/foundation/catalog", "View Datasets", "Manage Datasets", "Data Management"),
    (
        "/data/core/idnamespace",
        "View Identity Namespaces",
        "Manage Identity Namespaces",
        "Identity Management",
    ),
)
"""What a role has to have for calls below a path: to read, to write; where Permissions has it."""
_UNAUTHORIZED = 401
_FORBIDDEN = 403


def words_of(response: requests.Response) -> str:
    """What the service says, in any of its error shapes."""
    try:
        answer = response.json()
    except ValueError:
        return response.text
    if not isinstance(answer, dict):
        return response.text
    report = answer.get("report")
    parts = [
        answer.get("error_code"),
        answer.get("message") or answer.get("errorMessage") or answer.get("title"),
        answer.get("detail"),
        report.get("message") if isinstance(report, dict) else None,
    ]
    return " ".join(str(part) for part in parts if part) or response.text


def about(status: int, said: str) -> Topic | None:
    """What was refused, if it is not the call itself.

    Args:
        status: The HTTP status.
        said: The words of the service.
    """
    refusal = _refusal(status, said)
    if refusal is None:
        return "authorization" if status == _UNAUTHORIZED else None
    return refusal.about


def hint_for(status: int, said: str, call: str) -> str:
    """What to do, in brackets; empty where there is nothing to advise.

    Args:
        status: The HTTP status.
        said: The words of the service.
        call: Method and path.
    """
    refusal = _refusal(status, said)
    permission = _permission_for(call) if status == _FORBIDDEN else None
    if refusal:
        hint: str | None = refusal.hint
    elif permission:
        hint = (
            f"in Permissions, give the credential a role for the sandbox with {permission}; check "
            "sandbox_name and its product profile, too"
        )
    else:
        hint = _STATUS_HINTS.get(status)
    return f" ({hint})" if hint else ""


def _permission_for(call: str) -> str | None:
    """What a role needs for a call, as Permissions spells it; None if that is not known."""
    method, _, path = call.partition(" ")
    for prefix, reading, writing, category in _PERMISSIONS:
        if path.startswith(prefix):
            return f"{reading if method == 'GET' else writing} ({category})"
    return None


def _refusal(status: int, said: str) -> _Refusal | None:
    by_code = next((refusal for code, refusal in _GATEWAY.items() if code in said), None)
    if by_code is None and "product context" in said.lower():
        # static/swagger-specs/identity-service.yaml in AdobeDocs/experience-platform-apis, a 401
        return _GATEWAY[_NO_PROFILE]
    # No document tells the words or the code of a refused sandbox.
    is_sandbox = status == _FORBIDDEN and "sandbox" in said.lower()
    return by_code or (_SANDBOX if is_sandbox else None)
