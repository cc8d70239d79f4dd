"""`schema_evolution`: properties without a typed field are reported, or given one, after a run."""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass, field

from target_aep.errors import TargetError
from target_aep.mapping.paths import parse_path
from target_aep.provisioning.property_fields import PropertyCensus, propose_fields
from target_aep.provisioning.value_kinds import type_name_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.loading.destination import Binding
    from target_aep.mapping.model import MappingSet
    from target_aep.provisioning.property_fields import Proposal, Proposals
    from target_aep.xdm.schema import XdmField

logger = logging.getLogger("target-aep")

Mode = t.Literal["off", "plan", "apply"]
FieldPath = tuple[str, ...]

MOST_ADDED: t.Final = 500
"""Fields that one run adds to a schema: a project can make up names without end."""

_SHOWN = 20


class AddFields(t.Protocol):
    """Adds fields to the schema of a dataset."""

    def __call__(
        self, dataset: str, parent: FieldPath, proposals: Sequence[Proposal]
    ) -> Sequence[str]:
        """Add them, and give the paths of those that are new; TargetError if that can't be."""


@dataclass
class Evolved:
    """What one run found out about the properties of a dataset, and what became of it.

    Attributes:
        dataset: The dataset's id; empty where there is none.
        parent: The object that holds typed properties, from the root of the event.
        proposals: The fields that its schema could be given.
        added: Paths of those that it was given.
        problem: Why it was given none; None if nothing went wrong.
    """

    dataset: str
    parent: FieldPath
    proposals: Proposals
    added: Sequence[str] = ()
    problem: str | None = None

    def path_of(self, proposal: Proposal) -> str:
        """The XDM path of a field, as mapping sets write it."""
        return ".".join((*self.parent, *proposal.path)).replace(".[]", "[*]")

    def document(self) -> dict[str, t.Any]:
        """What the summary of a run says of it."""
        return {
            "datasetId": self.dataset or None,
            "proposed": [
                {
                    "path": self.path_of(each),
                    "type": type_name_of(each.node),
                    "property": each.property,
                    "reason": each.reason,
                    "count": each.count,
                }
                for each in self.proposals.fields[:MOST_ADDED]
            ],
            "notListed": max(0, len(self.proposals.fields) - MOST_ADDED),
            "added": list(self.added),
            "keptInMap": [
                {"property": each.property, "reason": each.why, "count": each.count}
                for each in self.proposals.kept[:MOST_ADDED]
            ],
            "problem": self.problem,
        }


@dataclass
class _Subject:
    """The properties that go into one object of one dataset, from all streams."""

    dataset: str
    parent: FieldPath
    existing: XdmField | None
    census: PropertyCensus = field(default_factory=PropertyCensus)


class SchemaEvolution:
    """Watches a run for properties without a typed field; at its end tells of them or adds fields.

    Attributes:
        results: What came of it, a result for each dataset with something to tell.
    """

    def __init__(self, mode: Mode) -> None:
        """Begin a run.

        Args:
            mode: The setting `schema_evolution`.
        """
        self._mode = mode
        self._subjects: dict[tuple[str, FieldPath], _Subject] = {}
        self.results: list[Evolved] = []

    def census_of(self, binding: Binding, mapping_set: MappingSet) -> PropertyCensus | None:
        """Where a stream's properties without a typed field are counted.

        Args:
            binding: Where the stream goes.
            mapping_set: With the tenant's id in it.

        Returns:
            The census, one for all streams with the same place; None if evolution is off, or the
            set has no rule for properties.
        """
        rule = mapping_set.remainder
        if self._mode == "off" or rule is None:
            return None
        parent = tuple(map(str, parse_path(rule.fields)))
        existing = binding.schema.find(parent) if binding.schema else None
        subject = _Subject(binding.dataset, parent, existing)
        return self._subjects.setdefault((binding.dataset, parent), subject).census

    def finish(self, add_fields: AddFields) -> None:
        """Tell what was found, or add the fields; what goes wrong is a warning, no more.

        Args:
            add_fields: Called with `apply` for each dataset with something to add, once.
        """
        for subject in self._subjects.values():
            proposals = propose_fields(subject.census, subject.existing)
            if not (proposals.fields or proposals.kept or proposals.others):
                continue
            result = Evolved(subject.dataset, subject.parent, proposals)
            self.results.append(result)
            if self._mode == "apply" and proposals.fields:
                _apply(result, add_fields)
            for line in _lines(result, self._mode):
                logger.info("%s", line)
            if result.problem:
                logger.warning("%s", _advice(result))


def _apply(result: Evolved, add_fields: AddFields) -> None:
    chosen = result.proposals.fields[:MOST_ADDED]
    try:
        added = add_fields(result.dataset, result.parent, chosen)
        result.added = [path.replace(".[]", "[*]") for path in added]
    except TargetError as error:
        result.problem = str(error)
    except Exception as error:  # all is loaded: a defect here must not make a failure of that
        result.problem = f"unexpected {type(error).__name__}, please report it"
        logger.debug("%s", result.problem, exc_info=error)


def _advice(result: Evolved) -> str:
    return (
        f"schema_evolution: the {len(result.proposals.fields)} new fields could not be added to "
        f"the schema of the dataset {result.dataset}: {result.problem}. All records are loaded, "
        "and these properties stay in the map: put right what is said, and the next run adds the "
        "fields that its records show; or run target-aep provision, or set schema_evolution to plan"
    )


def _lines(result: Evolved, mode: Mode) -> Iterator[str]:
    proposals, where = result.proposals, f"the dataset {result.dataset}"
    if not result.dataset:
        where = "the schema"
    if result.added:
        yield (
            f"schema_evolution: {len(result.added)} fields were added for {where}; values go "
            "into them in runs that begin 16 minutes from now or later, and to the map until then: "
            f"{_listed(result.added)}"
        )
    elif mode == "apply" and proposals.fields and not result.problem:
        yield (
            f"schema_evolution: the {len(proposals.fields)} fields that {where} lacked when this "
            "run began are there by now: another run, or target-aep provision, was first. Values "
            "go into them in later runs"
        )
    elif proposals.fields and not result.problem:
        shown = [_line_of(result, each) for each in proposals.fields[:_SHOWN]]
        more = len(proposals.fields) - len(shown)
        yield (
            f"schema_evolution: {len(proposals.fields)} fields would be added for {where} "
            f"(set it to apply, or run target-aep provision): {'; '.join(shown)}"
            + (f"; and {more} more" if more else "")
        )
    left = len(proposals.fields) - MOST_ADDED
    if mode == "apply" and left > 0 and not result.problem:
        yield (
            f"schema_evolution: {left} more properties of {where} have no field: a run adds the "
            f"{MOST_ADDED} most frequent, later ones go on"
        )
    for why in sorted({each.why for each in proposals.kept}):
        names = [each.property for each in proposals.kept if each.why == why]
        yield (
            f"schema_evolution: {len(names)} properties of {where} can't have a field and stay in "
            f"the map ({why}): {_listed(names)}"
        )
    if proposals.others:
        yield (
            f"schema_evolution: {proposals.others} values of {where} were of properties beyond "
            "the first thousands, which are not looked at: does the tap make names of values?"
        )


def _line_of(result: Evolved, proposal: Proposal) -> str:
    return f"{result.path_of(proposal)} ({type_name_of(proposal.node)}, {proposal.count} times)"


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - _SHOWN
    return ", ".join(paths[:_SHOWN]) + (f", and {more} more" if more > 0 else "")
