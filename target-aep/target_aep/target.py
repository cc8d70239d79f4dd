"""The target: Singer messages in, batches out, and STATE only after its data."""

from __future__ import annotations

import functools
import logging
import math
import os
import signal
import sys
import typing as t

import click
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_aep.errors import TargetError, TooManyRejectedError
from target_aep.ims import TokenSource
from target_aep.local_destination import LocalDestination
from target_aep.message_reader import NumberedReader
from target_aep.platform_client import PlatformClient
from target_aep.platform_destination import PlatformDestination
from target_aep.retrying import RetryPolicy
from target_aep.settings import CONFIG_SCHEMA, Settings, parse_settings
from target_aep.sink import XdmSink

if t.TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.sinks import Sink

    from target_aep.destination import Destination


class TargetAEP(Target):
    """Singer target for Adobe Experience Platform: any tap's records as XDM, in batches."""

    name = "target-aep"
    config_jsonschema: t.ClassVar[dict[str, t.Any]] = CONFIG_SCHEMA
    capabilities: t.ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
        # No flattening: the SDK drops an open object such as Mixpanel's properties from it.
    ]
    default_sink_class = XdmSink
    message_reader_class = NumberedReader
    retry_policy: t.ClassVar[RetryPolicy] = RetryPolicy()

    # Batches end at STATE boundaries only, never because records have waited for long.
    _MAX_RECORD_AGE_IN_MINUTES = math.inf

    def __init__(self, **kwargs: t.Any) -> None:
        """Check the configuration and prepare the destination, without any request.

        Args:
            kwargs: As for every SDK target.

        Raises:
            ConfigValidationError: One line per mistake in the configuration.
        """
        super().__init__(**kwargs)
        self._written_state: dict[str, t.Any] | None = None
        self._open_destination: Destination | None = None
        self._all_sinks: list[XdmSink] = []

    @functools.cached_property
    def settings(self) -> Settings:
        """The checked settings.

        Raises:
            ConfigValidationError: They are not valid (only if validation was switched off).
        """
        settings, errors = parse_settings(self.config)
        if settings is None:
            raise ConfigValidationError("Config validation failed", errors=errors)
        return settings

    @property
    def destination(self) -> Destination:
        """Where batches go, made on first use."""
        if self._open_destination is None:
            self._open_destination = self._make_destination(self.settings)
        return self._open_destination

    def _make_destination(self, settings: Settings) -> Destination:
        credential = settings.credential
        if credential is None:
            return LocalDestination(settings.local_path, settings.local_binding)
        client = PlatformClient(
            settings.platform_url,
            TokenSource(credential, settings.ims_url, self.retry_policy),
            client_id=credential.client_id,
            org_id=credential.org_id,
            sandbox_name=settings.sandbox_name,
            policy=self.retry_policy,
        )
        return PlatformDestination(client, settings.dataset_choice, settings.load)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # A setting that is null is one that is not set: its default holds.
        self._config = {name: value for name, value in self._config.items() if value is not None}
        percent = self._config.get("max_rejected_percent")
        if isinstance(percent, str):  # the SDK leaves numbers from the environment as text
            self._config["max_rejected_percent"] = _number(percent)
        errors = super()._validate_config(raise_errors=raise_errors)
        if not errors:
            _, errors = parse_settings(self._config)
        if errors and raise_errors:
            raise ConfigValidationError(
                "Config validation failed", errors=errors, schema=self.config_jsonschema
            )
        return errors

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """Only the built-in settings that this target honours."""
        super(Target, cls).append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("faker_config", None)

    @override
    def get_sink(self, stream_name: str, **kwargs: t.Any) -> Sink:
        sink = super().get_sink(stream_name, **kwargs)
        if isinstance(sink, XdmSink) and sink not in self._all_sinks:
            self._all_sinks.append(sink)
        return sink

    def _pending_sinks(self) -> list[XdmSink]:
        return [sink for sink in self._all_sinks if sink.current_size]

    @override
    def _process_state_message(self, message_dict: dict[str, t.Any]) -> None:
        super()._process_state_message(message_dict)
        pending = self._pending_sinks()
        for sink in pending:
            sink.mark_state()
        full = any(sink.pending_bytes >= self.settings.batch_max_bytes for sink in pending)
        if full or not pending:
            self._load_pending()

    def _load_pending(self) -> None:
        """Load everything that is spooled, then write the STATE that covers it."""
        self.drain_all()
        self._check_rejected()

    @override
    def process_endofpipe(self) -> None:
        self._take_back_unconfirmed()
        super().process_endofpipe()
        self._log_summary()
        self._check_rejected()
        self.close()

    def _take_back_unconfirmed(self) -> None:
        """Leave records after the last STATE to the next run, which will get them again.

        A tap ends with a STATE, so records after it mean that the tap died. Streams without a
        bookmark in the STATE are loaded: nothing of them is ever resumed.
        """
        if self._latest_state is None:
            return
        for sink in self._pending_sinks():
            if not _has_bookmark(self._latest_state, sink.stream_name):
                continue
            dropped = sink.take_back_unmarked()
            if dropped:
                self.logger.warning(
                    "Stream '%s': %d records came after the last STATE. The tap seems to have "
                    "ended early; they are left to the next run",
                    sink.stream_name,
                    dropped,
                )

    def _check_rejected(self) -> None:
        """End the run when too many records were rejected.

        Raises:
            TooManyRejectedError: The share is above `max_rejected_percent`.
        """
        rejected = sum(sink.rejected for sink in self._all_sinks)
        total = rejected + sum(sink.loaded for sink in self._all_sinks)
        allowed = self.settings.load.max_rejected_percent
        if rejected and 100 * rejected > allowed * total:
            raise TooManyRejectedError(
                f"{rejected} of {total} records were rejected, more than max_rejected_percent "
                f"({allowed:g}). They are in {self.settings.dead_letter_path} with their reasons; "
                "the others are loaded and the state is right. Fix the mapping or the schema"
            )

    @override
    def _write_state_message(self, state: dict[str, t.Any]) -> None:
        if state != self._written_state:
            super()._write_state_message(state)
            self._written_state = state

    def _log_summary(self) -> None:
        for sink in self._all_sinks:
            sink.log_mapping_report()
        self.logger.info(
            "Loaded %d records in %d batches, rejected %d",
            sum(sink.loaded for sink in self._all_sinks),
            sum(sink.batches for sink in self._all_sinks),
            sum(sink.rejected for sink in self._all_sinks),
        )

    def abandon(self) -> None:
        """Give up open batches after a failure; the state stays where it was."""
        for sink in self._all_sinks:
            sink.abandon()
        self.close()

    def close(self) -> None:
        """Delete temporary files."""
        if self._open_destination:
            self._open_destination.close()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End at once, claiming nothing: the SDK's own handler would load and emit STATE."""
        self.logger.warning(
            "Received %s: ending; what is not loaded is left to the next run",
            signal.Signals(signum).name,
        )
        self.close()
        logging.shutdown()
        # Uploads in the background would hold up an ordinary exit.
        os._exit(128 + signum)

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError) as error:
            raise click.BadParameter(f"can't read it: {error}", ctx, param) from error

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
        """Run the target; an error that is known ends it with one line and exit code 1.

        Args:
            about: Print settings and capabilities instead.
            about_format: Format for that.
            config: The configuration.
            file_input: Messages; None reads stdin.
        """
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        target = cls(
            config=config.config if config else {},
            parse_env_config=config.parse_env if config else False,
        )
        try:
            target.listen(file_input)
        except (TargetError, SingerSDKError, InvalidInputLine, UnicodeDecodeError) as error:
            cls.logger.error("%s", target.explain(error))  # noqa: TRY400
            target.abandon()
            sys.exit(1)

    def explain(self, error: Exception) -> str:
        """An error as one line; one about the input names its line."""
        text = " ".join(str(error).split())
        if isinstance(error, TargetError):
            return text
        number = t.cast("NumberedReader", self.message_reader).line_number
        return f"line {number} of the input: {text}"


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _has_bookmark(state: dict[str, t.Any], stream: str) -> bool:
    bookmarks = state.get("bookmarks")
    return bool(bookmarks.get(stream)) if isinstance(bookmarks, dict) else True
