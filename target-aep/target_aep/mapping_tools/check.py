"""The work of `target-aep mapping check`."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.data_prep.policies import Policies
from target_aep.errors import TargetError
from target_aep.loading.destinations import make_client
from target_aep.mapping.paths import MISSING
from target_aep.mapping.stream_mapping import fetch
from target_aep.mapping_tools.adobe_comparison import LocalSide
from target_aep.mapping_tools.adobe_preview import current_form, preview, schema_id_of, validate
from target_aep.mapping_tools.examination import examinations
from target_aep.preview.records import read_bare_records
from target_aep.preview.table import printable, shown_value
from target_aep.subcommand_running import say

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.loading.destination import Binding
    from target_aep.mapping_tools.adobe_comparison import Comparison
    from target_aep.mapping_tools.examination import Examination
    from target_aep.target import TargetAEP

Record = dict[str, t.Any]

_DEFAULT_STREAM = "events"


@dataclass(frozen=True)
class CheckOptions:
    """What is asked for beside the check itself.

    Attributes:
        stream: Whose dataset is used for the setting `mapping`; None chooses one.
        records: A file of records for the comparison with Adobe.
        adobe: Whether to compare.
    """

    stream: str | None = None
    records: str | None = None
    adobe: bool = False


class MappingCheck:
    """Checks the mapping sets that settings name, whatever is wrong with them."""

    def __init__(self, settings: Record, options: CheckOptions) -> None:
        """Read the sets that are at hand.

        Args:
            settings: Of the target, not checked.
            options: What is asked for.

        Raises:
            TargetError: The options do not go together.
        """
        if options.adobe and options.records is None:
            raise TargetError(
                "--adobe needs records to compare: give a file of JSON lines (or of Singer "
                "messages) as --records"
            )
        if options.records is not None and not options.adobe:
            raise TargetError(
                "--records is for --adobe; `target-aep preview --input FILE` shows what records "
                "become"
            )
        self._options = options
        self._settings = settings
        self._examined = examinations(settings)
        self._variables = _texts(settings.get("variables"))
        self._policies = _policies(settings)
        for each in self._examined:
            each.load(self._variables, self._policies)

    @property
    def settings(self) -> Record:
        """The settings with a mapping that nothing can be wrong with, so that the others count.

        Sets that have to be fetched stay named, since that needs a credential.
        """
        needs_tenant = any(each.needs_tenant for each in self._examined)
        destination = "_${TENANT_ID}.checked" if needs_tenant else "checked"
        harmless = [{"sourceType": "STATIC", "source": "checked", "destination": destination}]
        to_fetch = {each.setting: each.value for each in self._examined if each.is_elsewhere}
        return {**self._settings, "mapping": harmless, "mappings": to_fetch}

    def run(self, target: TargetAEP) -> int:
        """Check, and write what was found.

        Args:
            target: Made of `settings`.

        Returns:
            The exit code: 0 if nothing is wrong.

        Raises:
            TargetError: Something else than the sets is wrong.
        """
        bad = sum(not self._check(target, each) for each in self._examined)
        if not bad and self._options.adobe:
            bad = sum(not self._compare(target, each) for each in self._examined)
        return int(bad > 0)

    def _check(self, target: TargetAEP, examined: Examination) -> bool:
        if examined.is_elsewhere:
            examined.load(
                self._variables, self._policies, lambda reference: fetch(target, reference)
            )
        binding = self._binding(target, examined)
        if binding:
            examined.compile(binding.schema, binding.tenant, self._policies)
        else:
            examined.compile(None, "tenant", self._policies)
        _write(examined, _against(binding))
        return not examined.errors

    def _compare(self, target: TargetAEP, examined: Examination) -> bool:
        settings, mapping_set = target.settings, examined.mapping_set
        if settings.credential is None:
            raise TargetError(
                "--adobe needs a credential: set client_id, client_secret, org_id and dataset_id, "
                "with destination=platform"
            )
        binding = self._binding(target, examined)
        if binding is None or mapping_set is None:
            return True
        client = make_client(settings, settings.credential, target.rules)
        document = current_form(mapping_set, schema_id_of(client, binding.dataset))
        refusals = validate(client, document)
        for line in refusals or ():
            say(printable(f"  Adobe does not accept {line}"))
        side = LocalSide(mapping_set, binding.schema, self._policies)
        records = read_bare_records(str(self._options.records))
        compared = [side.compare(record, preview(client, document, record)) for record in records]
        differing = _write_comparisons(compared)
        return not refusals and not differing

    def _binding(self, target: TargetAEP, examined: Examination) -> Binding | None:
        """The dataset of a set's stream; None where no stream is left for it."""
        stream = examined.stream or self._options.stream or self._default_stream()
        return target.destination.bind(stream) if stream else None

    def _default_stream(self) -> str | None:
        """A stream that has no set of its own."""
        settings = self._settings
        named = settings.get("datasets")
        if not named or settings.get("dataset_id") or settings.get("dataset_name"):
            return _DEFAULT_STREAM
        own = settings.get("mappings") or {}
        return next((stream for stream in named if stream not in own), None)


