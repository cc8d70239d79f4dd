"""Every private name of the Singer SDK that the tap relies on, in one place.

The SDK checkpoints by record; this tap checkpoints by window. It does so with
``Stream._increment_stream_state`` and ``Stream._write_state_message``. It ends on a signal with
128 + its number where ``Tap._handle_termination`` of the SDK would end with 0, it words mistakes
in the settings itself in ``PluginBase._validate_config``, and in ``PluginBase._env_var_config`` it
looks for a ``.env`` in the working directory, where the SDK looks where it is installed. Records
that the SDK would write as they are go past ``Stream._sync_records``, many at once. Not here but in
``stream_map_errors.py``, the evaluator that ``CustomStreamMap._eval`` uses is replaced. A test
compares the names and signatures with the installed SDK's.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NoReturn, cast

from dotenv import find_dotenv
from singer_sdk import Stream, Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError, MappingError, SyncLifecycleSignal
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.mapper import SameRecordTransform

from tap_mixpanel_export.bookmark_json import stream_bookmark
from tap_mixpanel_export.config_check import (
    environment_mistakes,
    schema_mistakes,
    unknown_variables,
)
from tap_mixpanel_export.errors import TapError
from tap_mixpanel_export.line_writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import FrameType

    from singer_sdk.helpers.types import Context

    from tap_mixpanel_export.record_spool import RecordBlock

_SIGNAL_EXIT = 128
# What ends a stream with a line of its own, or as it was meant to end.
_NOT_UNHANDLED = (TapError, MappingError, SyncLifecycleSignal, BrokenPipeError)


def _says_something(record: logging.LogRecord) -> bool:
    """Whether a line is worth a place: the SDK heads each command with one that misleads."""
    return record.msg != "Skipping parse of env var settings..."


logging.getLogger("tap-mixpanel-export").addFilter(_says_something)


class CheckedTap(Tap, ABC):
    """A tap that words every mistake in its settings as one line, and obeys signals at once."""

    message_writer_class = LineWriter

    def __init__(
        self, *, state: Any = None, parse_env_config: bool = False, **options: Any
    ) -> None:
        """Create the tap with the SDK's options.

        Raises:
            ConfigValidationError: The settings are wrong; it holds a line for each mistake.
            StateError: The state cannot be continued.
        """
        if state is not None:
            stream_bookmark(state)
        self._reads_environment = parse_env_config
        try:
            super().__init__(state=state, parse_env_config=parse_env_config, **options)
        except ValueError as error:
            # The SDK reads integers from the environment without naming the variable.
            mistakes = environment_mistakes(self.config_jsonschema, self._env_var_prefix)
            if not mistakes:
                raise
            raise self._invalid(mistakes) from error

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        cls.append_builtin_config(cls.config_jsonschema)
        variables = find_dotenv(usecwd=True) or os.devnull
        return parse_environment_config(cls.config_jsonschema, cls._env_var_prefix, variables)

    @abstractmethod
    def setting_mistakes(self, wrong: set[str]) -> list[str]:
        """Parse the settings and return a line for each mistake.

        Args:
            wrong: Settings that do not fit the schema; their mistakes are known already.
        """

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        # A setting that is null is one that is not set: its default holds.
        self._config = {name: value for name, value in self._config.items() if value is not None}
        if self._reads_environment:
            for line in unknown_variables(self.config_jsonschema, self._env_var_prefix):
                self.logger.warning("%s", line)
        if not raise_errors:
            return [*schema_mistakes(self._config, self.config_jsonschema).values()]
        mistakes = self.check_settings()
        if mistakes:
            raise self._invalid(mistakes)
        return []

    def check_settings(self) -> list[str]:
        """Check and parse the settings, as a run does; returns a line for each mistake."""
        wrong = schema_mistakes(self._config, self.config_jsonschema)
        return [*wrong.values(), *self.setting_mistakes(set(wrong))]

    def _invalid(self, mistakes: list[str]) -> ConfigValidationError:
        return ConfigValidationError(
            "Config validation failed", errors=mistakes, schema=self.config_jsonschema
        )

    def _handle_termination(
        self,
        signum: int,
        frame: FrameType | None,  # noqa: ARG002 - the signature of a signal handler
    ) -> NoReturn:
        """End at once and claim nothing: the last STATE written is the last that is true."""
        with contextlib.suppress(RuntimeError):  # it came while stderr was being written
            self.logger.warning(
                "stopped by %s: continue from the last STATE that was written",
                signal.Signals(signum).name,
            )
        sys.exit(_SIGNAL_EXIT + signum)


class WindowedStream(Stream, ABC):
    """A stream whose state moves only when ``write_checkpoint`` is called."""

    def write_checkpoint(self, content: dict[str, Any]) -> None:
        """Write a STATE message with this content of the stream's bookmark."""
        state = self.stream_state
        state.clear()
        state.update(content)
        self.state_manager.is_flushed = False
        self._write_state_message()

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log as the SDK does, but leave an error that is told in one line to that line."""
        if level >= logging.ERROR and isinstance(sys.exc_info()[1], _NOT_UNHANDLED):
            return
        super().log(message, *args, level=level, **kwargs)

    @abstractmethod
    def record_blocks(self) -> Iterator[RecordBlock]:
        """Yield all records, many at once, for a run of which ``writes_lines`` is true."""

    @property
    def writes_lines(self) -> bool:
        """Whether the SDK would write each record as it comes."""
        return (
            isinstance(self._tap.message_writer, LineWriter)
            and self.selected
            and all(self.mask.values())
            and self.ABORT_AT_RECORD_COUNT is None
            and not self.child_streams
            and len(self.stream_maps) == 1
            and type(self.stream_maps[0]) is SameRecordTransform
            and self.stream_maps[0].stream_alias == self.name
            and not self.stream_maps[0].flattening_enabled
        )

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        if not (write_messages and context is None and self.writes_lines):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        writer = cast("LineWriter", self._tap.message_writer)
        counter, timer = self.get_record_counter(), self.get_sync_timer()
        for meter in (counter, timer):
            meter.with_context({})  # as the SDK tells of a stream without contexts
        with counter, timer:
            self._write_starting_replication_value(None)
            for block in self.record_blocks():
                if block.count:
                    try:
                        writer.write_lines(block.content)
                    except BaseException:
                        counter.increment(writer.lines_written)
                        raise
                    self.state_manager.is_flushed = False
                    counter.increment(block.count)
        self._finalize_state(self.stream_state)
        self._write_state_message()

    def _increment_stream_state(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: no single record moves the bookmark."""
