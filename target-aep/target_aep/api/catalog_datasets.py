"""Datasets of the Catalog Service: found, made, changed.

static/swagger-specs/catalog.yaml in AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from target_aep.api.answers import odd_answer
from target_aep.api.client import CATALOG
from target_aep.api.creation import create_once, json_body
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

    from target_aep.api.client import PlatformClient

Document = dict[str, t.Any]

DATASETS: t.Final = f"{CATALOG}/dataSets"
DIAGNOSTICS: t.Final = "enableErrorDiagnostics"
PROFILE_TAGS: t.Final = ("unifiedProfile", "unifiedIdentity")
ENABLED: t.Final = "enabled:true"

_PAGE = 100
# Filters of the Catalog take lists separated by commas; no escape is documented.
_FILTERABLE = re.compile(r"[\w .'-]+")
_NOT_FOUND = 404
_SCHEMA_FORM = "application/vnd.adobe.xed+json;version=1"


def find_datasets(client: PlatformClient, name: str) -> dict[str, Document]:
    """The datasets of a name by id: names are not unique.

    Raises:
        PlatformError: The platform refused, or answered with something else.
    """
    only = {"name": name} if _FILTERABLE.fullmatch(name) else {}
    return {
        identifier: document
        for identifier, document in _list(client, only)
        if document.get("name") == name
    }


def _list(client: PlatformClient, only: Mapping[str, str]) -> Iterator[tuple[str, Document]]:
    """Datasets, page by page; `start` counts datasets from 0."""
    start = 0
    while True:
        params = {**only, "limit": str(_PAGE)} | ({"start": str(start)} if start else {})
        found = client.get_json(DATASETS, params=params)
        if not isinstance(found, dict):
            raise odd_answer(f"GET {DATASETS}", "datasets by id")
        for identifier, document in found.items():
            if not isinstance(document, dict):
                raise odd_answer(f"GET {DATASETS}", "datasets by id")
            yield identifier, document
        if len(found) < _PAGE:
            return
        start += len(found)


def read_document(client: PlatformClient, dataset_id: str) -> Document | None:
    """A dataset's document, None if it is not there.

    Raises:
        PlatformError: The platform refused, or answered with something else.
    """
    path = f"{DATASETS}/{quote(dataset_id, safe='')}"
    try:
        answer = client.get_json(path)
    except PlatformError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    document = answer.get(dataset_id) if isinstance(answer, dict) else None
    if not isinstance(document, dict):
        raise odd_answer(f"GET {path}", "the dataset under its id")
    return document


def create_dataset(
    client: PlatformClient, name: str, description: str, schema_id: str, *, profile: bool
) -> str:
    """Make a dataset with error diagnostics on.

    Args:
        client: The platform.
        name: Its name; after a lost answer a dataset of this name counts as the new one.
        description: For people.
        schema_id: `$id` of its schema.
        profile: Whether Real-Time Customer Profile and the identity graph take its rows.

    Returns:
        Its id.

    Raises:
        PlatformError: The platform refused.
    """
    document: Document = {
        "name": name,
        "description": description,
        "schemaRef": {"id": schema_id, "contentType": _SCHEMA_FORM},
        DIAGNOSTICS: True,
    }
    if profile:
        document["tags"] = {tag: [ENABLED] for tag in PROFILE_TAGS}
    return create_once(
        client,
        DATASETS,
        document,
        read=_reference,
        find=lambda: next(iter(find_datasets(client, name)), None),
        what=f"creating the dataset {name!r}",
        has_unique_name=False,
    ).thing


def patch_dataset(client: PlatformClient, dataset_id: str, operations: Sequence[Document]) -> None:
    """Change a dataset by JSON Patch; the operations are such as can be repeated.

    Raises:
        PlatformError: The platform refused.
    """
    body = json_body(list(operations), "application/json-patch+json")
    client.call("PATCH", f"{DATASETS}/{quote(dataset_id, safe='')}", body=body)


def is_enabled(document: Mapping[str, t.Any], tag: str) -> bool:
    """Whether a dataset carries a tag such as `unifiedProfile` with `enabled:true`.

    Both `enabled:true` and `enabled: true` are found in Adobe's examples.
    """
    tags = document.get("tags")
    texts = tags.get(tag) if isinstance(tags, dict) else None
    return isinstance(texts, list) and any(_plain(text) == ENABLED for text in texts)


def enabled_tag(document: Mapping[str, t.Any], tag: str) -> list[str]:
    """The values of a tag with `enabled:true` for what it says of that; all others stay."""
    tags = document.get("tags")
    texts = tags.get(tag) if isinstance(tags, dict) else None
    others = texts if isinstance(texts, list) else []
    return [ENABLED, *(text for text in others if not _plain(text).startswith("enabled:"))]


def _plain(text: t.Any) -> str:
    return str(text).replace(" ", "").lower()


def _reference(response: requests.Response) -> str | None:
    """The id in `["@/dataSets/{id}"]`."""
    (reference,) = response.json()
    return str(reference).rpartition("/")[2] or None
