"""`GET /__emulator__/resources[?sandbox=]`: what an organisation has made, for tests.

Two sandboxes that went the same way have the same listing but for ids and times, so that a test can
see that nothing is missing and nothing doubled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from emulators.aep.registry.resources import references
from emulators.faults import json_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject, Schema


class ResourcesListing:
    """Lists schemas, field groups, descriptors, namespaces and datasets of a sandbox."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def rules(self) -> list[Rule]:
        """The URL rules."""
        return [Rule("/__emulator__/resources", methods=["GET"], endpoint=self._list)]

    def listing(self, sandbox: str = "prod") -> dict[str, list[JsonObject]]:
        """All of a sandbox, each kind in the order in which it was made.

        Args:
            sandbox: Its name.

        Returns:
            `schemas` (with their references, tags and resolved `properties`), `fieldGroups`,
            `descriptors`, `namespaces` (custom ones) and `datasets`.
        """
        with self._lake.lock:
            return {
                "schemas": [_schema(schema) for schema in self._lake.schemas_of(sandbox)],
                "fieldGroups": self._lake.field_groups.all_of(sandbox),
                "descriptors": self._lake.descriptors.all_of(sandbox),
                "namespaces": self._lake.namespaces.all_of(sandbox),
                "datasets": [
                    {
                        "id": dataset.id,
                        "name": dataset.name,
                        "schemaId": dataset.schema_id,
                        "tags": dataset.tags,
                        "enableErrorDiagnostics": dataset.enable_error_diagnostics,
                        **dataset.details,
                    }
                    for dataset in self._lake.datasets.values()
                    if dataset.sandbox == sandbox
                ],
            }

    def _list(self, request: Request) -> Response:
        return json_response(self.listing(request.args.get("sandbox", "prod")))


def _schema(schema: Schema) -> JsonObject:
    return {
        "$id": schema.id,
        "meta:altId": schema.alt_id,
        "title": schema.title,
        "version": schema.version,
        "references": references(schema.definition or {}),
        "meta:immutableTags": schema.body.get("meta:immutableTags", []),
        "properties": schema.body.get("properties", {}),
    }
