"""The command `target-aep retry`."""

from __future__ import annotations

import typing as t

from singer_sdk.plugin_base import SingerCommand

from target_aep.retry.work import retry
from target_aep.subcommand_running import config_option, run

if t.TYPE_CHECKING:
    import click
    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.target import TargetAEP


def retry_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The command, with the settings of a target, and what it does."""

    def invoke(config: _ConfigInput) -> None:
        run(lambda: target_class(config=config.config, parse_env_config=config.parse_env), retry)

    return SingerCommand(
        name="retry",
        callback=invoke,
        params=[config_option(target_class)],
        help=summary,
        logger=target_class.logger,
    )
