"""Installing schemas and datasets in a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.documents import digest
from emulators.aep.model import Dataset, Schema
from emulators.aep.row_checks import compile_field

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject

DEFAULT_SANDBOX = "prod"


class Provisioning:
    """Adds schemas and datasets; adding one of the same sandbox and name again replaces it."""

    def __init__(
        self, lake: Lake, tenant: str, sandboxes: Collection[str], now: Callable[[], float]
    ) -> None:
        self._lake = lake
        self._tenant = tenant
        self._sandboxes = sandboxes
        self._now = now

    def add_schema(self, body: JsonObject, *, sandbox: str = DEFAULT_SANDBOX) -> Schema:
        """Install a flattened (`xed-full`) schema; its ids are derived from sandbox and title.

        Args:
            body: The schema, with a `title`; see `emulators.aep.xdm_schema`.
            sandbox: Where it goes.

        Raises:
            ValueError: For an unknown sandbox, no title, or a type that XDM doesn't have.
        """
        self._check_sandbox(sandbox)
        title = body.get("title")
        if not isinstance(title, str) or not title:
            raise ValueError("a schema needs a title")
        compile_field(body, "")
        number = digest(f"schema {sandbox} {title}")
        schema = Schema(
            id=f"https://ns.adobe.com/{self._tenant}/schemas/{number}",
            alt_id=f"_{self._tenant}.schemas.{number}",
            sandbox=sandbox,
            title=title,
            body=body,
        )
        with self._lake.lock:
            self._lake.save_schema(schema)
        return schema

    def add_dataset(
        self,
        name: str,
        schema_id: str,
        *,
        sandbox: str = DEFAULT_SANDBOX,
        enable_error_diagnostics: bool = False,
        tags: dict[str, list[str]] | None = None,
    ) -> Dataset:
        """Make a dataset; its id is derived from sandbox and name.

        Args:
            name: The dataset's name.
            schema_id: `$id` or `meta:altId` of an installed schema.
            sandbox: Where it goes.
            enable_error_diagnostics: Diagnostics for every batch, asked for or not.
            tags: As in Catalog.

        Raises:
            ValueError: For an unknown sandbox or schema.
        """
        self._check_sandbox(sandbox)
        schema = self._lake.find_schema(schema_id, sandbox)
        if schema is None:
            raise ValueError(f"no schema {schema_id} in sandbox {sandbox}")
        dataset = Dataset(
            id=_dataset_id(sandbox, name),
            sandbox=sandbox,
            name=name,
            schema_id=schema.id,
            created=self._created(sandbox, name),
            enable_error_diagnostics=enable_error_diagnostics,
            tags=tags or {},
        )
        with self._lake.lock:
            self._lake.save_dataset(dataset)
        return dataset

    def _created(self, sandbox: str, name: str) -> int:
        earlier = self._lake.datasets.get(_dataset_id(sandbox, name))
        return earlier.created if earlier else int(self._now() * 1000)

    def _check_sandbox(self, sandbox: str) -> None:
        if sandbox not in self._sandboxes:
            raise ValueError(f"no sandbox {sandbox}")


def _dataset_id(sandbox: str, name: str) -> str:
    return digest(f"dataset {sandbox} {name}")
