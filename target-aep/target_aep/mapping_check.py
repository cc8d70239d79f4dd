"""What is wrong with a mapping set, found before any record or request."""

from __future__ import annotations

import typing as t

from target_aep.compiled_mapping import compile_source, destination_names
from target_aep.errors import MappingSetError
from target_aep.paths import parse_path

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.compiled_mapping import Names
    from target_aep.mapping_set import MappingSet, Remainder

_ANY_TENANT = "tenant"


def complaints_about(mapping_set: MappingSet) -> list[str]:
    """One line per mistake: paths and expressions that can't be used, destinations that clash."""
    checked = mapping_set.for_tenant(_ANY_TENANT)
    complaints = []
    destinations: list[tuple[Names, str]] = []
    for number, mapping in enumerate(checked.mappings, start=1):
        where = f"mapping set {checked.name}, mapping {number}"
        try:
            compile_source(mapping)
            destinations.append((destination_names(mapping.destination), where))
        except MappingSetError as error:
            complaints.append(f"{where}: {error}")
    if checked.remainder:
        complaints.extend(_remainder_complaints(checked.remainder, checked.name, destinations))
    return [*complaints, *_clashes(destinations)]


def _remainder_complaints(
    rule: Remainder, name: str, destinations: list[tuple[Names, str]]
) -> Iterator[str]:
    """Complaints about the paths of the rule; good ones join the destinations."""
    where = f"mapping set {name}, remainder"
    try:
        parse_path(rule.source)
    except MappingSetError as error:
        yield f"{where}: {error}"
    for text in (rule.fields, rule.rest):
        try:
            # What is mapped below these objects is merged with what they take.
            destinations.append(((*destination_names(text), ""), where))
        except MappingSetError as error:
            yield f"{where}: {error}"


def _clashes(destinations: list[tuple[Names, str]]) -> Iterator[str]:
    """Destinations that another one lies below: it can't be a value and an object of others."""
    taken = dict(destinations)
    for names, where in destinations:
        for length in range(1, len(names)):
            above = names[:length]
            if above in taken:
                yield (
                    f"{where}: destination {'.'.join(filter(None, names))} lies below "
                    f"{'.'.join(above)}, which is the destination of {taken[above]}"
                )
