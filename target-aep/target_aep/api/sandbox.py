"""What a sandbox tells about a dataset: its id, its XDM schema, and the tenant it belongs to."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.catalog_datasets import find_datasets, read_document
from target_aep.api.schema_registry import SchemaRegistry
from target_aep.errors import SchemaError, TargetError
from target_aep.xdm.schema import XdmField, parse_schema, tenant_of

if t.TYPE_CHECKING:
    from target_aep.api.client import PlatformClient


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
    found = dataset_called(client, name)
    if found is None:
        raise TargetError(
            f"dataset_name: no dataset of the sandbox is called {name!r}: check it, or have "
            "`target-aep provision` make it"
        )
    return found[0]


def dataset_called(client: PlatformClient, name: str) -> tuple[str, dict[str, t.Any]] | None:
    """The id and the document of the one dataset of a name, None if there is none.

    Raises:
        TargetError: More than one has this name.
        PlatformError: The platform refused.
    """
    found = find_datasets(client, name)
    if len(found) > 1:
        raise TargetError(
            f"dataset_name: {len(found)} datasets are called {name!r}; give one as dataset_id: "
            f"{', '.join(sorted(found))}"
        )
    return next(iter(found.items()), None)


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
    document = read_document(client, dataset_id)
    if document is None:
        raise TargetError(
            f"dataset {dataset_id} does not exist in this sandbox: check dataset_id (or datasets) "
            "and sandbox_name"
        )
    schema_id = schema_id_of(document, dataset_id)
    registry = SchemaRegistry(client)
    schema_document = registry.read("schemas", schema_id, "xed-full")
    if schema_document is None:
        raise TargetError(
            f"dataset {dataset_id}: its schema {schema_id} is not in this sandbox, or the "
            "credential's role does not show it"
        )
    try:
        schema = parse_schema(schema_document)
    except SchemaError as error:
        raise SchemaError(f"dataset {dataset_id}: its schema {schema_id}: {error}") from error
    tenant = tenant_of(schema_document, schema)
    if tenant is None:
        tenant = registry.tenant() if needs_tenant else ""
    return Dataset(
        id=dataset_id, name=str(document.get("name", dataset_id)), schema=schema, tenant=tenant
    )


def schema_id_of(document: t.Mapping[str, t.Any], dataset: str) -> str:
    """The `$id` of a dataset's schema.

    Args:
        document: Of the dataset.
        dataset: How messages call it.

    Raises:
        TargetError: It has none.
    """
    reference = document.get("schemaRef")
    identifier = reference.get("id") if isinstance(reference, dict) else None
    if not isinstance(identifier, str) or not identifier:
        raise TargetError(f"dataset {dataset} has no XDM schema (schemaRef): choose another")
    return identifier
