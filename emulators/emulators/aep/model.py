"""Schemas, datasets and batches as the emulator keeps them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

JsonObject = dict[str, Any]

ACCEPTED = "accepted"
"""State of a batch between the client's COMPLETE and its final status; never shown to clients."""

FINAL_STATES = frozenset(
    {
        "failed", "stalled", "aborted", "abandoned", "inactive", "deleted", "archived", "retained",
    }
)  # fmt: skip
"""Where a batch can end without rows in its dataset; with rows it is `success`."""


@dataclass
class Schema:
    """A schema of the Schema Registry's tenant container.

    Attributes:
        body: With all fields resolved (`xed-full`); rows are checked against it.
        definition: As the registry serves it with `$ref`s; None for a schema that was installed
            flattened and has not been changed since.
        installed: Of a schema that was installed flattened and changed since: what it was, as its
            fields come from no class and no field group.
    """

    id: str
    alt_id: str
    sandbox: str
    title: str
    body: JsonObject
    version: str = "1.0"
    definition: JsonObject | None = None
    installed: JsonObject | None = None

    def to_json(self) -> JsonObject:
        """The stored form."""
        return asdict(self)


@dataclass
class Dataset:
    """A Catalog dataset; `created` and `updated` in epoch milliseconds.

    Attributes:
        details: Attributes that a client has set and that mean nothing here.
        revision: How often it was changed.
    """

    id: str
    sandbox: str
    name: str
    schema_id: str
    created: int
    enable_error_diagnostics: bool = False
    tags: dict[str, list[str]] = field(default_factory=dict)
    content_type: str = "application/vnd.adobe.xed+json;version=1"
    details: JsonObject = field(default_factory=dict)
    updated: int | None = None
    revision: int = 0

    def to_json(self) -> JsonObject:
        """The stored form."""
        return asdict(self)


@dataclass
class StoredFile:
    """One file of a batch.

    Attributes:
        name: Its name on the emulator's disk, inside the batch's folder.
        bytes: Its size.
        parts: Of a large file that is still being uploaded: `[first, last, name]` of each part,
            byte positions inclusive; None once the file is whole.
    """

    name: str
    bytes: int
    parts: list[list[Any]] | None = None


@dataclass
class Outcome:
    """What validating a batch's rows came to; `codes` counts failed rows by their first code."""

    status: str
    errors: list[JsonObject]
    metrics: dict[str, int]
    codes: dict[str, int]


@dataclass
class Batch:
    """A batch with its place in the life cycle.

    `created`, `updated`, `started`, `completed` are epoch milliseconds, `accepted` epoch seconds.

    Attributes:
        state: `loading`, `ACCEPTED`, or a final status.
        files: The uploaded files by their path.
        steps: The statuses that are shown before the end, from COMPLETE on.
        polls: How often Catalog has shown the batch since COMPLETE.
        forced: An end on demand that takes the place of the outcome: `status` and `errors`.
        outcome: The result of the validation, once there.
    """

    id: str
    dataset_id: str
    sandbox: str
    external_id: str
    client_id: str
    created: int
    updated: int
    input_format: JsonObject
    tags: JsonObject
    diagnostics: bool
    allowed_percent: float
    predecessors: list[str] = field(default_factory=list)
    replay: JsonObject | None = None
    state: str = "loading"
    files: dict[str, StoredFile] = field(default_factory=dict)
    file_count: int = 0
    accepted: float | None = None
    polls: int = 0
    steps: list[str] = field(default_factory=list)
    forced: JsonObject | None = None
    outcome: Outcome | None = None
    started: int | None = None
    completed: int | None = None
    revision: int = 0

    @property
    def input_bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files.values())

    def to_json(self) -> JsonObject:
        """The stored form."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: JsonObject) -> Batch:
        """Rebuild a batch from its stored form."""
        batch = cls(**value)
        batch.files = {path: StoredFile(**file) for path, file in value["files"].items()}
        outcome = value["outcome"]
        batch.outcome = Outcome(**outcome) if outcome else None
        return batch
