"""The emulator's state on disk: schemas, datasets, batches and their folders.

Layout of the data folder: `schemas/*.json`, `datasets/*.json`, documents of the other services in
`field_groups`, `descriptors`, `namespaces` and `connections`, and for each batch a folder
`batches/{id}/` with `batch.json`, the uploaded `files/`, the promoted `rows.jsonl` and `ids.bin`
(8-byte digests of the rows' `_id`), and `row_errors/`. A dataset's rows are those of its batches in
status `success`, so that reverting or replacing a batch is one change of status.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.aep.documents import Documents, digest, write_json
from emulators.aep.errors import problem
from emulators.aep.model import Batch, Dataset, Schema

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject


FILES = "files"


class Lake:
    """Schemas, datasets and batches; hold `lock` while changing one of them."""

    def __init__(self, data_dir: str | Path | None) -> None:
        """Open the folder, or make one that goes away with this object."""
        if data_dir is None:
            root = tempfile.mkdtemp(prefix="aep-emulator-")
            weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
            data_dir = root
        self.root = Path(data_dir)
        self.lock = threading.RLock()
        for folder in ("schemas", "datasets", "batches"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self.schemas = {item["id"]: Schema(**item) for item in self._stored("schemas/*.json")}
        self.datasets = {item["id"]: Dataset(**item) for item in self._stored("datasets/*.json")}
        self.batches = {
            item["id"]: Batch.from_json(item) for item in self._stored("batches/*/batch.json")
        }
        self.field_groups = Documents(self.root / "field_groups")
        self.descriptors = Documents(self.root / "descriptors")
        self.namespaces = Documents(self.root / "namespaces")
        self.connections = Documents(self.root / "connections")

    def save_schema(self, schema: Schema) -> None:
        """Add or replace a schema."""
        self.schemas[schema.id] = schema
        write_json(self._schema_path(schema.id), schema.to_json())

    def remove_schema(self, schema: Schema) -> None:
        """Delete a schema that is there."""
        del self.schemas[schema.id]
        self._schema_path(schema.id).unlink()

    def save_dataset(self, dataset: Dataset) -> None:
        """Add or replace a dataset."""
        self.datasets[dataset.id] = dataset
        write_json(self.root / "datasets" / f"{digest(dataset.id)}.json", dataset.to_json())

    def save_batch(self, batch: Batch) -> None:
        """Add or replace a batch."""
        self.batches[batch.id] = batch
        self.batch_folder(batch.id).mkdir(exist_ok=True)
        write_json(self.batch_folder(batch.id) / "batch.json", batch.to_json())

    def batch_folder(self, batch_id: str) -> Path:
        """Where a batch keeps its files."""
        return self.root / "batches" / batch_id

    def files_folder(self, batch_id: str) -> Path:
        """Where the uploaded files of a batch wait for its promotion."""
        return self.batch_folder(batch_id) / FILES

    def drop_files(self, batch: Batch) -> None:
        """Delete the uploaded files of a batch."""
        shutil.rmtree(self.files_folder(batch.id), ignore_errors=True)

    def find_schema(self, schema_id: str, sandbox: str) -> Schema | None:
        """A schema by `$id` or `meta:altId`."""
        for schema in list(self.schemas.values()):
            if schema.sandbox == sandbox and schema_id in (schema.id, schema.alt_id):
                return schema
        return None

    def schemas_of(self, sandbox: str) -> list[Schema]:
        """The schemas of a sandbox."""
        return [schema for schema in list(self.schemas.values()) if schema.sandbox == sandbox]

    def dataset(self, dataset_id: str, sandbox: str) -> Dataset:
        """A dataset of the sandbox.

        Raises:
            ApiError: 404 when it is not there.
        """
        dataset = self.datasets.get(dataset_id)
        if dataset is None or dataset.sandbox != sandbox:
            raise problem(404, "NotFoundError", f"Object id {dataset_id} does not exist.")
        return dataset

    def batch(self, batch_id: str, sandbox: str) -> Batch:
        """A batch of the sandbox.

        Raises:
            ApiError: 404 when it is not there.
        """
        batch = self.batches.get(batch_id)
        if batch is None or batch.sandbox != sandbox:
            raise problem(404, "NotFoundError", f"Object id {batch_id} does not exist.")
        return batch

    def promoted(self, dataset_id: str) -> list[Batch]:
        """The batches whose rows are in the dataset, oldest first."""
        batches = [
            batch
            for batch in list(self.batches.values())
            if batch.dataset_id == dataset_id and batch.state == "success"
        ]
        return sorted(batches, key=lambda batch: (batch.completed or 0, batch.id))

    def _stored(self, pattern: str) -> list[JsonObject]:
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.root.glob(pattern))]

    def _schema_path(self, schema_id: str) -> Path:
        return self.root / "schemas" / f"{digest(schema_id)}.json"
