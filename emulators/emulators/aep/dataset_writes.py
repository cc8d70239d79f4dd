"""Making and changing datasets in Catalog.

Sources: AdobeDocs/experience-platform-apis `static/swagger-specs/catalog.yaml`; enabling for
Profile: AdobeDocs/experience-platform.en `help/profile/tutorials/dataset-configuration.md` and
`help/xdm/troubleshooting-guide.md`. Names need not be unique. `application/json` on the first
version of PATCH replaces each attribute as a whole, `/v2` merges objects; the former is documented
nowhere, and taken so that a client shows that relies on more.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

from emulators.aep import params
from emulators.aep.errors import problem
from emulators.aep.json_patch import PatchError, apply_patch
from emulators.aep.model import Dataset
from emulators.aep.registry.resources import has_union
from emulators.faults import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from emulators.aep.gateway import Caller
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

_CONTENT_TYPE = re.compile(
    r"application/vnd\.adobe\.xed(-full)?(-notext)?\+json;\s*version=1(\.\d+)?"
)
_FIXED = frozenset(
    {
        "id", "imsOrg", "version", "created", "createdClient", "createdUser", "updated",
        "updatedUser", "sandboxId", "files", "lastBatchId", "lastBatchStatus", "basePath",
    }
)  # fmt: skip
_PROFILE_TAGS = ("unifiedProfile", "unifiedIdentity")


class DatasetWrites:
    """The endpoints; each method answers one."""

    def __init__(self, lake: Lake, prefix: str, now: Callable[[], float]) -> None:
        self._lake = lake
        self._prefix = prefix
        self._now = now

    def rules(self) -> list[Rule]:
        """The URL rules."""
        one = "dataSets/<dataset_id>"
        return [
            Rule(f"{self._prefix}/dataSets", methods=["POST"], endpoint=self.create),
            Rule(f"{self._prefix}/{one}", methods=["PATCH"], endpoint=self.patch),
            Rule(f"{self._prefix}/v2/{one}", methods=["PATCH"], endpoint=self.merge),
        ]

    def create(self, request: Request, caller: Caller) -> Response:
        """`POST /dataSets`: the reference of the new dataset, in an array."""
        attributes = params.json_body(request)
        dataset = Dataset(
            id=secrets.token_hex(12),
            sandbox=caller.sandbox,
            name="",
            schema_id="",
            created=int(self._now() * 1000),
        )
        with self._lake.lock:
            self._set(dataset, attributes)
            self._lake.save_dataset(dataset)
        answer = json_response([f"@/dataSets/{dataset.id}"], status=201)
        answer.headers["Location"] = f"{self._prefix}/dataSets/{dataset.id}"
        return answer

    def patch(self, request: Request, caller: Caller, dataset_id: str) -> Response:
        """`PATCH /dataSets/{id}`: a JSON Patch, or attributes to replace."""
        if request.mimetype != "application/json-patch+json":
            changes = params.json_body(request)
            return self._change(caller, dataset_id, lambda old: {**old, **changes})
        return self._change(caller, dataset_id, lambda old: _patched(old, request.get_data()))

    def merge(self, request: Request, caller: Caller, dataset_id: str) -> Response:
        """`PATCH /v2/dataSets/{id}`: attributes to merge, however deep."""
        changes = params.json_body(request)
        return self._change(caller, dataset_id, lambda old: _merged(old, changes))

    def _change(
        self, caller: Caller, dataset_id: str, changed: Callable[[JsonObject], JsonObject]
    ) -> Response:
        with self._lake.lock:
            dataset = self._lake.dataset(dataset_id, caller.sandbox)
            old = attributes_of(dataset)
            new = changed(old)
            copy = Dataset(**dataset.to_json())
            self._set(copy, new)
            if copy.schema_id != dataset.schema_id:
                raise _bad("The schema of a dataset can't be changed.")
            copy.updated = int(self._now() * 1000)
            copy.revision += 1
            self._lake.save_dataset(copy)
        return json_response([f"@/dataSets/{dataset_id}"])

    def _set(self, dataset: Dataset, attributes: JsonObject) -> None:
        """Check attributes and write them to the dataset."""
        name = attributes.get("name")
        if not isinstance(name, str) or not name.strip():
            raise _bad("A dataset needs a name.")
        diagnostics = attributes.get("enableErrorDiagnostics", False)
        if not isinstance(diagnostics, bool):
            raise _bad("enableErrorDiagnostics must be true or false.")
        dataset.name = name
        dataset.enable_error_diagnostics = diagnostics
        dataset.tags = _tags(attributes.get("tags", {}))
        self._set_schema(dataset, attributes.get("schemaRef"))
        known = {"name", "enableErrorDiagnostics", "tags", "schemaRef", *_FIXED}
        dataset.details = {key: value for key, value in attributes.items() if key not in known}

    def _set_schema(self, dataset: Dataset, reference: Any) -> None:
        if not isinstance(reference, dict):
            raise _bad("schemaRef with id and contentType is missing.")
        content_type = reference.get("contentType")
        if not isinstance(content_type, str) or not _CONTENT_TYPE.fullmatch(content_type):
            raise _bad(f"schemaRef.contentType {content_type!r} is not supported.")
        schema = self._lake.find_schema(str(reference.get("id")), dataset.sandbox)
        if schema is None or schema.id != reference["id"]:
            raise _bad(f"schemaRef.id: there is no schema {reference.get('id')}.")
        is_enabled = any(_is_enabled(dataset.tags.get(tag, [])) for tag in _PROFILE_TAGS)
        if is_enabled and not has_union(schema):
            raise _bad("To enable profile datasets the schema should be valid")
        dataset.schema_id = schema.id
        dataset.content_type = content_type


def attributes_of(dataset: Dataset) -> JsonObject:
    """What a client may write of a dataset, as Catalog shows it."""
    return {
        "name": dataset.name,
        **dataset.details,
        "tags": dataset.tags,
        "enableErrorDiagnostics": dataset.enable_error_diagnostics,
        "schemaRef": {"id": dataset.schema_id, "contentType": dataset.content_type},
    }


def _tags(tags: Any) -> dict[str, list[str]]:
    is_good = isinstance(tags, dict) and all(
        isinstance(values, list) and all(isinstance(value, str) for value in values)
        for values in tags.values()
    )
    if not is_good:
        raise _bad("tags must be lists of text by their names.")
    return dict(tags)


def _is_enabled(values: list[str]) -> bool:
    return any(value.replace(" ", "") == "enabled:true" for value in values)


def _patched(old: JsonObject, body: bytes) -> JsonObject:
    try:
        new = apply_patch(old, json.loads(body))
    except PatchError as error:
        raise _bad(f"JSON Patch: {error}") from error
    except ValueError as error:
        raise _bad(f"The body is not JSON: {error}") from error
    if not isinstance(new, dict):
        raise _bad("JSON Patch: a dataset must stay an object")
    return new


def _merged(old: JsonObject, changes: JsonObject) -> JsonObject:
    merged = dict(old)
    for key, value in changes.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[key] = _merged(known, value)
        else:
            merged[key] = value
    return merged


def _bad(detail: str) -> Exception:
    return problem(400, "BadRequestError", detail)
