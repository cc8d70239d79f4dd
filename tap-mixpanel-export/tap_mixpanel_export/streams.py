"""The stream ``events``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Schema
from typing_extensions import override

from tap_mixpanel_export.bookmark_json import REPLICATION_KEY, STREAM, from_json, to_json
from tap_mixpanel_export.deselection import deselect_columns, halves
from tap_mixpanel_export.events_schema import without_listing
from tap_mixpanel_export.export_run import ExportRun
from tap_mixpanel_export.property_columns import PropertyColumns
from tap_mixpanel_export.sdk_hooks import WindowedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog

    from tap_mixpanel_export.event import Record
    from tap_mixpanel_export.sweep import Bookmark
    from tap_mixpanel_export.tap import TapMixpanelExport


class EventsStream(WindowedStream):
    """Mixpanel's events, each once, whole windows only."""

    name = STREAM
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the tap builds the records itself

    def __init__(self, tap: TapMixpanelExport, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema)
        self._export_tap = tap
        self._set_keys()

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        entry = catalog.get_stream(self.name)
        # The mapper and the SCHEMA message take all this from the entry.
        if entry is not None:
            schema = without_listing(entry.schema.to_dict())
            entry.schema = Schema.from_dict(schema)
            deselect_columns(entry.metadata, schema)
        super().apply_catalog(catalog)
        self._set_keys()
        if entry is not None:
            entry.key_properties = self.primary_keys
            entry.replication_key = self.replication_key
            entry.replication_method = self.replication_method

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

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        for line in halves(self.mask):
            self.logger.warning("%s", line)
        if not self._export_tap.settings.has_columns:
            return self._exported()
        columns = PropertyColumns(self.effective_schema, self.mask)
        if not columns and self._export_tap.input_catalog is not None:
            self.logger.warning(
                "properties_layout=columns: the catalog has no column for any property, so all of "
                "them stay in the column properties; discover the catalog again in this layout"
            )
        return map(columns.spread, self._exported())

    def _exported(self) -> Iterator[Record]:
        tap = self._export_tap
        settings = tap.settings
        bookmark = from_json(
            self.stream_state, zone=settings.rules.zone, now_ms=int(tap.clock.now() * 1000)
        )
        run = ExportRun(settings, policy=tap.retry_policy, clock=tap.clock, logger=self.logger)
        with run:
            yield from run.records(bookmark, self._checkpoint)

    def _checkpoint(self, bookmark: Bookmark) -> None:
        self.write_checkpoint(to_json(bookmark))
