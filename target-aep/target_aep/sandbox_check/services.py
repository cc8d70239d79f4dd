"""The services that a run calls, and a call of each that changes nothing.

Names of permissions: help/access-control/home.md in AdobeDocs/experience-platform.en.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from http import HTTPStatus

from target_aep.api.client import CATALOG, EXPORT, IMPORT, SCHEMA_REGISTRY
from target_aep.api.identity_namespaces import NAMESPACES
from target_aep.errors import PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.api.client import PlatformClient

_NO_BATCH: t.Final = "00000000000000000000000000"
"""The form of a batch's id, and none that there is."""
_NO_DATASET: t.Final = "000000000000000000000000"


@dataclass(frozen=True, eq=False)
class Service:
    """A service, and how it is tried.

    Attributes:
        name: For people.
        permission: What a role has to have for a run's calls to it.
        path: Of a call that only reads.
        params: Of that call.
        accept: The form that is asked for.
        finds_nothing: Whether the call is about something that there is not: to be told so then
            means to be let in.
        remark: What the call does not prove.
    """

    name: str
    permission: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    accept: str = "application/json"
    finds_nothing: bool = False
    remark: str = ""

    def refusal(self, client: PlatformClient) -> PlatformError | None:
        """Why the call was refused, None if it was not."""
        try:
            client.get_json(self.path, params=self.params, accept=self.accept)
        except PlatformError as error:
            is_let_in = self.finds_nothing and error.status in _NOTHING_THERE
            return None if is_let_in else error
        return None


_NOTHING_THERE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
)

DATASETS: t.Final = Service(
    "Catalog datasets",
    "View Datasets (Data Management)",
    f"{CATALOG}/dataSets",
    {"limit": "1"},
    remark="making datasets needs Manage Datasets, which only `provision` proves",
)
BATCHES: t.Final = Service(
    "Catalog batches", "View Datasets (Data Management)", f"{CATALOG}/batches", {"limit": "1"}
)
SCHEMAS: t.Final = Service(
    "Schema Registry",
    "View Schemas (Data Modeling)",
    f"{SCHEMA_REGISTRY}/tenant/schemas",
    {"orderby": "title", "limit": "1"},  # no limit without an order, by schema-registry.yaml
    "application/vnd.adobe.xed-id+json",
    remark="making schemas needs Manage Schemas, which only `provision` proves",
)
NAMESPACE_LIST: t.Final = Service(
    "Identity namespaces",
    "View Identity Namespaces (Identity Management)",
    NAMESPACES,
    remark="making them needs Manage Identity Namespaces, which only `provision` proves",
)
INGESTION: t.Final = Service(
    "Batch Ingestion",
    "Manage Datasets (Data Management)",
    f"{IMPORT}/batches/{_NO_BATCH}/datasets/{_NO_DATASET}/preview",
    {"format": "json"},
    finds_nothing=True,
    remark="whether it may write, only the first batch proves",
)
DIAGNOSTICS: t.Final = Service(
    "Data Access",
    "View Datasets (Data Management)",
    f"{EXPORT}/batches/{_NO_BATCH}/meta",
    {"path": "row_errors"},
    finds_nothing=True,
)

SERVICES: t.Final = (DATASETS, BATCHES, SCHEMAS, NAMESPACE_LIST, INGESTION, DIAGNOSTICS)
