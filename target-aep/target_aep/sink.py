"""One stream's records: mapped as they come, spooled, and loaded as a batch."""

from __future__ import annotations

import logging
import typing as t

from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_aep.dead_letters import DeadLetterFile, make_letter, stream_file_name
from target_aep.mapper import RecordMapper, RejectedRecordError
from target_aep.spool import BatchSpool

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.destination import Batch, Destination, Loaded
    from target_aep.settings import Settings
    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")


class XdmSink(BatchSink):
    """Loads a stream into its dataset; batches end where the target says, at a STATE."""

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
        if self._mapper.missing_fields:
            logger.warning(
                "Stream '%s': the dataset's schema does not have these fields of the mapping, "
                "their values are left out: %s",
                stream_name,
                ", ".join(self._mapper.missing_fields),
            )
        self._dead_letters = DeadLetterFile(self._settings.dead_letter_path, stream_name)
        self._spool: BatchSpool | None = None
        self._batch: Batch | None = None
        self._handed_over = 0
        self.loaded = 0
        self.rejected = 0
        self.batches = 0
        self.warn_about_rejects = True

    @property
    def pending_bytes(self) -> int:
        """XDM bytes that were received and are not loaded yet."""
        return self._spool.total_bytes if self._spool else 0

    def mark_state(self) -> None:
        """Note that a STATE covers every record so far; whole files can go on their way."""
        if not self._spool:
            return
        self._spool.set_mark()
        self._hand_over(self._spool.marked_files())

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
            xdm = self._mapper.map(record)
        except RejectedRecordError as error:
            self._reject(record, error)
        else:
            self._spool.add_row(xdm)

    def _reject(self, record: dict[str, t.Any], error: RejectedRecordError) -> None:
        if self.warn_about_rejects:
            self.warn_about_rejects = False
            logger.warning(
                "Stream '%s': a record can't become valid XDM (%s); it goes to %s, as will others",
                self.stream_name,
                error,
                self._dead_letters.path,
            )
        t.cast("BatchSpool", self._spool).add_rejected(
            make_letter(
                stream=self.stream_name,
                reason=error.reason,
                code="LOCAL",
                field=error.field_path,
                record=record,
            )
        )

    @override
    def process_batch(self, context: dict[str, t.Any]) -> None:
        """Load what is spooled, and write down what was rejected.

        The SDK also calls this with the `records` of a BATCH message's file; they are spooled like
        any others and wait for their STATE.

        Raises:
            TargetError: The batch could not be loaded; nothing may be claimed of it.
        """
        if "records" in context:
            for record in context["records"]:
                self.tally_record_read()
                self.process_record(record, context)
            return
        spool = self._spool
        if spool is None:
            return
        spool.finish()
        self._hand_over(spool.files if spool.rows else [])
        self._commit(spool)
        self._finish_batch()

    def _hand_over(self, files: Sequence[t.Any]) -> None:
        """Give files to the batch, which is opened with the first of them."""
        for file in files[self._handed_over :]:
            if self._batch is None:
                self._batch = self._destination.open_batch(self.stream_name)
            self._batch.add_file(file)
            self._handed_over += 1

    def _commit(self, spool: BatchSpool) -> None:
        in_batch = 0
        if self._batch:
            loaded = self._batch.commit()
            in_batch = self._dead_letters.append(self._row_letters(loaded))
            self._report(spool, loaded, in_batch)
            self.batches += 1
        rejected_here = self._dead_letters.append(spool.letters())
        self.loaded += spool.rows - in_batch
        self.rejected += rejected_here + in_batch

    def _row_letters(self, loaded: Loaded) -> Iterator[dict[str, t.Any]]:
        for error in loaded.row_errors:
            yield make_letter(
                stream=self.stream_name,
                reason=error.message,
                code=error.code,
                field=None,
                xdm=error.row,
                batch=loaded.batch,
            )

    def _report(self, spool: BatchSpool, loaded: Loaded, listed: int) -> None:
        logger.info(
            "Stream '%s': batch %s loaded, %d rows, %d files, %d bytes",
            self.stream_name,
            loaded.batch,
            spool.rows - loaded.failed_rows,
            len(spool.files),
            spool.total_bytes,
        )
        if loaded.failed_rows:
            logger.warning(
                "Stream '%s': batch %s was ingested without %d rows; %d of them are in %s with "
                "Adobe's reasons",
                self.stream_name,
                loaded.batch,
                loaded.failed_rows,
                listed,
                self._dead_letters.path,
            )

    def _finish_batch(self) -> None:
        if self._spool:
            self._spool.remove()
        self._spool, self._batch, self._handed_over = None, None, 0

    def abandon(self) -> None:
        """Give up the open batch and its spool after a failure."""
        if self._batch:
            self._batch.abort()
        self._finish_batch()

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
