"""The schemas that ingestion checks rows against, which may lag behind the Schema Registry.

Changes may take up to 15 minutes (AdobeDocs/experience-platform.en `help/ingestion/quality/
streaming-validation.md`). Off unless `Limits.schema_cache_seconds` says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.registry.composition import with_required
from emulators.aep.registry.descriptors import primary_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.aep.config import Limits
    from emulators.aep.lake import Lake
    from emulators.aep.model import JsonObject


class SchemaCache:
    """Flattened schemas by id, each read again when its time is over."""

    def __init__(self, lake: Lake, limits: Limits, now: Callable[[], float]) -> None:
        self._lake = lake
        self._seconds = limits.schema_cache_seconds
        self._now = now
        self._entries: dict[str, tuple[float, JsonObject]] = {}

    def schema(self, schema_id: str) -> JsonObject:
        """The schema for rows: the path of its primary identity is required in it."""
        now = self._now()
        entry = self._entries.get(schema_id)
        if entry is None or now - entry[0] >= self._seconds:
            entry = (now, self._read(schema_id))
            self._entries[schema_id] = entry
        return entry[1]

    def _read(self, schema_id: str) -> JsonObject:
        with self._lake.lock:
            schema = self._lake.schemas[schema_id]
            path = primary_path(self._lake, schema)
        return schema.body if path is None else with_required(schema.body, [path])
