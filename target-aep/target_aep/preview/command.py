"""The command `target-aep preview`."""

from __future__ import annotations

import typing as t

import click
from singer_sdk.plugin_base import SingerCommand

from target_aep.mapping.paths import path_text
from target_aep.preview.path_explanation import explain, parse_wanted, values_at
from target_aep.preview.previewer import Previewer
from target_aep.preview.records import open_input, take_records
from target_aep.preview.table import (
    as_json,
    heading,
    heading_as_json,
    printable,
    shown_value,
    source_of,
    table,
)
from target_aep.subcommand_running import (
    config_option,
    input_options,
    make_onlooker,
    run,
    say,
    settings_of,
    with_mapping,
)

if t.TYPE_CHECKING:
    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.preview.previewer import PreviewedRecord
    from target_aep.target import TargetAEP

Record = dict[str, t.Any]

_LIMIT = 5


def preview_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The command, with the settings of a target, and what it does."""

    def invoke(
        config: _ConfigInput,
        mapping: str | None,
        path: str | None,
        stream: str,
        limit: int,
        wanted: str | None,
        as_lines: bool,
    ) -> None:
        settings = with_mapping(settings_of(config, target_class), mapping)
        shown: _Output = _Explanation(wanted) if wanted else _JsonLines() if as_lines else _Tables()
        status = run(
            lambda: make_onlooker(target_class, settings),
            lambda target: _preview(target, shown, path, stream, limit),
        )
        click.get_current_context().exit(status)

    return SingerCommand(
        name="preview",
        callback=invoke,
        params=[config_option(target_class), *_options()],
        help=summary,
        logger=target_class.logger,
    )


def _options() -> list[click.Option]:
    return [
        click.Option(
            ["--mapping"],
            help="Mapping set in place of the settings': a file, JSON text, or a built-in one.",
        ),
        *input_options(),
        click.Option(
            ["--limit"],
            type=click.IntRange(min=1),
            default=_LIMIT,
            show_default=True,
            help="The most records.",
        ),
        click.Option(
            ["--explain", "wanted"],
            metavar="PATH",
            help="Tell what fills a path of XDM; with --input also what it is in each record.",
        ),
        click.Option(["--json", "as_lines"], is_flag=True, help="Write JSON lines."),
    ]


class _Output(t.Protocol):
    """What is written of streams and records."""

    needs_input: bool

    def begin(self, previewer: Previewer, stream: str) -> None:
        """Write what is to be known of a stream, before its first record."""

    def write(self, record: PreviewedRecord) -> None:
        """Write a record."""


class _Tables:
    needs_input = True

    def begin(self, previewer: Previewer, stream: str) -> None:
        for line in heading(previewer.mapping_of(stream)):
            say(line)

    def write(self, record: PreviewedRecord) -> None:
        for line in table(record):
            say(line)


class _JsonLines:
    needs_input = True

    def begin(self, previewer: Previewer, stream: str) -> None:
        say(heading_as_json(previewer.mapping_of(stream)))

    def write(self, record: PreviewedRecord) -> None:
        say(as_json(record))


class _Explanation:
    """Of one path, for each stream; records only where an input is named."""

    needs_input = False

    def __init__(self, wanted: str) -> None:
        self._text = wanted
        self._paths: dict[str, t.Any] = {}

    def begin(self, previewer: Previewer, stream: str) -> None:
        mapping = previewer.mapping_of(stream)
        self._paths[stream] = parse_wanted(self._text, mapping.tenant)
        for line in explain(mapping, self._paths[stream]):
            say(printable(line))

    def write(self, record: PreviewedRecord) -> None:
        name = f"record {record.number}"
        if record.reason is not None:
            say(printable(f"{name}: REJECTED, {record.field or 'the record'}: {record.reason}"))
            return
        values = list(values_at(record, self._paths[record.stream]))
        if not values:
            say(f"{name}: no value")
        for value in values:
            place = path_text(value.path)
            say(f"{name}: {printable(place)} = {shown_value(value.value)} | {source_of(value)}")
        about = path_text(self._paths[record.stream])
        for warning in record.warnings:
            if warning.startswith(about):
                say(f"  ! {printable(warning)}")


def _preview(target: TargetAEP, output: _Output, path: str | None, stream: str, limit: int) -> int:
    previewer = Previewer(target)
    begun: set[str] = set()

    def begin(name: str) -> None:
        if name not in begun:
            begun.add(name)
            output.begin(previewer, name)

    def take(name: str, record: Record) -> None:
        begin(name)
        output.write(previewer.preview(name, record))

    if not output.needs_input and path is None:
        begin(stream)
        return 0
    with open_input(path) as lines:
        take_records(target, lines, stream, limit, take)
    if not previewer.records:
        begin(stream)
        say("The input has no records.")
    return int(previewer.records == previewer.rejected)
