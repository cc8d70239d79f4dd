"""The tap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import (
    FLATTENING_CONFIG,
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from typing_extensions import override

from tap_mixpanel_export import bookmark_json
from tap_mixpanel_export.clock import Clock, SystemClock
from tap_mixpanel_export.command import ExportCommand, checked_json, settings_errors
from tap_mixpanel_export.config_schema import config_schema
from tap_mixpanel_export.credentials import API_SECRET, RETIREMENT_NOTICE
from tap_mixpanel_export.errors import TapError
from tap_mixpanel_export.retries import RetryPolicy
from tap_mixpanel_export.sdk_hooks import CheckedTap
from tap_mixpanel_export.settings import DISTRIBUTION, Settings, parse_settings
from tap_mixpanel_export.streams import EventsStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

# The SDK adds these whatever the capabilities are.
_NOT_HONOURED = ("faker_config", *FLATTENING_CONFIG["properties"])


class TapMixpanelExport(CheckedTap):
    """Mixpanel's Raw Event Export API: every event once, at its true time, with every property."""

    name = DISTRIBUTION
    config_jsonschema: ClassVar[dict[str, Any]] = config_schema()
    # No flattening: the SDK drops an open object such as `properties` from a flattened schema.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy()
    """How patient the tap is with a failing window."""
    clock: ClassVar[Clock] = SystemClock()
    """What it takes for now, and how it waits."""

    _settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The parsed settings.

        Raises:
            TapError: The tap was created without checking its settings.
        """
        if self._settings is None:
            raise TapError("the settings have not been checked; create the tap with validation")
        return self._settings

    @override
    def setting_mistakes(self, wrong: set[str]) -> list[str]:
        self._settings, mistakes = parse_settings(self._config, self._now_ms(), wrong)
        if self._settings is not None and self._settings.credentials.kind == API_SECRET:
            self.logger.warning(RETIREMENT_NOTICE)
        return mistakes

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        content = bookmark_json.stream_bookmark(state)
        if self._settings is not None:
            zone = self._settings.rules.zone
            bookmark = bookmark_json.from_json(content, zone=zone, now_ms=self._now_ms())
            bookmark_json.check_project(bookmark, self._settings.project_id)
        super().load_state(state)

    @override
    def discover_streams(self) -> Sequence[EventsStream]:
        return [EventsStream(self)]

    @override
    def setup_mapper(self) -> None:
        # The mapper reads keys from the catalog, which the streams put right when they are made.
        _ = self.streams
        super().setup_mapper()

    def _now_ms(self) -> int:
        return int(self.clock.now() * 1000)

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        for setting in _NOT_HONOURED:
            config_jsonschema["properties"].pop(setting, None)

    @override
    @classmethod
    def get_singer_command(cls) -> click.Command:
        return ExportCommand.like(super().get_singer_command(), cls.logger)

    @override
    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        for path in value:
            if path != "ENV":
                _check_config_file(path)
        return super().cb_config(ctx, param, value)

    @override
    @classmethod
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **options: Any,
    ) -> None:
        with settings_errors():
            super().invoke(
                state=checked_json(state, "--state"),
                catalog=checked_json(catalog, "--catalog"),
                **options,
            )

    @override
    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        with settings_errors():
            super().cb_test(ctx, param, value)


def _check_config_file(path: str) -> None:
    if Path(path).exists() and not Path(path).is_file():
        raise TapError(f"--config {path}: is not a file that can be read twice")
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise TapError(f"--config {path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise TapError(f"--config {path}: is not JSON ({error})") from None
    if not isinstance(value, Mapping):
        raise TapError(f"--config {path}: is not a JSON object of settings")
