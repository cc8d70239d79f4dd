"""Commands beside loading: `target-aep NAME --config …`, with the settings of the target."""

from __future__ import annotations

import difflib
import typing as t

import click
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from target_aep.batch_status.command import status_command
from target_aep.mapping_tools.commands import mapping_command
from target_aep.preview.command import preview_command
from target_aep.provisioning.commands import plan_command, provision_command
from target_aep.retry.work import retry
from target_aep.sandbox_check.command import check_command
from target_aep.subcommand_running import config_option, run

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.target import TargetAEP

_CONFIG = "--config"


class CommandWithSubcommands(SingerCommand):
    """The SDK's command, which hands over to another one that the first argument names.

    Options `--config` may stand before that name too.
    """

    def __init__(self, *args: t.Any, subcommands: Sequence[click.Command], **kwargs: t.Any) -> None:
        """Add commands to the SDK's.

        Args:
            args: As for the SDK's command.
            subcommands: The other commands.
            kwargs: As for the SDK's command.
        """
        super().__init__(*args, **kwargs)
        self._subcommands = {command.name: command for command in subcommands}

    @override
    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: t.Any,
    ) -> click.Context:
        position = _after_config(args)
        name = args[position] if position < len(args) else "-"
        command = self._subcommands.get(name)
        if command is None and not name.startswith("-"):
            raise click.UsageError(_no_such_command(name, self._subcommands))
        if command is None:
            return super().make_context(info_name, args, parent, **extra)
        moved = [*args[position + 1 :], *args[:position]]
        return command.make_context(f"{info_name} {args[position]}", moved, parent, **extra)

    @override
    def invoke(self, ctx: click.Context) -> t.Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name or "", command.help or "") for name, command in self._subcommands.items()]
            )


def with_subcommands(command: click.Command, target_class: type[TargetAEP]) -> click.Command:
    """The SDK's command with the others beside it.

    Args:
        command: The SDK's.
        target_class: Whose settings they have.
    """
    return CommandWithSubcommands(
        name=command.name,
        callback=command.callback,
        context_settings=command.context_settings,
        params=command.params,
        help=command.help,
        logger=target_class.logger,
        subcommands=[
            _retry_command(target_class),
            preview_command(target_class),
            mapping_command(target_class),
            status_command(target_class),
            check_command(target_class),
            plan_command(target_class),
            provision_command(target_class),
        ],
    )


def _no_such_command(name: str, known: Iterable[str | None]) -> str:
    near = difflib.get_close_matches(name, [each for each in known if each], n=1)
    return f"no such command: {name}" + (f"; did you mean {near[0]}?" if near else "")


def _after_config(args: Sequence[str]) -> int:
    """The position of the first argument that is none of the options `--config`."""
    position = 0
    while position < len(args):
        if args[position] == _CONFIG:
            position += 2
        elif args[position].startswith(f"{_CONFIG}="):
            position += 1
        else:
            break
    return position


def _retry_command(target_class: type[TargetAEP]) -> click.Command:
    def invoke(config: _ConfigInput) -> None:
        run(lambda: target_class(config=config.config, parse_env_config=config.parse_env), retry)

    return SingerCommand(
        name="retry",
        callback=invoke,
        params=[config_option(target_class)],
        help="Load the dead letters again, as far as they can be mapped now.",
        logger=target_class.logger,
    )