def _write(examined: Examination, against: str) -> None:
    mapping_set = examined.mapping_set
    name = f"mapping set {mapping_set.name}" if mapping_set else "no mapping set"
    count = f" ({len(mapping_set.mappings)} mappings)" if mapping_set else ""
    say(printable(f"{examined.setting}: {name}{count}, {against}"))
    for kind, lines in (("error", examined.errors), ("warning", examined.warnings)):
        for line in lines:
            say(printable(f"  {kind}: {line}"))
    say(
        f"  {_counted(len(examined.errors), 'error')}, "
        f"{_counted(len(examined.warnings), 'warning')}"
    )


def _write_comparisons(compared: Sequence[Comparison]) -> int:
    """Write what differs; how many records do."""
    differing = 0
    for number, comparison in enumerate(compared, start=1):
        lines = list(_difference_lines(comparison))
        differing += bool(comparison.differences or comparison.rejection)
        if lines:
            say(f"  record {number}:")
        for line in lines:
            say(printable(f"    {line}"))
    paths = sum(len(comparison.differences) for comparison in compared)
    say(
        f"  {_counted(len(compared), 'record')} compared with Adobe's preview: "
        f"{_counted(paths, 'difference')} in {_counted(differing, 'record')}"
    )
    return differing


def _difference_lines(comparison: Comparison) -> t.Iterator[str]:
    if comparison.rejection:
        yield f"rejected here ({comparison.rejection}), Adobe's preview maps it"
    for each in comparison.differences:
        yield f"{each.path}: here {_shown(each.local)}, Adobe {_shown(each.adobe)}"
    for error in comparison.errors:
        yield f"Adobe says: {error}"


def _shown(value: t.Any) -> str:
    return "nothing" if value is MISSING else shown_value(value)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _against(binding: Binding | None) -> str:
    if binding is None:
        return "which no stream uses"
    if binding.schema is None:
        return (
            "against no schema (none is known: set schema_path, or the credential and the dataset)"
        )
    dataset = f"the dataset {binding.dataset}" if binding.dataset else "schema_path"
    return f"against the schema of {dataset}"


def _texts(variables: t.Any) -> dict[str, str]:
    """The setting `variables`; what is wrong with it is told when all settings are checked."""
    if not isinstance(variables, dict):
        return {}
    return {name: text for name, text in variables.items() if isinstance(text, str)}


def _policies(settings: Record) -> Policies:
    default = Policies()
    arithmetic = "zero" if settings.get("null_in_arithmetic") == "zero" else "error"
    method = "error" if settings.get("method_on_null") == "error" else default.method_on_null
    return Policies(null_in_arithmetic=t.cast("t.Any", arithmetic), method_on_null=method)
