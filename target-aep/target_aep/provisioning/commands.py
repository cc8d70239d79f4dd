"""The commands `target-aep plan` and `target-aep provision`."""

from __future__ import annotations

import json
import logging
import sys
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import click
from singer_sdk.plugin_base import SingerCommand
from typing_extensions import Unpack

from target_aep.api.schema_registry import SchemaRegistry
from target_aep.errors import TargetError
from target_aep.loading.destinations import make_client
from target_aep.mapping.model import MappingSet
from target_aep.provisioning.config_saving import check_can_save, save_dataset_id
from target_aep.provisioning.dataset_wishes import dataset_wishes
from target_aep.provisioning.plan_text import plan_document, plan_lines, step_line, summary_line
from target_aep.provisioning.planning import make_plan
from target_aep.provisioning.steps import DATASET, Workshop
from target_aep.provisioning.tap_input import StreamSample, input_lines, read_samples
from target_aep.provisioning.tenant_fields import knows_columns
from target_aep.subcommand_running import (
    config_option,
    input_options,
    make_onlooker,
    run,
    say,
    settings_of,
    without_dataset,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.api.client import PlatformClient
    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.steps import Step
    from target_aep.provisioning.wishes import DatasetWish
    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")

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


def plan_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The command `plan`, with the settings of a target, and what it does."""

    def invoke(config: _ConfigInput, **options: Unpack[_Options]) -> None:
        settings = settings_of(config, target_class)
        status = run(
            lambda: make_onlooker(without_dataset(target_class), settings),
            lambda target: _show(_order(target, options).plans(), as_json=options["as_json"]),
        )
        click.get_current_context().exit(status)

    return SingerCommand(
        name="plan",
        callback=invoke,
        params=[config_option(target_class), *_plan_options()],
        help=summary,
        logger=target_class.logger,
    )


def provision_command(target_class: type[TargetAEP], summary: str) -> click.Command:
    """The command `provision`, with the settings of a target, and what it does."""

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
        help=summary,
        logger=target_class.logger,
    )


def _plan_options() -> list[click.Option]:
    return [
        *input_options(),
        click.Option(
            ["--from-tap", "tap"],
            metavar="COMMAND",
            help="Run a tap for the input, e.g. 'tap-mixpanel-export --config tap.json'.",
        ),
        click.Option(
            ["--records"],
            type=click.IntRange(min=1),
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


@dataclass(frozen=True)
class _Order:
    """What is to be planned: the datasets with their streams, and where."""

    client: PlatformClient
    tenant: str
    wishes: list[DatasetWish]
    schema_title: str | None

    def plan(self, wish: DatasetWish) -> Plan:
        """Compare what one dataset needs with what is there now."""
        return make_plan(
            self.client,
            wish,
            self.tenant,
            schema_title=self.schema_title,
            now=lambda: datetime.now(timezone.utc),
        )

    def plans(self) -> list[Plan]:
        """The plans of all datasets, as things are now."""
        plans = [self.plan(wish) for wish in self.wishes]
        _forget_repeated_steps(plans)
        return plans


def _order(target: TargetAEP, options: _Options) -> _Order:
    settings = target.settings
    if settings.credential is None:
        raise TargetError(
            "destination: there is nothing to provision for local; set it to platform"
        )
    if options["path"] is not None and options["tap"] is not None:
        raise TargetError("--input and --from-tap both say where the input comes from: give one")
    client = make_client(settings, settings.credential, target.rules)
    with input_lines(options["path"], options["tap"]) as lines:
        samples = read_samples(target, lines, options["stream"], options["records"])
    if not samples:
        samples = [_nothing_known(target, options)]
    tenant = SchemaRegistry(client).tenant()
    wishes = dataset_wishes(target, samples, tenant, profile=options["profile"])
    return _Order(client, tenant, wishes, options["schema_title"])


def _nothing_known(target: TargetAEP, options: _Options) -> StreamSample:
    """A stream without SCHEMA and records, where its mapping set tells enough of it.

    Raises:
        TargetError: An input was named, or types of fields would have to be guessed.
    """
    given = "--input" if options["path"] else "--from-tap" if options["tap"] else None
    if given:
        raise TargetError(f"{given}: there is neither a SCHEMA nor a record in it")
    sample = StreamSample(options["stream"])
    chosen = target.settings.mappings.by_stream.get(sample.stream, target.settings.mappings.default)
    if not isinstance(chosen, MappingSet) or not knows_columns(chosen):
        raise TargetError(
            "there is no input, and the types of fields are those of records: give --input FILE or "
            "--from-tap COMMAND, or pipe the tap's output in"
        )
    logger.warning(
        "There is no input: properties get no fields of their own. Give --input FILE or "
        "--from-tap COMMAND, or pipe the tap's output in"
    )
    return sample


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
    if save is not None:
        check_can_save(save)
    order = _order(target, options)
    plans, as_json = order.plans(), options["as_json"]
    if not as_json:
        _show(plans, as_json=False)
    if any(plan.refusals for plan in plans):
        if as_json:
            _show(plans, as_json=True)
        raise TargetError(
            "nothing was done: put right what can't be done (lines with !), then run again"
        )
    irrevocable = [step for plan in plans for step in plan.steps if step.asks]
    if irrevocable and not yes:
        _ask(irrevocable)
    done: list[Plan] = []
    try:
        _do(order, plans, done, say_steps=not as_json)
    finally:
        # The ids of what is made by now, also if it ends with an error.
        if as_json:
            _show(done, as_json=True)
    if not as_json:
        _tell_ids(target, done)
    if save is not None:
        _save(target, done, save, to_stderr=as_json)
    return 0


def _do(order: _Order, plans: Sequence[Plan], done: list[Plan], *, say_steps: bool) -> None:
    """Do the plans one after the other; those that are begun are added to `done`."""
    for wish, first in zip(order.wishes, plans, strict=True):
        # Datasets may share a schema: what the ones before have changed counts.
        plan = order.plan(wish) if done else first
        done.append(plan)
        if plan.refusals:
            refusal = plan.refusals[0]
            raise TargetError(
                f"dataset {plan.name!r}: {refusal.what}: {refusal.proposal}; the datasets before "
                "it are done"
            )
        workshop = Workshop(order.client, plan.made)
        for step in plan.steps:
            identifier = step.apply(workshop)
            if say_steps:
                say(step_line(step, identifier))


def _ask(steps: Sequence[Step]) -> None:
    what = "; ".join(f"{step.title} ({step.irreversible})" for step in steps)
    if not sys.stdin.isatty():
        raise TargetError(
            f"{what}: this needs a yes, and there is no terminal to ask at: add --yes (and nothing "
            "was done yet)"
        )
    # A whole line, as Meltano shows no other.
    say(f"{what}. Go on? Type yes or no:")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise TargetError("nothing was done, for want of a yes")


def _tell_ids(target: TargetAEP, plans: Sequence[Plan]) -> None:
    for plan in plans:
        for what, identifier in plan.made.items():
            say(f"{what} of {plan.name!r}: {identifier}")
    if len(plans) == 1 and target.settings.dataset_choice.dataset_name:
        say(
            "dataset_name finds the dataset; nothing needs to be changed. To name it by its id "
            f"instead, with Meltano: meltano config unset {target.name} dataset_name; "
            f"meltano config set {target.name} dataset_id {plans[0].made[DATASET]}"
        )


def _save(target: TargetAEP, plans: Sequence[Plan], path: Path, *, to_stderr: bool) -> None:
    ids = {plan.made[DATASET] for plan in plans}
    if len(ids) != 1:
        raise TargetError("--save: there are several datasets; name each stream's in datasets")
    had_name = save_dataset_id(path, ids.pop(), target.name)
    tell = logger.info if to_stderr else say
    tell(f"dataset_id is written to {path}")
    if target.settings.dataset_choice.dataset_name and not had_name:
        tell(
            "dataset_name is set elsewhere: take it out there, as only one of the two can be set "
            f"(with Meltano: meltano config unset {target.name} dataset_name)"
        )
