"""The stream ``events``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Schema
from typing_extensions import override

from tap_mixpanel_export.bookmark_json import REPLICATION_KEY, STREAM, from_json, to_json
from tap_mixpanel_export.config_schema import COLUMNS
from tap_mixpanel_export.deselection import exclude, halves, listed_below, mirror, nameless
from tap_mixpanel_export.errors import SettingsError
from tap_mixpanel_export.events_schema import (
    FIXED_COLUMN_OF,
    PROPERTIES,
    missing_columns,
    same_titles,
    typed_columns,
    without_columns,
    without_listing,
)
from tap_mixpanel_export.export_run import ExportRun
from tap_mixpanel_export.left_out import watched, without_fixed, without_nameless
from tap_mixpanel_export.property_columns import PropertyColumns
from tap_mixpanel_export.sdk_hooks import WindowedStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog, CatalogEntry

    from tap_mixpanel_export.event import Record
    from tap_mixpanel_export.record_spool import RecordBlock
    from tap_mixpanel_export.sweep import Bookmark
    from tap_mixpanel_export.tap import TapMixpanelExport

_FULL_TABLE = "FULL_TABLE"


class EventsStream(WindowedStream):
    """Mixpanel's events, each once, whole windows only."""

    name = STREAM
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the tap builds the records itself

    def __init__(self, tap: TapMixpanelExport, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema)
        self._export_tap = tap
        self._named: set[str] = set()
        self._nameless: set[str] = set()
        self._asks_full_table = False
        self._set_keys()
        if tap.input_catalog is None:
            exclude(self.metadata, schema, tap.excluded)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        entry = catalog.get_stream(self.name)
        # The mapper and the SCHEMA message take all this from the entry.
        if entry is not None:
            self._asks_full_table = _asks_full_table(entry)
            entry.schema = Schema.from_dict(self._settle(entry))
        super().apply_catalog(catalog)
        self._set_keys()
        if entry is not None:
            entry.key_properties = self.primary_keys
            entry.replication_key = self.replication_key
            entry.replication_method = self.replication_method

    def _settle(self, entry: CatalogEntry) -> dict[str, Any]:
        """Deselect in an entry what follows from what it deselects; returns the schema to use.

        Raises:
            SettingsError: Two columns are for the same property.
        """
        has_columns = self._export_tap.config.get("properties_layout") == COLUMNS
        schema = without_listing(entry.schema.to_dict())
        mistakes = same_titles(schema) if has_columns else []
        if mistakes:
            raise SettingsError(*mistakes)
        self._named = {raw for raw, _, each in typed_columns(schema) if "title" in each}
        self._nameless = nameless(entry.metadata, schema)
        mirror(entry.metadata, schema)
        exclude(entry.metadata, schema, self._export_tap.excluded)
        return schema if has_columns else without_columns(schema)

    def _set_keys(self) -> None:
        """Set the keys, which no catalog may change: state and event_id rest on them."""
        self.primary_keys = ["event_id"]
        self.replication_key = REPLICATION_KEY
        self.forced_replication_method = None

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        return None  # a sweep has its own end

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        return value  # the sweep weighs start_date itself

    @property
    @override
    def writes_lines(self) -> bool:
        tap = self._export_tap
        is_whole = not (tap.excluded or self._nameless or tap.settings.has_columns)
        return is_whole and super().writes_lines

    @override
    def record_blocks(self) -> Iterator[RecordBlock]:
        self._warn()
        return self._blocks(makes_dicts=False)

    def _warn(self) -> None:
        for line in (*halves(self.mask, self._export_tap.excluded), *self._catalog_warnings()):
            self.logger.warning("%s", line)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        excluded = self._export_tap.excluded
        self._warn()
        records = self._exported()
        if excluded:
            records = without_fixed(records, excluded)
        if self._nameless:
            records = without_nameless(records, self._nameless, self._named)
        listed = listed_below(self.mask)
        if self.mask["properties", PROPERTIES] and self._leaves_out(listed):
            records = watched(records, {*FIXED_COLUMN_OF, *self._named, *listed}, self.logger)
        if not self._export_tap.settings.has_columns:
            return records
        return map(PropertyColumns(self.effective_schema, self.mask).spread, records)

    def _leaves_out(self, listed: Mapping[str, bool]) -> bool:
        """Whether the catalog deselects properties, beside those that the settings exclude."""
        return any(not listed[raw] for raw in listed if raw not in self._export_tap.excluded)

    def _catalog_warnings(self) -> Iterator[str]:
        """Yield a line for each thing in a catalog that may not be what its author believes."""
        tap = self._export_tap
        if tap.input_catalog is None:
            return
        typed = {column for _, column, _ in typed_columns(self.effective_schema)}
        if tap.settings.has_columns and not typed:
            yield (
                "properties_layout=columns: the catalog has no column for any property, so all of "
                "them stay in the column properties; discover the catalog again in this layout"
            )
        if self._named and not tap.settings.has_columns:
            yield (
                "properties_layout=object: the catalog's columns of properties stay out of the "
                "schema, the properties are in the column properties; discover the catalog again"
            )
        missing = [
            name for name in missing_columns(self.effective_schema) if self.mask["properties", name]
        ]
        if missing:
            yield (
                f"the catalog's schema lacks {', '.join(missing)}, which come out all the same: "
                "deselect them in its metadata to leave them out"
            )
        if self._asks_full_table:
            yield (
                f"the catalog asks for {_FULL_TABLE}, but the stream is always replicated by "
                "arrival: a run without state exports everything"
            )
        if self._nameless:
            yield (
                f"the catalog deselects {', '.join(sorted(self._nameless))} without a column's "
                "title, which names its property: every property is left out that might be meant"
            )

    def _exported(self) -> Iterator[Record]:
        for block in self._blocks(makes_dicts=True):
            yield from block.records()

    def _blocks(self, *, makes_dicts: bool) -> Iterator[RecordBlock]:
        tap = self._export_tap
        settings = tap.settings
        bookmark = from_json(
            self.stream_state, zone=settings.rules.zone, now_ms=int(tap.clock.now() * 1000)
        )
        run = ExportRun(
            settings,
            policy=tap.retry_policy,
            clock=tap.clock,
            logger=self.logger,
            makes_dicts=makes_dicts,
        )
        with run:
            yield from run.blocks(bookmark, self._checkpoint)

    def _checkpoint(self, bookmark: Bookmark) -> None:
        self.write_checkpoint(to_json(bookmark))


def _asks_full_table(entry: CatalogEntry) -> bool:
    root = entry.metadata.get(())  # an item that is not there would come to be
    forced = getattr(root, "forced_replication_method", None)
    return _FULL_TABLE in {entry.replication_method, forced}
