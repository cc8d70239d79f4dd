"""The services that a run or `provision` calls, and a call of each that changes nothing."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from http import HTTPStatus

from target_aep.api.answers import odd_answer
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
        path: Of a call that only reads.
        params: Of that call.
        accept: The form that is asked for.
        answers: The type of its answers.
        is_needed: Whether runs call it.
        finds_nothing: Whether the call is about something that there is not: to be told so then
            means to be let in.
        remark: What the call does not prove.
    """

    name: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    accept: str = "application/json"
    answers: type = dict
    is_needed: bool = True
    finds_nothing: bool = False
    remark: str = ""

    def refusal(self, client: PlatformClient) -> PlatformError | None:
        """Why the call was refused, None if it was not."""
        try:
            answer = client.get_json(self.path, params=self.params, accept=self.accept)
        except PlatformError as error:
            is_let_in = self.finds_nothing and error.status in _NOTHING_THERE
            return None if is_let_in else error
        if isinstance(answer, self.answers):
            return None
        return odd_answer(f"GET {self.path}", "what the service gives")


_NOTHING_THERE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
)

DATASETS: t.Final = Service(
    "Catalog datasets",
    f"{CATALOG}/dataSets",
    {"limit": "1"},
    remark="making datasets needs Manage Datasets, which only `provision` proves",
)
BATCHES: t.Final = Service("Catalog batches", f"{CATALOG}/batches", {"limit": "1"})
SCHEMAS: t.Final = Service(
    "Schema Registry",
    f"{SCHEMA_REGISTRY}/tenant/schemas",
    {"orderby": "title", "limit": "1"},  # no limit without an order, by schema-registry.yaml
    "application/vnd.adobe.xed-id+json",
    remark="making schemas needs Manage Schemas, which only `provision` proves",
)
NAMESPACE_LIST: t.Final = Service(
    "Identity namespaces",
    NAMESPACES,
    answers=list,
    is_needed=False,
    remark="making them needs Manage Identity Namespaces, which only `provision` proves",
)
INGESTION: t.Final = Service(
    "Batch Ingestion",
    f"{IMPORT}/batches/{_NO_BATCH}/datasets/{_NO_DATASET}/preview",
    {"format": "json"},
    answers=object,
    finds_nothing=True,
    remark="whether it may write, only the first batch proves",
)
DIAGNOSTICS: t.Final = Service(
    "Data Access",
    f"{EXPORT}/batches/{_NO_BATCH}/meta",
    {"path": "row_errors"},
    answers=object,
    finds_nothing=True,
)

SERVICES: t.Final = (DATASETS, BATCHES, SCHEMAS, NAMESPACE_LIST, INGESTION, DIAGNOSTICS)
