"""Identity namespaces of the organisation.

static/swagger-specs/identity-service.yaml in AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.answers import odd_answer
from target_aep.api.creation import create_once
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import requests

    from target_aep.api.client import PlatformClient

NAMESPACES: t.Final = "/data/core/idnamespace/identities"

_BAD_REQUEST = 400


@dataclass(frozen=True)
class Namespace:
    """A namespace.

    Attributes:
        code: Its symbol, unique in the organisation; what identityMap has as key.
        id_type: `COOKIE`, `CROSS_DEVICE`, `DEVICE`, `EMAIL`, `MOBILE`, `NON_PEOPLE` or `PHONE`.
        name: For people.
        custom: Whether it is the organisation's own.
        id: Its number, which descriptors may name it by; None where that is not known.
    """

    code: str
    id_type: str
    name: str
    custom: bool = True
    id: int | None = None


def list_namespaces(client: PlatformClient) -> list[Namespace]:
    """All namespaces, Adobe's and the organisation's.

    Raises:
        PlatformError: The platform refused, or answered with something else.
    """
    found = client.get_json(NAMESPACES)
    if not isinstance(found, list):
        raise odd_answer(f"GET {NAMESPACES}", "a list of namespaces")
    return [_namespace(each) for each in found if isinstance(each, dict) and each.get("code")]


def code_in(descriptor: Mapping[str, t.Any], known: Iterable[Namespace]) -> str:
    """The code of the namespace that an identity descriptor names, by its code or its number.

    Args:
        descriptor: The descriptor; with `xdm:property: xdm:id` it has the number.
        known: All namespaces.

    Returns:
        The code; what the descriptor says where no known namespace has the number.
    """
    said = str(descriptor.get("xdm:namespace"))
    if descriptor.get("xdm:property") != "xdm:id":
        return said
    return next((each.code for each in known if str(each.id) == said), said)


def create_namespace(client: PlatformClient, new: Namespace, description: str) -> Namespace:
    """Make a namespace; it can't be deleted, and its code can't be changed.

    Raises:
        PlatformError: The platform refused.
    """
    try:
        return _create(client, new, description, _title_case(new.id_type))
    except PlatformError as error:
        # The OpenAPI file spells types `Cross_device`; the service's own error `CROSS_DEVICE`.
        if error.status != _BAD_REQUEST:
            raise
    return _create(client, new, description, new.id_type)


def _create(client: PlatformClient, new: Namespace, description: str, id_type: str) -> Namespace:
    def find() -> Namespace | None:
        return next((each for each in list_namespaces(client) if each.code == new.code), None)

    def read(response: requests.Response) -> Namespace | None:
        document = response.json()
        return _namespace(document) if document.get("code") == new.code else None

    return create_once(
        client,
        NAMESPACES,
        {"name": new.name, "code": new.code, "idType": id_type, "description": description},
        read=read,
        find=find,
        what=f"creating the identity namespace {new.code}",
    ).thing


def _namespace(document: Mapping[str, t.Any]) -> Namespace:
    return Namespace(
        code=str(document["code"]),
        id_type=str(document.get("idType", "")).upper(),
        name=str(document.get("name", document["code"])),
        custom=bool(document.get("custom", True)),
        id=number if isinstance(number := document.get("id"), int) else None,
    )


def _title_case(id_type: str) -> str:
    return id_type.capitalize()
