"""The token, the headers, the sandbox, and the permissions call by call."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from target_aep.errors import PlatformError
from target_aep.sandbox_check.findings import Finding, enumerated
from target_aep.sandbox_check.services import SERVICES, Service

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.api.client import PlatformClient
    from target_aep.api.ims import TokenSource

_SANDBOXES: t.Final = "/data/foundation/sandbox-management/"
"""The sandboxes that the caller may use: static/swagger-specs/sandbox.yaml in
AdobeDocs/experience-platform-apis."""

_HEADERS: t.Final = {
    "authorization": "the gateway takes the token",
    "api key": "client_id is known to the gateway",
    "organisation": "org_id fits the credential",
}

_Refusals = dict[Service, PlatformError | None]


class Access:
    """What the credential may do, found out by calls that change nothing.

    Attributes:
        problem: Why there is no use in any further call, None if there is; known after `findings`.
    """

    def __init__(self, client: PlatformClient, tokens: TokenSource, sandbox_name: str) -> None:
        """Keep what calls are made with; nothing is requested yet."""
        self.problem: str | None = None
        self._client = client
        self._tokens = tokens
        self._sandbox = sandbox_name
        self._refusals: _Refusals = {}

    def lacks(self, *services: Service) -> str | None:
        """Why calls of a service are of no use, None if they are."""
        refused = [each.name for each in services if self._refusals.get(each)]
        return f"there is no access to {enumerated(refused)}" if refused else None

    def findings(self) -> Iterator[Finding]:
        """Look, and tell."""
        try:
            self._tokens.token()
        except PlatformError as error:
            self.problem = "there is no token"
            yield Finding("fail", "token", str(error))
            yield from _skipped((*_HEADERS, "sandbox", "permission"), self.problem)
            return
        yield Finding("ok", "token", "IMS gives one for the credential and its scopes")
        self._refusals = self._ask_services()
        shared = self._shared_refusal()
        yield from self._headers(shared)
        yield from self._permissions()

    def _ask_services(self) -> _Refusals:
        refusals: _Refusals = {}
        for service in SERVICES:
            refusal = refusals[service] = service.refusal(self._client)
            if refusal and len(refusals) == 1 and _says_enough(refusal):
                break
        return refusals

    @property
    def _told(self) -> list[PlatformError | None]:
        """The answers to calls about what there is: a wrong address knows nothing too."""
        return [refusal for service, refusal in self._refusals.items() if not service.finds_nothing]

    def _shared_refusal(self) -> PlatformError | None:
        """The refusal of every call, whatever for; None if they differ or some were let in."""
        refused = [refusal for refusal in self._told if refusal]
        if not refused or len(refused) < len(self._told):
            return None
        kinds = {(refusal.about, refusal.status) for refusal in refused}
        return None if len(kinds) > 1 or _is_about_the_call(refused[0]) else refused[0]

    def _headers(self, shared: PlatformError | None) -> Iterator[Finding]:
        topic = (shared.about or "gateway") if shared else None
        if shared and topic:
            self.problem = f"every call is refused ({topic})"
        if shared and topic == "gateway":
            yield Finding("fail", topic, f"{shared}; check platform_url and the network")
        if shared and topic == "product profile":
            yield Finding("fail", topic, str(shared))
        # Sandbox and permissions are up to the services, behind the gateway.
        is_let_in = topic == "sandbox" or any(
            refusal is None or _is_about_the_call(refusal) for refusal in self._told
        )
        for header, text in _HEADERS.items():
            if shared and header == topic:
                yield Finding("fail", header, str(shared))
            elif is_let_in:
                yield Finding("ok", header, text)
            else:
                yield Finding("skip", header, f"because {self.problem or 'no call was let in'}")
        yield self._sandbox_finding(shared)

    def _sandbox_finding(self, shared: PlatformError | None) -> Finding:
        if shared and shared.about == "sandbox":
            return Finding("fail", "sandbox", self._about_sandbox(shared))
        if shared:
            return Finding("skip", "sandbox", f"because {self.problem}")
        if all(self._told):
            return Finding("skip", "sandbox", "because no call tells whether it is there")
        return Finding("ok", "sandbox", f"{self._sandbox} is there")

    def _about_sandbox(self, refusal: PlatformError) -> str:
        listed = self._listed_sandboxes()
        if listed is None or self._sandbox in listed:
            return str(refusal)
        return _not_among(self._sandbox, listed)

    def _listed_sandboxes(self) -> list[str] | None:
        """The sandboxes that the credential may use; None if that can't be learned."""
        try:
            answer = self._client.get_json_once(_SANDBOXES, params={"limit": "100"})
        except Exception:  # noqa: BLE001 - only to say more; that a call was refused is told anyway
            return None
        listed = answer.get("sandboxes") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            return None
        return [str(each["name"]) for each in listed if isinstance(each, dict) and "name" in each]

    def _permissions(self) -> Iterator[Finding]:
        if self.problem:
            yield from _skipped(("permission",), self.problem)
            return
        for service, refusal in self._refusals.items():
            if refusal is None:
                remark = f"; {service.remark}" if service.remark else ""
                yield Finding("ok", "permission", f"{service.name}{remark}")
            elif not service.is_needed:
                text = f"{service.name}: {refusal}. Runs do without, `provision` and this check not"
                yield Finding("warn", "permission", text)
            elif refusal.status is None and service.finds_nothing:
                yield Finding("warn", "permission", f"{service.name} can't be told: {refusal}")
            else:
                yield Finding("fail", "permission", f"{service.name}: {refusal}")


def _says_enough(refusal: PlatformError) -> bool:
    """Whether the other calls can be left: each would take several tries, or mint a token."""
    return refusal.status is None or refusal.about == "authorization"


def _is_about_the_call(refusal: PlatformError) -> bool:
    return refusal.status == HTTPStatus.FORBIDDEN and refusal.about is None


def _not_among(name: str, listed: list[str]) -> str:
    names = enumerated(sorted(listed)) or "none"
    return (
        f"{name} is not among the sandboxes that the credential may use ({names}): set "
        "sandbox_name to one of them, or give it a role for this one (Permissions)"
    )


def _skipped(topics: tuple[str, ...], problem: str) -> Iterator[Finding]:
    for topic in topics:
        yield Finding("skip", topic, f"because {problem}")
