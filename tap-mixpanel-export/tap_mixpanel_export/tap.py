"""The tap."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk.helpers.capabilities import (
    FLATTENING_CONFIG,
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.tap_base import CliTestOptionValue
from typing_extensions import override

from tap_mixpanel_export import bookmark_json
from tap_mixpanel_export.bookmark_json import STREAM
from tap_mixpanel_export.clock import Clock, SystemClock
from tap_mixpanel_export.command import ExportCommand, checked_json, settings_errors
from tap_mixpanel_export.config_schema import COLUMNS, config_schema, mend_choices
from tap_mixpanel_export.credentials import API_SECRET, RETIREMENT_NOTICE
from tap_mixpanel_export.errors import DiscoveryError, SettingsError, TapError
from tap_mixpanel_export.events_schema import SCHEMA, columns_schema, listing_schema
from tap_mixpanel_export.hosts import REGIONS, RegionHosts, asks_app_host, with_hosts
from tap_mixpanel_export.retries import RetryPolicy
from tap_mixpanel_export.sdk_hooks import CheckedTap
from tap_mixpanel_export.settings import DISTRIBUTION, Settings, parse_settings
from tap_mixpanel_export.stdout_errors import answering
from tap_mixpanel_export.stream_map_errors import (
    setting_up,
    tell_failures,
    unknown_columns,
    unknown_streams,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_mixpanel_export.connection_check.check import ConnectionCheck
    from tap_mixpanel_export.discovery.memory import KnownProperty
    from tap_mixpanel_export.streams import EventsStream

# The SDK adds these whatever the capabilities are.
_NOT_HONOURED = ("faker_config", *FLATTENING_CONFIG["properties"])
_UNLISTED = (
    "the catalog does not list the project's properties: %s. Rules that deselect them by name may "
    "do nothing, as Meltano's; what must not leave the tap belongs into exclude_properties"
)
_NO_COLUMNS = (
    "properties_layout=columns: the project's properties cannot be found out ({}); put that right, "
    "hand over a catalog (--catalog), or set properties_layout to object"
)


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
    regions: ClassVar[Mapping[str, RegionHosts]] = REGIONS
    """Mixpanel's hosts by the setting ``region``."""
    longest_look: ClassVar[float] = 120.0
    """Seconds that discovery takes at most, and ``--test``."""

    _settings: Settings | None = None
    _is_discovering = False
    _is_tested = False

    @property
    def settings(self) -> Settings:
        """The parsed settings.

        Raises:
            TapError: The tap was created without checking its settings.
        """
        if self._settings is None:
            raise TapError("the settings have not been checked; create the tap with validation")
        return self._settings

    @property
    def excluded(self) -> frozenset[str]:
        """Raw names of the properties that never leave the tap."""
        return frozenset() if self._settings is None else self._settings.excluded

    @override
    def setting_mistakes(self, wrong: set[str]) -> list[str]:
        config = with_hosts(self._config, self.regions)
        self._settings, mistakes = parse_settings(
            config,
            self._now_ms(),
            wrong,
            asks_app_host=asks_app_host(self._config, self.regions),
        )
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
    def run_discovery(self) -> str:
        self._is_discovering = True
        _ = self.streams  # asks Mixpanel, which has errors of its own
        with answering():
            catalog = super().run_discovery()
            sys.stdout.flush()
        return catalog

    @override
    def discover_streams(self) -> Sequence[EventsStream]:
        # Here and below: what only some commands need is imported by those.
        from tap_mixpanel_export.streams import EventsStream  # noqa: PLC0415

        return [EventsStream(self, self._schema())]

    def _schema(self) -> dict[str, Any]:
        has_columns = self._config.get("properties_layout") == COLUMNS
        if self._is_tested:
            return SCHEMA  # the checks come first, and a discovery would ask Mixpanel before them
        if self.input_catalog is not None or not (has_columns or self._is_discovering):
            return SCHEMA  # a catalog says itself what there is, and a run needs no list
        try:
            found = self._found_properties()
        except SettingsError as error:
            if has_columns:
                raise
            self.logger.warning(_UNLISTED, "; ".join(error.args))
        except TapError as error:
            if has_columns:
                raise DiscoveryError(_NO_COLUMNS.format(error)) from error
            self.logger.warning(_UNLISTED, error)
        else:
            if has_columns:
                return columns_schema(found, lists=self._is_discovering)
            return listing_schema(found)
        return SCHEMA

    def _found_properties(self) -> Mapping[str, KnownProperty]:
        mistakes = [] if self._settings is not None else self.check_settings()
        if mistakes:  # discovery begins without a check
            raise SettingsError(*mistakes)
        from tap_mixpanel_export.discovery.property_discovery import (  # noqa: PLC0415
            PropertyDiscovery,
        )

        discovery = PropertyDiscovery(
            self.settings,
            policy=self.retry_policy,
            seconds=self.longest_look,
            clock=self.clock,
            logger=self.logger,
        )
        return discovery.properties()

    @override
    def setup_mapper(self) -> None:
        maps = self._config.get("stream_maps", {})
        if mistakes := unknown_streams(maps):  # first, since discovery asks Mixpanel
            raise SettingsError(*mistakes)
        # The mapper reads keys from the catalog, which the streams put right when they are made.
        _ = self.streams
        if not maps:
            super().setup_mapper()
            return
        self._check_columns(maps)
        with setting_up():
            super().setup_mapper()
        tell_failures(self.mapper)

    def _check_columns(self, maps: Mapping[str, Any]) -> None:
        """Look for columns that are to be taken out and are not there.

        Raises:
            SettingsError: There are some, and no project could have them.
        """
        has_columns = self._config.get("properties_layout") == COLUMNS
        if has_columns and self._is_tested:
            return  # they are not known
        columns = self.streams[STREAM].effective_schema.get("properties", {})
        lines = unknown_columns(maps, {*SCHEMA["properties"], *columns})
        if lines and not has_columns:
            raise SettingsError(*lines)
        for line in lines:
            self.logger.warning("%s", line)

    def _now_ms(self) -> int:
        return int(self.clock.now() * 1000)

    @override
    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        super().append_builtin_config(config_jsonschema)
        for setting in _NOT_HONOURED:
            config_jsonschema["properties"].pop(setting, None)
        mend_choices(config_jsonschema["properties"].get("stream_maps", {}))

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
        kinds = [kind.value for kind in CliTestOptionValue]
        if value not in kinds:
            raise click.BadParameter(f"{value!r} is none of {', '.join(kinds)}", ctx, param)
        with settings_errors():
            if value != CliTestOptionValue.All.value:
                super().cb_test(ctx, param, value)
                return
            given = ctx.params["config"]
            tap = cls(config=given.config, parse_env_config=given.parse_env, setup_mapper=False)
            tap.check_stream_maps()
            ctx.exit(0 if tap.connection_check().print_report() else 1)

    def check_stream_maps(self) -> None:
        """Set the stream maps up on the columns that need no discovery."""
        self._is_tested = True
        self.setup_mapper()

    def connection_check(self) -> ConnectionCheck:
        """Return the checks of ``--test``."""
        from tap_mixpanel_export.connection_check.check import ConnectionCheck  # noqa: PLC0415
        from tap_mixpanel_export.connection_check.residency import Residency  # noqa: PLC0415

        names_export, names_app = (bool(self.config.get(name)) for name in ("api_url", "app_url"))
        own = names_export or names_app
        region = None if own else str(self.config["region"])
        others = {} if own else {n: hosts for n, hosts in self.regions.items() if n != region}
        return ConnectionCheck(
            self.settings,
            Residency(region, others),
            seconds=self.longest_look,
            clock=self.clock,
            logger=self.logger,
        )


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
