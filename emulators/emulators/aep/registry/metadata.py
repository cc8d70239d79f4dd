"""What the registry adds to a resource: ids, version, owner, times.

Source: the answers in `schema-registry.yaml` of AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import json
import secrets
import uuid
from typing import TYPE_CHECKING

from emulators.aep.documents import digest

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject

SERVICE_KEYS = frozenset(
    {
        "$id", "meta:altId", "meta:resourceType", "version", "imsOrg", "meta:extensible",
        "meta:abstract", "meta:xdmType", "meta:registryMetadata", "meta:containerId",
        "meta:sandboxId", "meta:sandboxType", "meta:tenantNamespace", "meta:extends", "meta:class",
    }
)  # fmt: skip
"""Attributes that only the service sets; what a client sends there is not looked at."""


class Metadata:
    """Makes and renews the service's attributes."""

    def __init__(self, org: str, tenant: str) -> None:
        self._org = org
        self._tenant = tenant

    def created(
        self, body: JsonObject, kind: str, *, sandbox: str, client_id: str, now: int
    ) -> JsonObject:
        """A new resource as the registry serves it.

        Args:
            body: What the client sent.
            kind: `mixins` or `schemas`, as in ids.
            sandbox: Its name.
            client_id: Who made it.
            now: Epoch milliseconds.
        """
        number = secrets.token_hex(24)
        is_group = kind == "mixins"
        own = {key: value for key, value in body.items() if key not in SERVICE_KEYS}
        document = {
            "$id": f"https://ns.adobe.com/{self._tenant}/{kind}/{number}",
            "meta:altId": f"_{self._tenant}.{kind}.{number}",
            "meta:resourceType": kind,
            "version": "1.0",
            **own,
            "imsOrg": self._org,
            "meta:extensible": is_group,
            "meta:abstract": is_group,
            "meta:xdmType": "object",
            **self.place(sandbox),
            "meta:tenantNamespace": f"_{self._tenant}",
        }
        return _stamped(document, {"repo:createdDate": now}, client_id, now)

    def changed(self, old: JsonObject, body: JsonObject, *, client_id: str, now: int) -> JsonObject:
        """A resource after a change: the same ids, the next version.

        Args:
            old: As it was served before.
            body: The new content.
            client_id: Who changes it.
            now: Epoch milliseconds.
        """
        major, minor = old["version"].split(".")
        own = {key: value for key, value in body.items() if key not in SERVICE_KEYS}
        kept = {key: value for key, value in old.items() if key in SERVICE_KEYS}
        document = {**kept, **own, "version": f"{major}.{int(minor) + 1}"}
        return _stamped(document, old.get("meta:registryMetadata", {}), client_id, now)

    @staticmethod
    def place(sandbox: str) -> JsonObject:
        """The attributes that say where a resource is."""
        return {
            "meta:containerId": "tenant",
            "meta:sandboxId": str(uuid.uuid5(uuid.NAMESPACE_DNS, sandbox)),
            "meta:sandboxType": "production" if sandbox == "prod" else "development",
        }


def _stamped(document: JsonObject, earlier: JsonObject, client_id: str, now: int) -> JsonObject:
    user = f"{client_id}@techacct.adobe.com"
    document["meta:registryMetadata"] = {
        "repo:createdDate": earlier.get("repo:createdDate", now),
        "repo:lastModifiedDate": now,
        "xdm:createdClientId": earlier.get("xdm:createdClientId", client_id),
        "xdm:lastModifiedClientId": client_id,
        "xdm:createdUserId": earlier.get("xdm:createdUserId", user),
        "xdm:lastModifiedUserId": user,
        "eTag": digest(json.dumps({**document, "meta:registryMetadata": None}, sort_keys=True)),
    }
    return document
