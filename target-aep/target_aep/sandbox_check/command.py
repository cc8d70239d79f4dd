"""The command `target-aep check`."""

from __future__ import annotations

import typing as t
from collections import Counter

import click
from singer_sdk.plugin_base import SingerCommand

from target_aep.sandbox_check.check import SandboxCheck
from target_aep.sandbox_check.local import local_findings
from target_aep.subcommand_running import (
    config_option,
    make_onlooker,
    run,
    say,
    settings_of,
    without_dataset,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.sandbox_check.findings import Finding, Level
    from target_aep.target import TargetAEP


def check_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The command, with the settings of a target, and what it does."""
    onlooker_class = without_dataset(target_class)

    def invoke(config: _ConfigInput, as_lines: bool) -> None:
        settings = settings_of(config, target_class)
        status = run(
            lambda: make_onlooker(onlooker_class, settings),
            lambda target: _check(target, as_lines=as_lines),
        )
        click.get_current_context().exit(status)

    return SingerCommand(
        name="check",
        callback=invoke,
        params=[
            config_option(target_class),
            click.Option(["--json", "as_lines"], is_flag=True, help="Write JSON lines."),
        ],
        help=summary,
        logger=target_class.logger,
    )


def _check(target: TargetAEP, *, as_lines: bool) -> int:
    """Write what is found; the exit code, 0 if nothing failed."""
    levels: Counter[Level] = Counter()
    for finding in _findings(target):
        levels[finding.level] += 1
        say(target.rules.redact(finding.as_json() if as_lines else finding.as_line()))
    if not as_lines:
        say(
            f"{levels['ok']} ok, {levels['warn']} to be looked at (warn), {levels['fail']} failed, "
            f"{levels['skip']} skipped"
        )
    return int(levels["fail"] > 0)


def _findings(target: TargetAEP) -> Iterator[Finding]:
    credential = target.settings.credential
    if credential is None:
        return local_findings(target)
    return SandboxCheck(target, credential).findings()
