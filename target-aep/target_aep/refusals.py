"""Refusals of Experience Platform in words: what it said, and what to do about it."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    import requests

_GATEWAY_HINTS: t.Final[dict[str, str]] = {
    # help/landing/troubleshooting.md in AdobeDocs/experience-platform.en
    "403000": "the API key is missing: check client_id",
    "403003": "the API key is not valid: check client_id, and that the API is added to its project",
    "400003": "the organisation is missing: check org_id",
    "403025": "no access: give the credential a product profile and a role for the sandbox",
    "403027": "the organisation does not fit the credential: check org_id and its product profile",
    "403010": "the access token is missing",
    "401013": "the access token is not valid: check client_id, client_secret and ims_url",
}
_STATUS_HINTS: t.Final[dict[int, str]] = {
    401: "check client_id, client_secret and scopes",
    403: "check sandbox_name, and that the credential has a product profile and a role for it",
    404: "check platform_url and the ids in the settings",
}


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


def hint_for(status: int, said: str) -> str:
    """What to do, in brackets; empty where there is nothing to advise."""
    for code, hint in _GATEWAY_HINTS.items():
        if code in said:
            return f" ({hint})"
    return f" ({_STATUS_HINTS[status]})" if status in _STATUS_HINTS else ""
