"""The command `target-aep status`."""

from __future__ import annotations

import typing as t

import click
from singer_sdk.plugin_base import SingerCommand

from target_aep.batch_status.report import StatusOptions, report
from target_aep.subcommand_running import (
    config_option,
    make_onlooker,
    run,
    settings_of,
    without_dataset,
)

if t.TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.target import TargetAEP

_LIMIT = 10


def status_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The command, with the settings of a target, and what it does."""
    onlooker_class = without_dataset(target_class)

    def invoke(
        config: _ConfigInput,
        dataset: str | None,
        rows_of: str | None,
        limit: int,
        as_lines: bool,
    ) -> None:
        settings = settings_of(config, target_class)
        options = StatusOptions(dataset, rows_of, limit, as_lines)
        status = run(
            lambda: make_onlooker(onlooker_class, settings),
            lambda target: report(target, options),
        )
        click.get_current_context().exit(status)

    return SingerCommand(
        name="status",
        callback=invoke,
        params=[
            config_option(target_class),
            click.Option(["--dataset"], help="Id of a dataset in place of the settings'."),
            click.Option(
                ["--rows", "rows_of"],
                metavar="BATCH",
                help="Show the rejected rows of a batch, in place of batches.",
            ),
            click.Option(
                ["--limit"],
                type=click.IntRange(min=1),
                default=_LIMIT,
                show_default=True,
                help="The most batches of a dataset, or the most rows.",
            ),
            click.Option(["--json", "as_lines"], is_flag=True, help="Write JSON lines."),
        ],
        help=summary,
        logger=target_class.logger,
    )
