"""Commands beside loading: `target-aep NAME --config …`, with the settings of the target."""

from __future__ import annotations

import contextlib
import logging
import traceback
import typing as t
from dataclasses import dataclass

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

from target_aep.command import end_process, one_line
from target_aep.retry import retry

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")


@dataclass(frozen=True)
class Subcommand:
    """A command that works with a target's settings and destination.

    Attributes:
        name: How it is called.
        help: One line about it.
        work: Does it; an error ends the process with one line and exit code 1.
    """

    name: str
    help: str
    work: Callable[[TargetAEP], None]


SUBCOMMANDS: t.Final[Sequence[Subcommand]] = (
    Subcommand("retry", "Load the dead letters again, as far as they can be mapped now.", retry),
)


class CommandWithSubcommands(SingerCommand):
    """The SDK's command, which hands over to another one that the first argument names."""

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
        command = self._subcommands.get(args[0]) if args else None
        if command is None:
            return super().make_context(info_name, args, parent, **extra)
        return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

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
    others = [_command(subcommand, target_class) for subcommand in SUBCOMMANDS]
    return CommandWithSubcommands(
        name=command.name,
        callback=command.callback,
        context_settings=command.context_settings,
        params=command.params,
        help=command.help,
        logger=target_class.logger,
        subcommands=others,
    )


def _command(subcommand: Subcommand, target_class: type[TargetAEP]) -> click.Command:
    def invoke(config: _ConfigInput) -> None:
        run(
            lambda: target_class(config=config.config, parse_env_config=config.parse_env),
            subcommand.work,
        )

    option = click.Option(
        ["--config"],
        multiple=True,
        help="Configuration file location or 'ENV' to use environment variables.",
        type=click.STRING,
        callback=target_class.cb_config,
    )
    return SingerCommand(
        name=subcommand.name,
        callback=invoke,
        params=[option],
        help=subcommand.help,
        logger=target_class.logger,
    )


def run(make_target: Callable[[], TargetAEP], work: Callable[[TargetAEP], None]) -> None:
    """Make a target and let it do something; any error ends the process with one line and 1.

    Args:
        make_target: Makes the target.
        work: What is done with it.

    Raises:
        ConfigValidationError: The settings are not valid; the SDK's command shows the mistakes.
    """
    target = None
    try:
        target = make_target()
        work(target)
    except ConfigValidationError:
        raise
    except Exception as error:  # noqa: BLE001 - the last net: none may leave a batch open
        line = target.explain(error) if target else one_line(error)
        logger.error("%s", line)  # noqa: TRY400 - the traceback is for developers
        if target:
            logger.debug("%s", target.rules.redact(traceback.format_exc()))
            _let_go(target)
        # Uploads under way would hold up an ordinary exit.
        end_process(1)
    target.close()


def _let_go(target: TargetAEP) -> None:
    with contextlib.suppress(Exception):  # the failure that was told may be the destination's
        target.destination.stop()
        target.destination.abandon()
        target.close()
