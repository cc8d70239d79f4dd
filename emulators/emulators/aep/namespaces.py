"""Identity namespaces (`/data/core/idnamespace`): Adobe's standard ones, and an organisation's own.

Source: AdobeDocs/experience-platform-apis `static/swagger-specs/identity-service.yaml` and
AdobeDocs/experience-platform.en `help/identity-service/features/namespaces.md`. The document spells
`idType` in several ways, so any case is taken.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

from emulators.aep import params
from emulators.aep.errors import ApiError
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

PREFIX = "/data/core/idnamespace"

ID_TYPES = ("COOKIE", "CROSS_DEVICE", "DEVICE", "EMAIL", "MOBILE", "NON_PEOPLE", "PHONE")

_STANDARD = (
    (0, "CORE", "CORE", "COOKIE"),
    (4, "ECID", "ECID", "COOKIE"),
    (6, "Email", "Email", "EMAIL"),
    (7, "Phone", "Phone", "PHONE"),
    (8, "WAID", "Windows AID", "DEVICE"),
    (9, "TNTID", "TNTID", "COOKIE"),
    (10, "AAID", "Adobe Analytics (Legacy ID)", "COOKIE"),
    (11, "Email_LC_SHA256", "Emails (SHA256, lowercased)", "EMAIL"),
    (15, "Phone_SHA256", "Phone (SHA256)", "PHONE"),
    (411, "AdCloud", "AdCloud", "COOKIE"),
    (20914, "GAID", "Google Ad ID (GAID)", "DEVICE"),
    (20915, "IDFA", "Apple IDFA (ID for Advertisers)", "DEVICE"),
)
_STANDARD_CREATED = 1_551_688_425_455
_FIRST_CUSTOM = 10_000_001
_CODE = re.compile(r"[A-Za-z0-9]+")
_TITLE = "Namespace validation"


class NamespaceApi:
    """The endpoints; each method answers one."""

    def __init__(self, lake: Lake, org: str, now: Callable[[], float]) -> None:
        self._lake = lake
        self._org = org
        self._now = now

    def rules(self) -> list[Rule]:
        """The URL rules of this service."""
        identities = f"{PREFIX}/identities"
        one = f"{identities}/<int:number>"
        return [
            Rule(identities, methods=["GET"], endpoint=self.list_namespaces),
            Rule(identities, methods=["POST"], endpoint=self.create),
            Rule(one, methods=["GET"], endpoint=self.read),
            Rule(one, methods=["PUT"], endpoint=self.update),
        ]

    def list_namespaces(self, request: Request, caller: Caller) -> Response:
        """`GET /identities`: an array of all, standard ones first."""
        del request
        return json_response(known_namespaces(self._lake, caller.sandbox))

    def create(self, request: Request, caller: Caller) -> Response:
        """`POST /identities`; 409 for a code that is taken, in whatever case."""
        body = _checked(params.json_body(request))
        with self._lake.lock:
            known = known_namespaces(self._lake, caller.sandbox)
            if any(other["code"].lower() == body["code"].lower() for other in known):
                raise _refusal(
                    409,
                    "NAMESPACE_CODE_CONFLICT",
                    "Namespace code already exists. Please use a different code",
                    "INTEGRATION_CODE_EXISTS",
                )
            numbers = [space["id"] for space in known if space["custom"]]
            number = max(numbers, default=_FIRST_CUSTOM - 1) + 1
            now = self._milliseconds()
            document = {
                "updateTime": now,
                "code": body["code"],
                "status": "ACTIVE",
                "createTime": now,
                "description": body.get("description", ""),
                "idType": body["idType"].upper(),
                "name": body["name"],
                "id": number,
                "custom": True,
            }
            self._lake.namespaces.put(caller.sandbox, str(number), document)
        return json_response(document)

    def read(self, request: Request, caller: Caller, number: int) -> Response:
        """`GET /identities/{id}`."""
        del request
        return json_response(self._known(number, caller))

    def update(self, request: Request, caller: Caller, number: int) -> Response:
        """`PUT /identities/{id}`: name and description may change; answered as an array."""
        old = self._known(number, caller)
        body = _checked(params.json_body(request))
        is_fixed = body["code"] != old["code"] or body["idType"].upper() != old["idType"]
        if is_fixed or not old["custom"]:
            raise _refusal(
                400,
                "Namespace Validation",
                "code and idType are non editable fields, standard namespaces as a whole",
                "INVALID_REQUEST_PARAMS",
            )
        document = {
            **old,
            "name": body["name"],
            "description": body.get("description", old["description"]),
            "updateTime": self._milliseconds(),
        }
        with self._lake.lock:
            self._lake.namespaces.put(caller.sandbox, str(number), document)
        return json_response([document])

    def _known(self, number: int, caller: Caller) -> JsonObject:
        for namespace in known_namespaces(self._lake, caller.sandbox):
            if namespace["id"] == number:
                return namespace
        raise _refusal(
            404,
            _TITLE,
            f"Namespace id not found for given IMS Org {self._org}",
            "NAMESPACE_NOT_FOUND",
        )

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)


def known_namespaces(lake: Lake, sandbox: str) -> list[JsonObject]:
    """The standard namespaces and those of the sandbox, as the service shows them."""
    standard: list[JsonObject] = [
        {
            "updateTime": _STANDARD_CREATED,
            "code": code,
            "status": "ACTIVE",
            "createTime": _STANDARD_CREATED,
            "description": f"Adobe's namespace {name}",
            "idType": kind,
            "name": name,
            "id": number,
            "custom": False,
        }
        for number, code, name, kind in _STANDARD
    ]
    return [*standard, *lake.namespaces.all_of(sandbox)]


def _checked(body: JsonObject) -> JsonObject:
    for key in ("name", "code", "idType"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            raise _invalid(f"Please provide a valid value of {key}")
    if not _CODE.fullmatch(body["code"]):
        raise _invalid("Please provide a valid value of code: letters and digits only")
    if body["idType"].upper() not in ID_TYPES:
        raise _invalid(
            f"Please provide a valid value of idType. Valid values are: [{', '.join(ID_TYPES)}]"
        )
    return body


def _invalid(description: str) -> ApiError:
    return _refusal(400, _TITLE, description, "INVALID_REQUEST_PARAMS")


def _refusal(status: int, title: str, description: str, code: str) -> ApiError:
    body: dict[str, Any] = {
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "type": "http://ns.adobe.com/adobecloud/problem/namespacevalidation",
        "status": status,
        "title": title,
        "description": description,
        "report": {"code": code},
    }
    return ApiError(status, body)
