"""What a sandbox tells about a dataset: its id, its XDM schema, and the tenant it belongs to."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from target_aep.errors import PlatformError, TargetError
from target_aep.platform_client import CATALOG, SCHEMA_REGISTRY
from target_aep.xdm_schema import XdmField, parse_schema, tenant_of

if t.TYPE_CHECKING:
    from target_aep.platform_client import PlatformClient

_XED_FULL = "application/vnd.adobe.xed-full+json; version=1"


@dataclass(frozen=True)
class Dataset:
    """A dataset as far as loading needs it; the tenant is empty where nobody needs it."""

    id: str
    name: str
    schema: XdmField
    tenant: str


def find_dataset_id(client: PlatformClient, name: str) -> str:
    """The id of the one dataset of a name.

    Raises:
        TargetError: None, or more than one, has this name.
    """
    found = client.get_json(f"{CATALOG}/dataSets", params={"name": name, "limit": "100"})
    ids = [
        identifier
        for identifier, dataset in (found.items() if isinstance(found, dict) else ())
        if isinstance(dataset, dict) and dataset.get("name") == name
    ]
    if not ids:
        raise TargetError(f"dataset_name: no dataset of the sandbox is called {name!r}")
    if len(ids) > 1:
        raise TargetError(
            f"dataset_name: {len(ids)} datasets are called {name!r}; give one as dataset_id: "
            f"{', '.join(sorted(ids))}"
        )
    return str(ids[0])


def read_dataset(client: PlatformClient, dataset_id: str, *, needs_tenant: bool) -> Dataset:
    """Read a dataset and its schema, flattened.

    Args:
        client: The platform.
        dataset_id: The dataset.
        needs_tenant: Whether to ask for the tenant where the schema does not tell it.

    Raises:
        TargetError: There is no such dataset, or it has no schema.
        PlatformError: A call was refused.
    """
    document = _read_dataset_document(client, dataset_id)
    reference = document.get("schemaRef") or {}
    schema_id = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(schema_id, str) or not schema_id:
        raise TargetError(f"dataset {dataset_id} has no XDM schema (schemaRef): choose another")
    container = "global" if "/xdm/" in schema_id else "tenant"
    schema_document = client.get_json(
        f"{SCHEMA_REGISTRY}/{container}/schemas/{quote(schema_id, safe='')}", accept=_XED_FULL
    )
    schema = parse_schema(schema_document)
    tenant = tenant_of(schema_document, schema)
    if tenant is None:
        tenant = _read_tenant(client) if needs_tenant else ""
    return Dataset(
        id=dataset_id,
        name=str(document.get("name", dataset_id)),
        schema=schema,
        tenant=tenant,
    )


def _read_dataset_document(client: PlatformClient, dataset_id: str) -> dict[str, t.Any]:
    missing = TargetError(
        f"dataset {dataset_id} does not exist in this sandbox: check dataset_id (or datasets) "
        "and sandbox_name"
    )
    try:
        answer = client.get_json(f"{CATALOG}/dataSets/{quote(dataset_id, safe='')}")
    except PlatformError as error:
        if error.status == 404:  # noqa: PLR2004
            raise missing from error
        raise
    document = answer.get(dataset_id) if isinstance(answer, dict) else None
    if not isinstance(document, dict):
        raise missing
    return document


def _read_tenant(client: PlatformClient) -> str:
    stats = client.get_json(f"{SCHEMA_REGISTRY}/stats")
    tenant = stats.get("tenantId") if isinstance(stats, dict) else None
    if not tenant:
        raise TargetError("the Schema Registry does not tell the tenant id of this organisation")
    return str(tenant)
