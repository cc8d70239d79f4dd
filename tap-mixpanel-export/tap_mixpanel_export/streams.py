"""The stream ``events``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from tap_mixpanel_export.bookmark_json import REPLICATION_KEY, STREAM, from_json, to_json
from tap_mixpanel_export.export_run import ExportRun
from tap_mixpanel_export.sdk_hooks import WindowedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import Catalog

    from tap_mixpanel_export.event import Record
    from tap_mixpanel_export.sweep import Bookmark
    from tap_mixpanel_export.tap import TapMixpanelExport

SCHEMA: dict[str, Any] = th.PropertiesList(
    th.Property(
        "event_id",
        th.StringType,
        required=True,
        description="Key of the event, equal however often it is exported.",
    ),
    th.Property("event_name", th.StringType, required=True, description="`event`"),
    th.Property(
        "time",
        th.DateTimeType,
        required=True,
        description="When it happened, UTC; from `properties.time`.",
    ),
    th.Property("distinct_id", th.StringType, description="`distinct_id`"),
    th.Property("insert_id", th.StringType, description="`$insert_id`"),
    th.Property("device_id", th.StringType, description="`$device_id`"),
    th.Property("user_id", th.StringType, description="`$user_id`"),
    th.Property("import", th.BooleanType, description="`$import`"),
    th.Property("mp_api_endpoint", th.StringType, description="`$mp_api_endpoint`"),
    th.Property(
        "mp_api_timestamp_ms",
        th.IntegerType,
        description="`$mp_api_timestamp_ms`: received, UTC milliseconds.",
    ),
    th.Property(
        "mp_processing_time_ms",
        th.IntegerType,
        description="`mp_processing_time_ms`: processed, UTC milliseconds.",
    ),
    th.Property(
        "properties",
        th.ObjectType(additional_properties=True),
        required=True,
        description="Every property exactly as exported.",
    ),
).to_dict()


class EventsStream(WindowedStream):
    """Mixpanel's events, each once, whole windows only."""

    name = STREAM
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the tap builds the records itself

    def __init__(self, tap: TapMixpanelExport) -> None:
        super().__init__(tap, schema=SCHEMA)
        self._export_tap = tap
        self._set_keys()

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        super().apply_catalog(catalog)
        self._set_keys()
        entry = catalog.get_stream(self.name)
        if entry is not None:  # the mapper and the SCHEMA message take them from here
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
