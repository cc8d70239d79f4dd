"""The Schema Registry: what is in it, and changes of the tenant's own resources.

static/swagger-specs/schema-registry.yaml in AdobeDocs/experience-platform-apis; the `Accept`
headers: help/xdm/api/getting-started.md in AdobeDocs/experience-platform.en.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from target_aep.api.answers import odd_answer
from target_aep.api.client import SCHEMA_REGISTRY
from target_aep.api.creation import create_once, json_body
from target_aep.api.resource_shapes import checked_resource
from target_aep.errors import PlatformError, SchemaError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests

    from target_aep.api.client import PlatformClient
    from target_aep.api.creation import Made

Kind = t.Literal["classes", "fieldgroups", "schemas"]
Container = t.Literal["global", "tenant"]
Form = t.Literal["xed", "xed-full"]
Resource = dict[str, t.Any]

EXPERIENCE_EVENT: t.Final = "https://ns.adobe.com/xdm/context/experienceevent"
UNION: t.Final = "union"
IDENTITY: t.Final = "xdm:descriptorIdentity"
TAGS: t.Final = "meta:immutableTags"

_LIST = "application/vnd.adobe.xed-id+json"
_DESCRIPTORS = "application/vnd.adobe.xdm+json"
_PAGE = 300
# `property` is a comma-separated list of filters (the OpenAPI file); no escape is documented.
_FILTERABLE = re.compile(r"[\w .'-]+")
_NOT_FOUND = 404


class SchemaRegistry:
    """Reads resources of a sandbox, and makes and changes the tenant's."""

    def __init__(self, client: PlatformClient) -> None:
        """Keep the client; nothing is requested yet."""
        self._client = client

    def tenant(self) -> str:
        """The tenant's id, without underscore.

        Raises:
            PlatformError: The platform refused.
            SchemaError: The registry does not tell it.
        """
        stats = self._client.get_json(f"{SCHEMA_REGISTRY}/stats")
        tenant = stats.get("tenantId") if isinstance(stats, dict) else None
        if not isinstance(tenant, str) or not tenant:
            raise SchemaError("the Schema Registry does not tell the tenant id of the organisation")
        return tenant

    def read(self, kind: Kind, identifier: str, form: Form = "xed") -> Resource | None:
        """A resource.

        Args:
            kind: Its kind.
            identifier: Its `$id`, which also tells its container.
            form: `xed` as it was made, `xed-full` with all that it refers to put in.

        Returns:
            The document, None if it is not there.

        Raises:
            PlatformError: The platform refused, or answered with something else.
        """
        accept = f"application/vnd.adobe.{form}+json; version=1"
        path = _path(kind, identifier)
        try:
            found = self._client.get_json(path, accept=accept)
        except PlatformError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        document = checked_resource(found, f"GET {path}")
        return {**document, "$id": document.get("$id") or identifier}

    def find(self, kind: Kind, title: str) -> list[Resource]:
        """The tenant's resources of a title, as summaries (`$id`, `title`, `version`).

        Raises:
            PlatformError: The platform refused.
        """
        only = f"title=={title}" if _FILTERABLE.fullmatch(title) else None
        listed = self.list_resources(kind, "tenant", only)
        return [each for each in listed if each.get("title") == title and each.get("$id")]

    def list_resources(
        self, kind: Kind, container: Container, only: str | None = None
    ) -> Iterator[Resource]:
        """The resources of a container, as summaries.

        Args:
            kind: Their kind.
            container: Adobe's (`global`) or the tenant's own.
            only: A filter such as `title==Mixpanel events`.

        Raises:
            PlatformError: The platform refused, or answered with something else.
        """
        params = {"orderby": "title", "limit": str(_PAGE)} | ({"property": only} if only else {})
        path = f"{SCHEMA_REGISTRY}/{container}/{kind}"
        while True:
            page = self._client.get_json(path, params=params, accept=_LIST)
            results = page.get("results") if isinstance(page, dict) else None
            if not isinstance(results, list):
                raise odd_answer(f"GET {path}", "a list of results")
            yield from (each for each in results if isinstance(each, dict))
            about = page.get("_page")
            after = about.get("next") if isinstance(about, dict) else None
            if not after or after == params.get("start"):
                return
            params["start"] = str(after)

    def create(self, kind: Kind, document: Resource) -> Made[Resource]:
        """Make a resource of the tenant; its title tells whether it is there already.

        Returns:
            The resource, with its `$id`, and whether it is new for sure.

        Raises:
            PlatformError: The platform refused.
        """
        title = document["title"]

        def find() -> Resource | None:
            found = self.find(kind, title)
            return self.read(kind, found[0]["$id"]) if found else None

        return create_once(
            self._client,
            f"{SCHEMA_REGISTRY}/tenant/{kind}",
            document,
            read=lambda response: _with(response, "$id"),
            find=find,
            what=f"creating {title!r} in the Schema Registry",
        )

    def patch(self, kind: Kind, identifier: str, operations: Sequence[Resource]) -> None:
        """Change a resource of the tenant by JSON Patch that may be repeated.

        Raises:
            PlatformError: The platform refused.
        """
        self._client.call("PATCH", _path(kind, identifier), body=json_body(list(operations)))

    def patch_once(self, kind: Kind, identifier: str, operations: Sequence[Resource]) -> None:
        """Change a resource of the tenant with a single try.

        Raises:
            RetriableError: There was no usable answer: the change may have been made.
            PlatformError: The platform refused.
        """
        self._client.call_once("PATCH", _path(kind, identifier), body=json_body(list(operations)))

    def identity_descriptors(self, schema_id: str) -> list[Resource]:
        """The identity descriptors of a schema.

        Raises:
            PlatformError: The platform refused, or answered with something else.
        """
        path = f"{SCHEMA_REGISTRY}/tenant/descriptors"
        found = self._client.get_json(path, accept=_DESCRIPTORS)
        # Without any descriptor of the kind, the key is missing.
        listed = found.get(IDENTITY, []) if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise odd_answer(f"GET {path}", "lists of descriptors by type")
        return [
            each
            for each in listed
            if isinstance(each, dict) and each.get("xdm:sourceSchema") == schema_id
        ]

    def create_identity_descriptor(self, document: Resource) -> Resource:
        """Make an identity descriptor; schema and path tell whether a lost try has made it.

        Returns:
            The new descriptor, with its `@id`.

        Raises:
            PlatformError: The platform refused.
        """

        def find() -> Resource | None:
            made = self.identity_descriptors(document["xdm:sourceSchema"])
            source = document["xdm:sourceProperty"]
            return next((each for each in made if each.get("xdm:sourceProperty") == source), None)

        return create_once(
            self._client,
            f"{SCHEMA_REGISTRY}/tenant/descriptors",
            document,
            read=lambda response: _with(response, "@id"),
            find=find,
            what=f"creating the identity descriptor of {document['xdm:sourceProperty']}",
        ).thing


def container_of(identifier: str) -> Container:
    """Whose resource an `$id` names: Adobe's are `https://ns.adobe.com/xdm/…` and the like.

    Tenants' own are `https://ns.adobe.com/{tenant}/{schemas|mixins|…}/{hexadecimal}`.
    """
    parts = identifier.removeprefix("https://ns.adobe.com/").split("/")
    own_kinds = ("schemas", "mixins", "fieldgroups", "classes", "datatypes")
    of_tenant = len(parts) == 3 and parts[1] in own_kinds and parts[0] != "xdm"  # noqa: PLR2004
    return "tenant" if of_tenant else "global"


def _path(kind: Kind, identifier: str) -> str:
    container = container_of(identifier)
    return f"{SCHEMA_REGISTRY}/{container}/{kind}/{quote(identifier, safe='')}"


def _with(response: requests.Response, key: str) -> Resource | None:
    document = response.json()
    return document if isinstance(document, dict) and document.get(key) else None
