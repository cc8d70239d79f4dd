"""The SDK's target with the settings of this one: where they come from, how they are checked."""

from __future__ import annotations

import functools
import logging
import typing as t

import click
from singer_sdk import Target
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from typing_extensions import override

from target_aep.api.calls import CallRules, Timeouts
from target_aep.api.redaction import Redactor
from target_aep.api.retrying import RetryPolicy
from target_aep.config_check import schema_errors
from target_aep.config_schema import CONFIG_SCHEMA, SECRETS, mend_choices
from target_aep.environment import read_environment, with_numbers
from target_aep.settings import Settings, parse_settings, secret_errors, unknown_errors
from target_aep.stream_map_errors import ToldMapper

if t.TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput


def _says_something(record: logging.LogRecord) -> bool:
    """Whether a line is worth a place: the SDK heads each command with one that misleads."""
    return record.msg != "Skipping parse of env var settings..."


logging.getLogger("target-aep").addFilter(_says_something)


class ConfiguredTarget(Target):
    """Everything of the target that is about its configuration."""

    name = "target-aep"
    config_jsonschema: t.ClassVar[dict[str, t.Any]] = CONFIG_SCHEMA
    capabilities: t.ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
        # No flattening: the SDK drops an open object such as Mixpanel's properties from it.
    ]
    retry_policy: t.ClassVar[RetryPolicy] = RetryPolicy()
    timeouts: t.ClassVar[Timeouts] = Timeouts()
    requires_dataset: t.ClassVar[bool] = True
    """Whether the settings have to name a dataset: `without_dataset` makes a class for commands
    that come before there is one."""

    @functools.cached_property
    def settings(self) -> Settings:
        """The checked settings.

        Raises:
            ConfigValidationError: They are not valid (only if validation was switched off).
        """
        settings, errors = parse_settings(self.config, requires_dataset=self.requires_dataset)
        if settings is None:
            raise ConfigValidationError("Config validation failed", errors=errors)
        return settings

    @functools.cached_property
    def rules(self) -> CallRules:
        """How calls are made; all secrets of the settings are known to its redactor."""
        secrets = (self.config.get(name) for name in SECRETS)
        redact = Redactor(*(secret for secret in secrets if isinstance(secret, str)))
        return CallRules(self.retry_policy, self.timeouts, redact)

    @classproperty
    def _env_var_config(cls) -> dict[str, t.Any]:  # noqa: N805 - a property of the class
        cls.append_builtin_config(cls.config_jsonschema)
        settings, errors = read_environment(cls.config_jsonschema, cls._env_var_prefix)
        if errors:
            raise ConfigValidationError("Config validation failed", errors=errors)
        return settings

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        # A setting that is null is one that is not set: its default holds.
        given = {name: value for name, value in self._config.items() if value is not None}
        self._config = with_numbers(given, self.config_jsonschema)
        self.append_builtin_config(self.config_jsonschema)
        errors = (
            unknown_errors(self._config, self.config_jsonschema["properties"])
            or secret_errors(self._config)  # before the schema's, which quote the value
            or schema_errors(self._config, self.config_jsonschema)
            or parse_settings(self._config, requires_dataset=self.requires_dataset)[1]
        )
        if errors and raise_errors:
            raise ConfigValidationError(
                "Config validation failed", errors=errors, schema=self.config_jsonschema
            )
        return errors

    @override
    def setup_mapper(self) -> None:
        self.mapper = ToldMapper(plugin_config=dict(self.config), logger=self.logger)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, t.Any]) -> None:
        """Only the built-in settings that this target honours."""
        super(Target, cls).append_builtin_config(config_jsonschema)
        config_jsonschema["properties"].pop("faker_config", None)
        mend_choices(config_jsonschema["properties"].get("stream_maps", {}))

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError) as error:
            raise click.BadParameter(f"can't read it: {error}", ctx, param) from error
