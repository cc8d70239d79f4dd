"""One stream's records: mapped as they come, and spooled until a STATE lets them be loaded."""

from __future__ import annotations

import copy
import logging
import typing as t
from datetime import timedelta

from singer_sdk.exceptions import MissingKeyPropertiesError
from singer_sdk.sinks import BatchSink
from typing_extensions import override

from target_aep.api.pacing import FileLimits
from target_aep.loading.commit_progress import CommitProgress
from target_aep.loading.dead_letters import DeadLetters, make_letter, stream_file_name
from target_aep.loading.record_copies import record_in
from target_aep.loading.spool import BatchSpool
from target_aep.loading.stream_loading import StreamLoader
from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.row_rules import PROFILE_MAX_BYTES
from target_aep.nesting import DEEPEST, TOO_DEEP, is_deeper
from target_aep.retry.plan import planned_ids
from target_aep.run_summary import StreamRun
from target_aep.workers.recipe import Assignment

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.loading.destination import Destination
    from target_aep.loading.mapped_block import MappedBlock
    from target_aep.settings import Settings
    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")

_SHOWN = 20


class XdmSink(BatchSink):
    """Collects a stream for its dataset; batches end where the target says, at a STATE."""

    file_limits: t.ClassVar[FileLimits] = FileLimits()

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
        self._recipe = target.recipe_of(stream_name, binding)
        self._census = target.census_of(binding, self._recipe)
        self._mapper = self._recipe.mapper(target.now, self._census)
        self._mapper.learn_columns(schema)
        for warning in self._mapper.warnings:
            logger.warning("Stream '%s': %s", stream_name, warning)
        self._warn_of_missing_fields()
        self._tell_awaited_fields()
        self._warn_of_young_fields()
        self._dead_letters = DeadLetters(
            self._settings.dead_letter_path, stream_name, binding.dataset
        )
        self._spool: BatchSpool | None = None
        self._progress = CommitProgress()
        self._has_warned = False
        self._dataset = binding.dataset
        self._received = 0
        self._repeated = 0
        self._files = 0
        self._oversized = 0
        self._oversized_at_mark = 0
        self._pipeline = target.pipeline
        self.loader = StreamLoader(
            self._destination,
            stream_name,
            binding.dataset,
            self._dead_letters,
            resumption=lambda state: target.resumption(stream_name, state),
            planned=lambda: planned_ids(self._dead_letters.folder, stream_name, binding.dataset),
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

    def _tell_awaited_fields(self) -> None:
        if awaited := self._mapper.awaited_fields:
            logger.info(
                "Stream '%s': %d fields were added less than 16 minutes ago, which ingestion may "
                "not know yet; this run leaves their values in the map: %s",
                self.stream_name,
                len(awaited),
                _listed(awaited),
            )

    def _warn_of_young_fields(self) -> None:
        young = self._mapper.young_fields
        if young:
            logger.warning(
                "Stream '%s': %d fields that the mapping fills were added less than 16 minutes "
                "ago, and until %s UTC ingestion may refuse rows that have them. Refused rows go "
                "to the dead letters, and target-aep retry loads them after that: %s",
                self.stream_name,
                len(young),
                f"{max(young.values()) + timedelta(seconds=59):%H:%M}",
                _listed(sorted(young)),
            )

    def take_schema(self, schema: dict[str, t.Any], key_properties: Sequence[str] | None) -> None:
        """Go on with another SCHEMA of the stream: the dataset's schema types it, so no batch ends.

        Args:
            schema: The stream's new schema.
            key_properties: Its new key.
        """
        self.original_schema = copy.deepcopy(schema)
        self.schema = schema
        self._mapper.learn_columns(schema)
        self._remove_sdc_metadata_from_schema()
        self._key_properties = key_properties or []

    @property
    def mapper(self) -> RecordMapper:
        """Maps the records."""
        return self._mapper

    def assignment(self, source: str) -> Assignment:
        """What maps the records as they are now, anywhere.

        Args:
            source: The name of the stream in its RECORD messages.
        """
        return Assignment(
            self._recipe,
            self.schema,
            source,
            self.key_properties,
            self._settings.file_max_bytes,
            self._census is not None,
        )

    @property
    def has_enough(self) -> bool:
        """Whether what is pending makes a batch that closes at the next STATE."""
        return self._spool is not None and (
            self._spool.total_bytes >= self._settings.batch_max_bytes
            or self._progress.is_full
            or len(self._spool.files) >= self.file_limits.close_after
        )

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
        self._oversized_at_mark = self._oversized
        key = self.loader.key(state, self._progress.records)
        if key is None:
            return False
        self._progress.mark(key.short)
        return self.loader.recognises(key)

    def take_back_unmarked(self) -> int:
        """Drop the records that came after the last STATE; the next run gets them again.

        Returns:
            How many records were dropped.
        """
        if not self._spool:
            return 0
        self._oversized = self._oversized_at_mark
        self._progress.take_back()
        dropped = self._spool.take_back()
        if not self._spool.rows and not self._spool.rejected:
            self.abandon()
        return dropped

    @property
    @override
    def is_full(self) -> bool:
        """Never: a batch that ended between two STATEs could not be resumed exactly."""
        return False

    @override
    def get_validator(self) -> None:
        """None: the mapping decides what is valid, with a reason per record."""

    @override
    def _singer_validate_message(self, record: dict[str, t.Any]) -> None:
        """Refuse a record without its key, as the SDK does, and say how it comes in."""
        missing = [name for name in self.key_properties if name not in record]
        if missing:
            raise MissingKeyPropertiesError(
                f"a RECORD of the stream {self.stream_name!r} without {', '.join(missing)}, which "
                "its SCHEMA's key_properties name: see why the tap (or a stream map) leaves it out"
            )

    @override
    def _parse_timestamps_in_record(
        self, record: dict[str, t.Any], schema: dict[str, t.Any], treatment: t.Any
    ) -> None:
        """Leave texts as they are: the dataset's schema, not the tap's, types them."""

    @override
    def process_record(self, record: dict[str, t.Any], context: dict[str, t.Any]) -> None:
        spool = self._open_spool()
        self._received += 1
        self._progress.add(record, self.key_properties)
        try:
            if is_deeper(record, DEEPEST):
                raise RejectedRecordError(None, TOO_DEEP)  # noqa: TRY301 - like any other
            self._add(spool, record)
        except RejectedRecordError as error:
            self._reject(spool, record, error)
        except RecursionError:
            self._reject(spool, record, RejectedRecordError(None, "nested too deeply"))

    def take_block(self, block: MappedBlock, lines: Sequence[bytes]) -> None:
        """Take records that were mapped, as if they had come one by one through the SDK.

        Args:
            block: What they became.
            lines: Their RECORD messages, without the newlines.

        Raises:
            TargetError: One is larger than a file may be, or the disk is full.
        """
        if not lines:
            return
        context = self._get_context({})
        spool = self._open_spool()
        self.tally_record_read(len(lines))
        self._received += len(lines)
        self._progress.add_number(block.number)
        if block.counts:
            self._mapper.add_counts(block.counts)
        repeated = spool.add_block(block, lines)
        self.file_limits.check(len(spool.files))
        for position in block.oversized:
            if position not in repeated:
                self._count_oversized(block.ids[position], block.size_of(position))
        for line, field, reason, identifier in block.rejected:
            error = RejectedRecordError(field, reason, identifier)
            self._reject(spool, record_in(lines[line]), error)
        self.record_counter_metric.increment(len(lines))
        if self.logger.isEnabledFor(logging.DEBUG):
            for _ in lines:
                self._after_process_record(context)

    def _open_spool(self) -> BatchSpool:
        if self._spool is None:
            self._spool = BatchSpool(
                self._destination.spool_folder(self.stream_name),
                stream_file_name(self.stream_name),
                self._settings.file_max_bytes,
            )
        return self._spool

    def _add(self, spool: BatchSpool, record: dict[str, t.Any]) -> None:
        row = self._mapper.map(record)
        before = spool.total_bytes
        spool.add_row(row, record)
        self.file_limits.check(len(spool.files))
        size = spool.total_bytes - before - len(b"\n")
        if size > PROFILE_MAX_BYTES:
            self._count_oversized(row.get("_id"), size)

    def _count_oversized(self, identifier: t.Any, size: int) -> None:
        if not self._oversized:
            logger.warning(
                "Stream '%s': the record %s has %d bytes as XDM. The data lake keeps it, but "
                "Real-Time Customer Profile drops what is over 10 KB; others are counted",
                self.stream_name,
                identifier,
                size,
            )
        self._oversized += 1

    def _reject(
        self, spool: BatchSpool, record: dict[str, t.Any], error: RejectedRecordError
    ) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "Stream '%s': a record can't become valid XDM (%s); it goes to %s, as will others",
                self.stream_name,
                error,
                self._dead_letters.folder,
            )
            columns = {*record, *(self.original_schema.get("properties") or ())}
            if advice := self._settings.mappings.advice_for(self.stream_name, columns):
                logger.warning("%s", advice)
        spool.add_rejected(
            make_letter(
                stream=self.stream_name,
                reason=error.reason,
                code="LOCAL",
                field=error.field_path,
                record=record,
            ),
            error.identifier,
        )

    @override
    def process_batch(self, context: dict[str, t.Any]) -> None:
        """Hand what is spooled to the pipeline, which loads it in the background."""
        spool, self._spool = self._spool, None
        progress, self._progress = self._progress, CommitProgress()
        if spool:
            self._repeated += spool.repeated
            self._files += len(spool.files)
            self._pipeline.hand_over(lambda state: self.loader.commit(spool, state, progress))

    def abandon(self) -> None:
        """Drop what was not handed over."""
        spool, self._spool = self._spool, None
        if spool:
            spool.remove()

    def log_mapping_report(self) -> None:
        """Say once, at the end, what the mapping could not place as asked."""
        for line in self._mapper.report.lines():
            logger.warning("Stream '%s': %s", self.stream_name, line)
        if map_line := self._mapper.report.map_line():
            logger.info("Stream '%s': %s", self.stream_name, map_line)
        for count, words in (
            (self._repeated, "records had an _id that their batch had already: loaded once"),
            (self._oversized, "records are over 10 KB: the data lake has them, Profile does not"),
        ):
            if count:
                logger.warning("Stream '%s': %d %s", self.stream_name, count, words)

    def summarise(self) -> StreamRun:
        """What the stream has brought so far."""
        return StreamRun(
            stream=self.stream_name,
            dataset=self._dataset,
            received=self._received,
            loaded=self.loader.loaded,
            repeated=self._repeated,
            rejected=self.loader.rejected,
            rejected_here=self.loader.rejected_here,
            oversized=self._oversized,
            files=self._files,
            batches=tuple(self.loader.batches),
        )


def _listed(names: Sequence[str]) -> str:
    """The first names, for a line of the log."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
