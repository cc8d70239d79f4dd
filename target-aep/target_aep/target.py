"""The target: Singer messages in, batches out, and STATE only after its data."""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import signal
import sys
import typing as t
from datetime import datetime, timezone

from singer_sdk import Target
from singer_sdk.singerlib.json import serialize_json
from typing_extensions import override

from target_aep import command
from target_aep.api.mapping_sets import fetch_mapping_set
from target_aep.api.promotion import Polling
from target_aep.configured_target import ConfiguredTarget
from target_aep.errors import LostStateError, TargetError, UnfinishedRunError
from target_aep.evolution import SchemaEvolution
from target_aep.loading.bookmarks import part_of, resumes
from target_aep.loading.boundaries import begins_anew
from target_aep.loading.commit_pipeline import CommitPipeline
from target_aep.loading.destinations import make_client, make_destination
from target_aep.message_reader import NumberedReader
from target_aep.record_runs import RecordRuns
from target_aep.run_end import (
    NO_BOOKMARK,
    NO_INPUT,
    NO_STATE,
    cut_complaint,
    rejection_complaints,
    take_back_unconfirmed,
)
from target_aep.run_summary import Run, RunError, in_words, publish, summarise
from target_aep.sink import XdmSink
from target_aep.subcommands import with_subcommands
from target_aep.workers.recipe import MapperRecipe

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    import click
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.sinks import Sink

    from target_aep.loading.destination import Binding, Destination
    from target_aep.mapping.choice import MappingReference
    from target_aep.mapping.mapper import RecordMapper
    from target_aep.mapping.model import MappingSet
    from target_aep.provisioning.property_census import PropertyCensus
    from target_aep.provisioning.property_fields import Proposal


