"""The commands `target-aep mapping check`, `convert` and `show`."""

from __future__ import annotations

import json
import typing as t
from importlib import resources
from pathlib import Path

import click
from singer_sdk.plugin_base import SingerCommand

from target_aep.errors import MappingSetError, TargetError
from target_aep.mapping.mapping_set import BUILT_IN, decode
from target_aep.mapping_tools.check import CheckOptions, MappingCheck
from target_aep.mapping_tools.conversion import convert
from target_aep.subcommand_running import (
    config_option,
    make_onlooker,
    one_error,
    run,
    say,
    settings_of,
    with_mapping,
)

if t.TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.target import TargetAEP


def mapping_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The group of commands, with the settings of a target, and what it does."""
    commands = (_check_command, _convert_command, _show_command)
    return click.Group(
        name="mapping",
        help=summary,
        commands=[make(target_class) for make in commands],
    )


def _check_command(target_class: type[TargetAEP]) -> click.Command:
    def invoke(
        config: _ConfigInput,
        mapping: str | None,
        stream: str | None,
        records: str | None,
        adobe: bool,
    ) -> None:
        settings = with_mapping(settings_of(config, target_class), mapping)
        with one_error():
            check = MappingCheck(settings, CheckOptions(stream, records, adobe))
        status = run(lambda: make_onlooker(target_class, check.settings), check.run)
        click.get_current_context().exit(status)

    return SingerCommand(
        name="check",
        callback=invoke,
        params=[
            config_option(target_class),
            click.Option(
                ["--mapping"],
                help="Mapping set in place of the settings': a file, JSON text, or a built-in one.",
            ),
            click.Option(
                ["--stream"],
                help="Stream whose dataset `mapping` is checked with, where datasets has several.",
            ),
            click.Option(
                ["--adobe"], is_flag=True, help="Compare with Adobe's own preview of the set."
            ),
            click.Option(["--records"], help="File of records for --adobe."),
        ],
        help="Tell all that is wrong with mapping sets, and exit with 1 if anything is.",
        logger=target_class.logger,
    )


def _convert_command(target_class: type[TargetAEP]) -> click.Command:
    def invoke(file: str, out: str | None) -> None:
        with one_error():
            text = json.dumps(_converted(file), indent=2, ensure_ascii=False)
            if out is None:
                say(text)
            else:
                _write_file(out, f"{text}\n")

    return SingerCommand(
        name="convert",
        callback=invoke,
        params=[
            click.Argument(["file"]),
            click.Option(["-o", "--output", "out"], help="File to write; default: stdout."),
        ],
        help="Bring a mapping set of any generation into the current form.",
        logger=target_class.logger,
    )


def _show_command(target_class: type[TargetAEP]) -> click.Command:
    def invoke(name: str) -> None:
        file = resources.files("target_aep") / "mappings" / f"{name}.json"
        say(file.read_text("utf-8").rstrip("\n"))

    return SingerCommand(
        name="show",
        callback=invoke,
        params=[click.Argument(["name"], type=click.Choice(BUILT_IN))],
        help="Write a built-in mapping set, to be copied and changed.",
        logger=target_class.logger,
    )


def _converted(file: str) -> dict[str, t.Any]:
    try:
        text = Path(file).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not the name of a file of UTF-8 text"
        raise MappingSetError(f"can't read the file {file}: {reason}") from error
    return convert(decode(text, f"the file {file}"), Path(file).name)


def _write_file(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, "utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not the name of a file"
        raise TargetError(f"can't write {path}: {reason}") from error
