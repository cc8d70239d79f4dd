"""The commands `target-aep plan` and `target-aep provision`."""

from __future__ import annotations

import json
import sys
import typing as t
from datetime import datetime, timezone
from pathlib import Path

import click
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import Unpack

from target_aep.api.schema_registry import SchemaRegistry
from target_aep.errors import TargetError
from target_aep.loading.destinations import make_client
from target_aep.provisioning.config_saving import save_settings
from target_aep.provisioning.dataset_wishes import dataset_wishes
from target_aep.provisioning.plan_text import plan_document, plan_lines, step_line, summary_line
from target_aep.provisioning.planning import make_plan
from target_aep.provisioning.steps import DATASET, Workshop
from target_aep.provisioning.tap_input import input_lines, read_samples
from target_aep.subcommand_running import (
    config_option,
    make_onlooker,
    run,
    say,
    settings_of,
    without_dataset,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.steps import Step
    from target_aep.target import TargetAEP

_SAMPLE = 5_000


class _Options(t.TypedDict):
    """What the command line says, beside `--config`."""

    path: str | None
    tap: str | None
    stream: str
    records: int
    profile: bool
    schema_title: str | None
    as_json: bool


def plan_command(target_class: type[TargetAEP]) -> click.Command:
    """The command `plan`, with the settings of a target."""

    def invoke(config: _ConfigInput, **options: Unpack[_Options]) -> None:
        settings = settings_of(config, target_class)
        status = run(
            lambda: make_onlooker(without_dataset(target_class), settings),
            lambda target: _show(_plans(target, options)[1], as_json=options["as_json"]),
        )
        click.get_current_context().exit(status)

    return SingerCommand(
        name="plan",
        callback=invoke,
        params=[config_option(target_class), *_plan_options()],
        help="Show what a sandbox lacks for the input: namespaces, fields, schema, dataset.",
        logger=target_class.logger,
    )


def provision_command(target_class: type[TargetAEP]) -> click.Command:
    """The command `provision`, with the settings of a target."""

    def invoke(
        config: _ConfigInput, yes: bool, save: Path | None, **options: Unpack[_Options]
    ) -> None:
        settings = settings_of(config, target_class)
        status = run(
            lambda: make_onlooker(without_dataset(target_class), settings),
            lambda target: _provision(target, options, yes=yes, save=save),
        )
        click.get_current_context().exit(status)

    return SingerCommand(
        name="provision",
        callback=invoke,
        params=[config_option(target_class), *_plan_options(), *_provision_options()],
        help="Make and extend what `plan` shows; safe to repeat, and to interrupt.",
        logger=target_class.logger,
    )


def _plan_options() -> list[click.Option]:
    return [
        click.Option(
            ["--input", "path"],
            help="File of Singer messages, or of records as JSON lines; default: stdin.",
        ),
        click.Option(
            ["--from-tap", "tap"],
            metavar="COMMAND",
            help="Run a tap for the input, e.g. 'tap-mixpanel-export --config tap.json'.",
        ),
        click.Option(
            ["--stream"],
            default="events",
            show_default=True,
            help="Stream of records that are not in messages.",
        ),
        click.Option(
            ["--records"],
            type=click.IntRange(min=0),
            default=_SAMPLE,
            show_default=True,
            help="The most records that are looked at.",
        ),
        click.Option(
            ["--profile"],
            is_flag=True,
            help="For Real-Time Customer Profile and the identity graph too; can't be undone.",
        ),
        click.Option(
            ["--schema-title"],
            help="Title of a schema that is to be made; default: the dataset's name.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Write JSON."),
    ]


def _provision_options() -> list[click.Option]:
    return [
        click.Option(["--yes"], is_flag=True, help="Don't ask before what can't be undone."),
        click.Option(
            ["--save"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write dataset_id into a configuration: a JSON file, or a .env file.",
        ),
    ]


def _plans(target: TargetAEP, options: _Options) -> tuple[Workshop, list[Plan]]:
    settings = target.settings
    if settings.credential is None:
        raise TargetError(
            "destination: there is nothing to provision for local; set it to platform"
        )
    client = make_client(settings, settings.credential, target.rules)
    with input_lines(options["path"], options["tap"]) as lines:
        samples = read_samples(target, lines, options["stream"], options["records"])
    tenant = SchemaRegistry(client).tenant()
    wishes = dataset_wishes(target, samples, tenant, profile=options["profile"])
    plans = [
        make_plan(
            client,
            wish,
            tenant,
            schema_title=options["schema_title"],
            now=lambda: datetime.now(timezone.utc),
        )
        for wish in wishes
    ]
    _forget_repeated_steps(plans)
    return Workshop(client), plans


def _forget_repeated_steps(plans: Sequence[Plan]) -> None:
    """What an earlier plan makes too (a namespace) is there when a later one's turn comes."""
    seen: list[Step] = []
    for plan in plans:
        plan.steps = [step for step in plan.steps if step not in seen]
        seen += [step for step in plan.steps if step.shared]


def _show(plans: Sequence[Plan], *, as_json: bool) -> int:
    if as_json:
        say(json.dumps([plan_document(plan) for plan in plans], indent=2, ensure_ascii=False))
    else:
        for plan in plans:
            for line in plan_lines(plan):
                say(line)
        say(summary_line(plans))
    return int(any(plan.refusals for plan in plans))


def _provision(target: TargetAEP, options: _Options, *, yes: bool, save: Path | None) -> int:
    workshop, plans = _plans(target, options)
    if not options["as_json"]:
        _show(plans, as_json=False)
    if any(plan.refusals for plan in plans):
        if options["as_json"]:
            _show(plans, as_json=True)
        raise TargetError(
            "nothing was done: put right what can't be done (lines with !), then run again"
        )
    irrevocable = [step for plan in plans for step in plan.steps if step.asks]
    if irrevocable and not yes:
        _ask(irrevocable)
    for plan in plans:
        workshop.made = dict(plan.made)
        for step in plan.steps:
            identifier = step.apply(workshop)
            if not options["as_json"]:
                say(step_line(step, identifier))
        plan.made.update(workshop.made)
    if options["as_json"]:
        _show(plans, as_json=True)
    else:
        _tell_ids(plans)
    if save is not None:
        _save(target, plans, save)
    return 0


def _ask(steps: Sequence[Step]) -> None:
    what = "; ".join(f"{step.title} ({step.irreversible})" for step in steps)
    if not sys.stdin.isatty():
        raise TargetError(
            f"{what}: this needs a yes, and there is no terminal to ask at: add --yes (and nothing "
            "was done yet)"
        )
    click.confirm(f"{what}. Go on?", abort=True, err=True)


def _tell_ids(plans: Sequence[Plan]) -> None:
    for plan in plans:
        for what, identifier in plan.made.items():
            say(f"{what} of {plan.name!r}: {identifier}")
    if len(plans) == 1 and DATASET in plans[0].made:
        identifier = plans[0].made[DATASET]
        say(f"With Meltano: meltano config set target-aep dataset_id {identifier}")


def _save(target: TargetAEP, plans: Sequence[Plan], path: Path) -> None:
    ids = {plan.name: plan.made[DATASET] for plan in plans}
    if len(ids) != 1:
        raise TargetError("--save: there are several datasets; name each stream's in datasets")
    save_settings(path, {"dataset_id": next(iter(ids.values()))}, target.name)
    say(f"dataset_id is written to {path}")
