"""Batches as the Catalog Service lists them.

static/swagger-specs/catalog.yaml in AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import typing as t
from http import HTTPStatus
from urllib.parse import quote

from target_aep.api.answers import objects_by_id
from target_aep.api.client import CATALOG
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_aep.api.client import PlatformClient

Document = dict[str, t.Any]

_BATCHES: t.Final = f"{CATALOG}/batches"
_PAGE = 100
"""The most that Catalog gives at once."""


def list_batches(
    client: PlatformClient, most: int, filters: Mapping[str, str]
) -> Iterator[Document]:
    """Batches with their `id`, newest first.

    Args:
        client: The platform.
        most: How many at the most.
        filters: Parameters of the listing, such as `dataSet`.

    Raises:
        PlatformError: The platform refused, or its answer makes no sense.
    """
    start = 0
    while start < most:
        page = min(_PAGE, most - start)
        asked = {"orderBy": "desc:created", "limit": str(page), "start": str(start)}
        answer = client.get_json(_BATCHES, params={**filters, **asked})
        listed = objects_by_id(answer, f"GET {_BATCHES}")
        for identifier, document in listed.items():
            yield {**document, "id": identifier}
        if len(listed) < page:
            return
        start += page


def read_batch(client: PlatformClient, batch_id: str) -> Document | None:
    """A batch with its `id`, None if it is not there.

    Raises:
        PlatformError: The platform refused, or its answer makes no sense.
    """
    path = f"{_BATCHES}/{quote(batch_id, safe='')}"
    try:
        answer = client.get_json(path)
    except PlatformError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    document = objects_by_id(answer, f"GET {path}").get(batch_id)
    return {**document, "id": batch_id} if document is not None else None
