"""Commands beside loading: `target-aep NAME --config …`, with the settings of the target.

Their modules are imported when they are called, as in click's own example of lazy subcommands:
https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
"""

from __future__ import annotations

import difflib
import importlib
import typing as t

import click
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import override

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_aep.target import TargetAEP

_CONFIG = "--config"


class Subcommand(t.NamedTuple):
    """A command that is not imported before it is called.

    Attributes:
        name: What the first argument names; `NAME_command` of the module makes it.
        module: Where that is.
        summary: What it does, for its own help and for the target's.
    """

    name: str
    module: str
    summary: str

    def make(self, target_class: type[TargetAEP]) -> click.Command:
        """Import the command, with the settings of a target."""
        factory = getattr(importlib.import_module(self.module), f"{self.name}_command")
        return t.cast("click.Command", factory(target_class, self.summary))


SUBCOMMANDS = (
    Subcommand(
        "retry",
        "target_aep.retry.command",
        "Load the dead letters again, as far as they can be mapped now.",
    ),
    Subcommand(
        "preview",
        "target_aep.preview.command",
        "Show what the first records become, and send nothing.",
    ),
    Subcommand(
        "mapping",
        "target_aep.mapping_tools.commands",
        "Check, convert or show mapping sets (check, convert, show).",
    ),
    Subcommand(
        "status",
        "target_aep.batch_status.command",
        "Show the last batches of the dataset, or the rows that a batch left out.",
    ),
    Subcommand(
        "check",
        "target_aep.sandbox_check.command",
        "Check credential, permissions, dataset, schema, mapping, namespaces; change nothing.",
    ),
    Subcommand(
        "plan",
        "target_aep.provisioning.commands",
        "Show what a sandbox lacks for the input: namespaces, fields, schema, dataset.",
    ),
    Subcommand(
        "provision",
        "target_aep.provisioning.commands",
        "Make and extend what `plan` shows; safe to repeat, and to interrupt.",
    ),
)


class CommandWithSubcommands(SingerCommand):
    """The SDK's command, which hands over to another one that the first argument names.

    Options `--config` may stand before that name too.
    """

    def __init__(self, *args: t.Any, target_class: type[TargetAEP], **kwargs: t.Any) -> None:
        """Add commands to the SDK's.

        Args:
            args: As for the SDK's command.
            target_class: Whose settings they have.
            kwargs: As for the SDK's command.
        """
        super().__init__(*args, logger=target_class.logger, **kwargs)
        self._target_class = target_class
        self._subcommands = {each.name: each for each in SUBCOMMANDS}

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
        subcommand = self._subcommands.get(name)
        if subcommand is None and not name.startswith("-"):
            raise click.UsageError(_no_such_command(name, self._subcommands))
        if subcommand is None:
            return super().make_context(info_name, args, parent, **extra)
        moved = [*args[position + 1 :], *args[:position]]
        command = subcommand.make(self._target_class)
        return command.make_context(f"{info_name} {args[position]}", moved, parent, **extra)

    @override
    def invoke(self, ctx: click.Context) -> t.Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(each.name, each.summary) for each in SUBCOMMANDS])


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
        target_class=target_class,
    )


def _no_such_command(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
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