class TargetAEP(ConfiguredTarget):
    """Singer target for Adobe Experience Platform: any tap's records as XDM, in batches."""

    default_sink_class = XdmSink
    message_reader_class = NumberedReader
    polling: t.ClassVar[Polling] = Polling()

    @staticmethod
    def now() -> datetime:
        """The moment: it tells future events, and fields that are too new to be used."""
        return datetime.now(timezone.utc)

    is_run = False
    """Whether messages are loaded; else another command is at work, and the last run's summary is
    not its to replace."""

    # Batches end at STATE boundaries only, never because records have waited for long.
    _MAX_RECORD_AGE_IN_MINUTES = math.inf

    def __init__(self, **kwargs: t.Any) -> None:
        """Check the configuration; the destination is made on first use.

        Args:
            kwargs: As for every SDK target.

        Raises:
            ConfigValidationError: One line per mistake in the configuration.
        """
        self._open_destination: Destination | None = None
        self._started = datetime.now(timezone.utc)
        super().__init__(**kwargs)  # from here on a signal may come
        self._written_state: dict[str, t.Any] | None = None
        self.pipeline = CommitPipeline(self._emit_state)
        self._runs = RecordRuns(self)
        self._reader.let_take(self._process_record_message, self._runs)
        # Draining only hands spools over; for threads to do it in, the SDK would load joblib.
        self.max_parallelism = 1

    @functools.cached_property
    def evolution(self) -> SchemaEvolution:
        """What the run finds out about properties without a typed field."""
        return SchemaEvolution(self.settings.schema_evolution)

    @property
    def destination(self) -> Destination:
        """Where batches go, made on first use."""
        if self._open_destination is None:
            self._open_destination = make_destination(self.settings, self.rules, self.polling)
        return self._open_destination

    def mapper_of(self, stream: str, binding: Binding) -> RecordMapper:
        """Make the mapper of a stream.

        Args:
            stream: Its name.
            binding: Where it goes.

        Raises:
            TargetError: Its mapping set can't be fetched, or not used with the dataset's schema.
        """
        recipe = self.recipe_of(stream, binding)
        return recipe.mapper(self.now, self.census_of(binding, recipe))

    def recipe_of(self, stream: str, binding: Binding) -> MapperRecipe:
        """Find out what the mapper of a stream is made of.

        Args:
            stream: Its name.
            binding: Where it goes.

        Raises:
            TargetError: Its mapping set can't be fetched.
        """
        mappings = self.settings.mappings
        return MapperRecipe(
            mappings.of(stream, self._fetch_mapping_set).for_tenant(binding.tenant),
            binding.schema,
            self.settings.identities_of(stream),
            mappings.policies,
            self.now(),
        )

    def census_of(self, binding: Binding, recipe: MapperRecipe) -> PropertyCensus | None:
        """Where the properties of a stream without a typed field are counted; None if nowhere."""
        return self.evolution.census_of(binding, recipe.mapping_set)

    @property
    def has_own_clock(self) -> bool:
        """Whether the moment is the system's, so that any process has it."""
        return type(self).now is TargetAEP.now

    def _add_fields(
        self, dataset: str, parent: tuple[str, ...], proposals: Sequence[Proposal]
    ) -> Sequence[str]:
        credential = self.settings.credential
        if credential is None:
            raise TargetError("schema_evolution: a schema is changed with a credential only")
        from target_aep.provisioning.extension import add_fields  # noqa: PLC0415 - few runs need it

        client = make_client(self.settings, credential, self.rules)
        return add_fields(client, dataset, parent, proposals, self.now())

    def _fetch_mapping_set(self, reference: MappingReference) -> MappingSet:
        credential = self.settings.mapping_credential
        if credential is None:
            raise TargetError("mapping: a mapping set is fetched with a credential only")
        return fetch_mapping_set(make_client(self.settings, credential, self.rules), reference)

    @override
    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, t.Any] | None = None,
        schema: dict[str, t.Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        """One sink per stream: a SCHEMA that changes ends no batch."""
        sink = self._sinks_active.get(stream_name)
        if not isinstance(sink, XdmSink) or schema is None:
            return super().get_sink(
                stream_name, record=record, schema=schema, key_properties=key_properties
            )
        sink.take_schema(schema, key_properties)
        return sink

    @property
    def _reader(self) -> NumberedReader:
        return t.cast("NumberedReader", self.message_reader)

    @property
    def _sinks(self) -> list[XdmSink]:
        return [sink for sink in self._sinks_active.values() if isinstance(sink, XdmSink)]

    def _pending_sinks(self) -> list[XdmSink]:
        return [sink for sink in self._sinks if sink.current_size]

    @override
    def _process_batch_message(self, message_dict: dict[str, t.Any]) -> None:
        """Take the records of the files like those of RECORD messages, stream maps included."""
        from target_aep.batch_files import read_records  # noqa: PLC0415 - few runs need it

        stream = message_dict["stream"]
        for record in read_records(message_dict):
            self._process_record_message({"type": "RECORD", "stream": stream, "record": record})

    @override
    def _process_activate_version_message(self, message_dict: dict[str, t.Any]) -> None:
        """Nothing to do: a dataset of events is only appended to."""

    @override
    def _process_state_message(self, message_dict: dict[str, t.Any]) -> None:
        if self.pipeline.has_failed:
            self.pipeline.finish()
        state = message_dict["value"]
        if self._opens_something(state):
            self._commit()
        super()._process_state_message(message_dict)
        pending = self._pending_sinks()
        is_known = [sink.mark_state(state) for sink in pending]
        is_full = any(sink.has_enough for sink in pending)
        if is_full or any(is_known) or not pending:
            self._commit()

    def _opens_something(self, state: dict[str, t.Any]) -> bool:
        """Whether what is pending ends at the STATE before this one."""
        pending = self._pending_sinks()
        has_records = any(sink.unmarked for sink in pending)
        return bool(pending) and not has_records and begins_anew(self._latest_state, state)

    def _commit(self) -> None:
        """Let everything up to the last STATE be loaded, then that STATE be written."""
        self.drain_all()
        self.pipeline.close_unit(copy.deepcopy(self._latest_state))

    @override
    def process_endofpipe(self) -> None:
        """Load what the last STATE covers, then say what of the run needs a look.

        Raises:
            UnfinishedRunError: Something does, though the STATE that was written is right.
        """
        complaints = self._leave_unconfirmed()
        super().process_endofpipe()
        self.pipeline.close_unit(copy.deepcopy(self._latest_state))
        self.pipeline.finish()
        for sink in self._sinks:
            sink.log_mapping_report()
            self._warn_of_missing_bookmark(sink)
        self.evolution.finish(self._add_fields)
        self.close()
        for sink in self._sinks:
            complaints.extend(sink.loader.complaints)
        complaints.extend(rejection_complaints(self._sinks, self.settings))
        self._raise_mistake(complaints)
        if complaints:
            raise UnfinishedRunError(". ".join(complaints))
        self._tell_in_words()

    def _leave_unconfirmed(self) -> list[str]:
        """Take back what no STATE covers, if the tap sends any or has died; what to say of it."""
        reader = self._reader
        complaints: list[str] = []
        if reader.ended_early or self._latest_state is not None:
            complaints.extend(take_back_unconfirmed(self._pending_sinks()))
        elif self._pending_sinks():
            self.logger.warning("%s", NO_STATE)
        elif not reader.line_number:
            self.logger.warning("%s", NO_INPUT)
        if reader.was_cut:
            complaints.append(cut_complaint(reader.line_number))
        return complaints

    def _warn_of_missing_bookmark(self, sink: XdmSink) -> None:
        state, stream = self._latest_state, sink.stream_name
        if state is not None and sink.loader.loaded and self.resumption(stream, state) is None:
            self.logger.warning(NO_BOOKMARK, stream)

    def _raise_mistake(self, complaints: list[str]) -> None:
        """Raise what is wrong with the input, after all that the STATE before it covers is done."""
        mistake = self._reader.mistake
        if mistake is None:
            return
        for complaint in complaints:
            self.logger.warning("%s", complaint)
        raise mistake

    def resumption(self, stream: str, state: dict[str, t.Any] | None) -> t.Any:
        """What a STATE says of where a run goes on with a stream; None: it begins anew."""
        sources = self._sources_of(stream)
        return part_of(state, sources) if resumes(state, sources) else None

    def _sources_of(self, stream: str) -> list[str]:
        """The tap's streams that a stream comes from: a stream map may have renamed it."""
        found = [
            source
            for source, maps in self.mapper.stream_maps.items()
            if any(stream_map.stream_alias == stream for stream_map in maps)
        ]
        return found or [stream]

    @override
    def _write_state_message(self, state: dict[str, t.Any]) -> None:
        """Do nothing when the SDK has drained: the pipeline writes STATEs when they are true."""

    def _emit_state(self, state: dict[str, t.Any]) -> None:
        """Write a STATE once, its numbers as they came.

        Raises:
            LostStateError: Nobody reads stdout any more.
        """
        if state == self._written_state:
            return
        try:
            sys.stdout.write(f"{serialize_json(state)}\n")
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            has_done = any(sink.loader.loaded or sink.loader.rejected for sink in self._sinks)
            raise LostStateError(error, has_done=has_done) from error
        self._written_state = state

    def _run(self, error: RunError | None = None) -> Run:
        return Run(
            streams=[sink.summarise() for sink in self._sinks],
            started=self._started,
            input_bytes=self._reader.bytes_read,
            dead_letters=self.settings.dead_letter_path,
            error=error,
            evolution=self.evolution.results,
        )

    def _tell_in_words(self) -> None:
        self.logger.info("%s", in_words(self._run()))

    def report(self, error: RunError | None = None) -> None:
        """Log and write the summary of the run, which is over; nothing if it is none.

        Args:
            error: Why it failed, None if it did not.
        """
        if self.is_run:
            publish(summarise(self._run(error)), self.settings.run_summary_path)

    def abandon(self) -> None:
        """Give up what is not committed after a failure; the state stays where it was."""
        with contextlib.suppress(Exception):  # the failure that is being told may be this one
            self.pipeline.finish()
        if self._open_destination:
            self._open_destination.stop()
            self._open_destination.abandon()
        for sink in self._sinks:
            sink.abandon()
        self.close()
        self._tell_in_words()

    def close(self) -> None:
        """Let go of the destination, temporary files included."""
        if self._open_destination:
            self._open_destination.close()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at once, claiming nothing: the SDK's own handler would load and emit STATE."""
        name = signal.Signals(signum).name
        run_left = "what is not loaded is left to the next run"
        left = run_left if self.is_run else "call it again, it goes on where it stopped"
        said = f"Received {name}: ending; {left}"
        with contextlib.suppress(RuntimeError):  # the signal came while stderr was written
            self.logger.warning("%s", said)
        with contextlib.suppress(Exception):  # nothing may keep the process from its end
            if self.is_run:
                self._tell_in_words()
            self.report(RunError(name, said))
        with contextlib.suppress(Exception):
            self._runs.kill()  # one that is stopped does not see that this process has ended
        if self._open_destination:
            self._open_destination.remove_files()
        command.end_process(128 + signum)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        return with_subcommands(super().get_singer_command(), cls)

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: t.IO[str] | None = None,
    ) -> None:
        """Run the target; an error ends it with one line and exit code 1.

        Args:
            about: Print settings and capabilities instead.
            about_format: Format for that.
            config: The configuration.
            file_input: Messages; None reads stdin.
        """
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        command.run(
            lambda: cls(
                config=config.config if config else {},
                parse_env_config=config.parse_env if config else False,
            ),
            file_input,
        )

    def explain(self, error: Exception) -> str:
        """An error as one line without secrets; one about the input names its line."""
        line_number = self._reader.line_number
        return self.rules.redact(command.one_line(error, line_number=line_number))
