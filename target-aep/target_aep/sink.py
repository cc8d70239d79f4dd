"""One stream's records: mapped as they come, and spooled until a STATE lets them be loaded."""

from __future__ import annotations

import copy
import logging
import typing as t

from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_aep.dead_letters import DeadLetters, make_letter, stream_file_name
from target_aep.loading import StreamLoader
from target_aep.mapper import RecordMapper, RejectedRecordError
from target_aep.spool import BatchSpool

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.destination import Destination
    from target_aep.settings import Settings
    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")


class XdmSink(BatchSink):
    """Collects a stream for its dataset; batches end where the target says, at a STATE."""

    def __init__(
        self,
        target: TargetAEP,
        stream_name: str,
        schema: dict[str, t.Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Bind the stream to its dataset and compile its mapping.

        Args:
            target: The target, whose destination and settings are used.
            stream_name: Name of the stream.
            schema: The stream's schema.
            key_properties: The stream's key.

        Raises:
            TargetError: The dataset or its schema can't be used.
        """
        super().__init__(target, stream_name, schema, key_properties)
        self._settings: Settings = target.settings
        self._destination: Destination = target.destination
        binding = self._destination.bind(stream_name)
        self._mapper = RecordMapper(
            self._settings.mapping_set.for_tenant(binding.tenant),
            binding.schema,
            self._settings.identities,
        )
        self._warn_of_missing_fields()
        self._dead_letters = DeadLetters(self._settings.dead_letter_path, stream_name)
        self._spool: BatchSpool | None = None
        self._has_warned = False
        self.repeated = 0
        self._pipeline = target.pipeline
        self.loader = StreamLoader(
            self._destination, stream_name, binding.dataset, self._dead_letters
        )

    def _warn_of_missing_fields(self) -> None:
        missing = self._mapper.missing_fields
        if not missing:
            return
        logger.warning(
            "Stream '%s': the dataset's schema does not have these fields of the mapping, their "
            "values are left out: %s",
            self.stream_name,
            ", ".join(missing),
        )
        if self._mapper.loses_properties:
            logger.warning(
                "Stream '%s': properties without a field of their own are LOST, because the "
                "dataset's schema has no map for them. Is this the right dataset? Else add the map",
                self.stream_name,
            )

    def take_schema(self, schema: dict[str, t.Any], key_properties: Sequence[str] | None) -> None:
        """Go on with another SCHEMA of the stream: the dataset's schema types it, so no batch ends.

        Args:
            schema: The stream's new schema.
            key_properties: Its new key.
        """
        self.original_schema = copy.deepcopy(schema)
        self.schema = schema
        self._remove_sdc_metadata_from_schema()
        self._key_properties = key_properties or []

    @property
    def pending_bytes(self) -> int:
        """XDM bytes that were received and are not loaded yet."""
        return self._spool.total_bytes if self._spool else 0

    @property
    def unmarked(self) -> int:
        """Records that came after the last STATE."""
        return self._spool.unmarked if self._spool else 0

    def mark_state(self, state: dict[str, t.Any]) -> bool:
        """Note that a STATE covers every record so far.

        Returns:
            Whether an earlier run has committed just these records.
        """
        if not self._spool:
            return False
        self._spool.set_mark()
        return self.loader.recognises(state)

    def take_back_unmarked(self) -> int:
        """Drop the records that came after the last STATE; the next run gets them again.

        Returns:
            How many records were dropped.
        """
        return self._spool.take_back() if self._spool else 0

    @property
    @override
    def is_full(self) -> bool:
        """Never: a batch that ended between two STATEs could not be resumed exactly."""
        return False

    @override
    def get_validator(self) -> None:
        """None: the mapping decides what is valid, with a reason per record."""

    @override
    def _parse_timestamps_in_record(
        self, record: dict[str, t.Any], schema: dict[str, t.Any], treatment: t.Any
    ) -> None:
        """Leave texts as they are: the dataset's schema, not the tap's, types them."""

    @override
    def process_record(self, record: dict[str, t.Any], context: dict[str, t.Any]) -> None:
        if self._spool is None:
            self._spool = BatchSpool(
                self._destination.spool_folder(self.stream_name),
                stream_file_name(self.stream_name),
                self._settings.file_max_bytes,
            )
        try:
            self._spool.add_row(self._mapper.map(record), record)
        except RejectedRecordError as error:
            self._reject(self._spool, record, error.field_path, error.reason)
        except RecursionError:
            self._reject(self._spool, record, None, "nested too deeply")

    def _reject(
        self, spool: BatchSpool, record: dict[str, t.Any], field: str | None, reason: str
    ) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "Stream '%s': a record can't become valid XDM (%s: %s); it goes to %s, as will "
                "others",
                self.stream_name,
                field or "the record",
                reason,
                self._dead_letters.folder,
            )
        spool.add_rejected(
            make_letter(
                stream=self.stream_name, reason=reason, code="LOCAL", field=field, record=record
            )
        )

    @override
    def process_batch(self, context: dict[str, t.Any]) -> None:
        """Hand what is spooled to the pipeline, which loads it in the background."""
        spool, self._spool = self._spool, None
        if spool:
            self.repeated += spool.repeated
            self._pipeline.hand_over(lambda state: self.loader.commit(spool, state))

    def abandon(self) -> None:
        """Drop what was not handed over."""
        spool, self._spool = self._spool, None
        if spool:
            spool.remove()

    def log_mapping_report(self) -> None:
        """Say once, at the end, what the mapping could not place as asked."""
        report = self._mapper.report
        for counter, words in (
            (report.unconverted, "values did not fit the type of their field"),
            (report.left_out, "values have no field in the dataset's schema and were left out"),
            (report.identities_left_out, "identities would be refused and were left out"),
        ):
            if counter:
                shown = ", ".join(f"{name} ({count})" for name, count in counter.most_common(20))
                logger.warning(
                    "Stream '%s': %d %s: %s",
                    self.stream_name,
                    sum(counter.values()),
                    words,
                    shown,
                )
