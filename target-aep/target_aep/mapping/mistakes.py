"""What is wrong with a mapping set, found before any record: all of it at once."""

from __future__ import annotations

import math
import re
import typing as t

from target_aep.data_prep.policies import Policies
from target_aep.errors import MappingSetError
from target_aep.mapping.compiled_mapping import compile_mappings
from target_aep.mapping.destination_paths import complaint_about_path, field_at, parse_destination
from target_aep.mapping.paths import EACH, parse_path, path_text
from target_aep.mapping.variables import unfilled_in_literals, unfilled_in_text
from target_aep.xdm.coercion import compile_coercer
from target_aep.xdm.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.data_prep.function import Kind
    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.model import MappingSet, Remainder
    from target_aep.mapping.paths import WildPath
    from target_aep.xdm.schema import XdmField

_NUMBER = re.compile(r", mapping (\d+): ")
_ANY_TENANT = "tenant"
_CONTAINERS = frozenset({"array", "object", "map"})
_SCALARS: t.Final[frozenset[Kind]] = frozenset({"text", "boolean", "integer", "number", "date"})
_DEFAULT_POLICIES: t.Final = Policies()

# What no value of a kind can be converted to.
_NEVER: t.Final[dict[Kind, frozenset[str]]] = {
    "any": frozenset(),
    "text": _CONTAINERS,
    "boolean": _CONTAINERS | {"integer", "number", "date", "date-time"},
    "integer": _CONTAINERS | {"boolean"},
    "number": _CONTAINERS | {"boolean"},
    "date": _CONTAINERS | {"boolean", "number"},
    "array": frozenset(
        {"string", "boolean", "integer", "number", "date", "date-time", "object", "map"}
    ),
    "object": frozenset({"string", "boolean", "integer", "number", "date", "date-time", "array"}),
}

_CALL: t.Final = re.compile(r"\s*[A-Za-z_]\w*\(")


def complaints_about(mapping_set: MappingSet, policies: Policies = _DEFAULT_POLICIES) -> list[str]:
    """What can be told without the dataset's schema: a line per mistake, with its mapping's number.

    Args:
        mapping_set: With its variables filled; the tenant may be open.
        policies: How expressions are read.
    """
    checked = mapping_set.for_tenant(_ANY_TENANT)
    compiled, complaints = compile_mappings(checked, policies)
    return in_order([*complaints, *clashes(checked, compiled)])


def in_order(complaints: Sequence[str]) -> list[str]:
    """Complaints in the order of the mappings that they are about, those about none last."""

    def number(complaint: str) -> float:
        found = _NUMBER.search(complaint)
        return int(found[1]) if found else math.inf

    return sorted(complaints, key=number)


def clashes(mapping_set: MappingSet, compiled: Sequence[CompiledMapping]) -> Iterator[str]:
    """Paths of the remainder rule that can't be used, and destinations that can't be filled."""
    yield from _unfillable(mapping_set.name, compiled)
    places = [(f"mapping {each.number}", each.steps) for each in compiled]
    if mapping_set.remainder:
        yield from _remainder_complaints(mapping_set.remainder, mapping_set.name, places)
    by_steps = {each.steps: each for each in compiled}
    kinds: dict[WildPath, tuple[bool, str]] = {}
    for who, steps in places:
        where = f"mapping set {mapping_set.name}, {who}: destination {path_text(steps)}"
        for length in range(1, len(steps)):
            above, is_object = steps[:length], isinstance(steps[length], str)
            whole = by_steps.get(above)
            if whole and (not is_object or _is_no_object(whole)):
                yield (
                    f"{where} lies below {path_text(above)}, which is the destination of mapping "
                    f"{whole.number}, {_what_it_gives(whole, is_object)}"
                )
            was_object, first = kinds.setdefault(above, (is_object, who))
            if was_object != is_object:
                yield (
                    f"{where} takes {path_text(above)} for {_shape(is_object)}, {first} takes it "
                    f"for {_shape(was_object)}"
                )


def schema_complaints(
    mapping_set: MappingSet, compiled: Sequence[CompiledMapping], schema: XdmField
) -> Iterator[str]:
    """What does not go with the dataset's schema."""
    for mapping in compiled:
        where = f"mapping set {mapping_set.name}, mapping {mapping.number}"
        field = field_at(schema, mapping.steps)
        if field is not None:
            complaint = _misfit(mapping, field)
            if complaint:
                yield f"{where}: {complaint}"
        elif mapping_set.missing_fields == "error":
            yield f"{where}: {complaint_about_path(schema, mapping.steps)}"


def notes_about(mapping_set: MappingSet, compiled: Sequence[CompiledMapping]) -> Iterator[str]:
    """What is no mistake, and worth a warning once."""
    yield from mapping_set.notes
    first: dict[WildPath, int] = {}
    for each in compiled:
        where = f"mapping set {mapping_set.name}, mapping {each.number}"
        for caveat in each.source.caveats:
            yield f"{where}: {caveat}"
        if each.mapping.source_type == "ATTRIBUTE" and _CALL.match(each.mapping.source):
            yield (
                f"{where}: the source {each.mapping.source!r} is read as the path of an attribute, "
                "and looks like an expression: if it is one, set sourceType to EXPRESSION"
            )
        for name in _unfilled(each):
            yield (
                f"{where}: the placeholder ${{{name}}} has no text in the setting variables, so it "
                "is sent as it is"
            )
        number = first.setdefault(each.steps, each.number)
        if number != each.number and not each.mapping.replaces:
            yield (
                f"{where}: {each.destination} is the destination of mapping {number} too; the last "
                'that has a value is taken (say "replaces": true if that is meant)'
            )


def _unfillable(name: str, compiled: Sequence[CompiledMapping]) -> Iterator[str]:
    """Complaints about `[*]` for every element of a list that no mapping makes elements of."""
    made: set[WildPath] = set()
    for each in filter(_makes_elements, compiled):
        steps = _any_position(each.steps)
        made.update(steps[:end] for end in range(1, len(steps) + 1))
    for each in compiled:
        if _makes_elements(each):
            continue
        last = len(each.steps) - 1 - each.steps[::-1].index(EACH)
        if _any_position(each.steps[: last + 1]) not in made:
            first = path_text((*each.steps[:last], 0, *each.steps[last + 1 :]))
            yield (
                f"mapping set {name}, mapping {each.number}: destination {each.destination}: no "
                f"mapping makes elements of {path_text(each.steps[:last])}; give a position, as "
                f"{first}, or map a list with [*] at both its source and its destination"
            )


def _makes_elements(mapping: CompiledMapping) -> bool:
    """Whether a mapping may make elements of all lists at its destination by itself."""
    is_given = mapping.steps.count(EACH) <= mapping.source.wildcards
    return is_given or (_takes_apart(mapping) and mapping.source.kind not in _SCALARS)


def _takes_apart(mapping: CompiledMapping) -> bool:
    """Whether a list goes to the destination element by element."""
    return mapping.steps.count(EACH) == mapping.source.wildcards + 1


def _any_position(steps: WildPath) -> WildPath:
    return tuple(step if isinstance(step, str) else EACH for step in steps)


def _remainder_complaints(
    rule: Remainder, name: str, places: list[tuple[str, WildPath]]
) -> Iterator[str]:
    """Complaints about the paths of the rule; good ones join the places."""
    where = f"mapping set {name}, remainder"
    try:
        parse_path(rule.source)
    except MappingSetError as error:
        yield f"{where}: {error}"
    for text in (rule.fields, rule.rest):
        try:
            steps = parse_destination(text)
        except MappingSetError as error:
            yield f"{where}: {error}"
            continue
        if not all(isinstance(step, str) for step in steps):
            yield f"{where}: path {text!r}: it must be an object, without positions in lists"
        else:
            # What is mapped to or below these objects is merged with what they take.
            places.append(("remainder", (*steps, "…")))


def _is_no_object(mapping: CompiledMapping) -> bool:
    return mapping.collects or mapping.source.kind in _SCALARS or mapping.source.kind == "array"


def _what_it_gives(mapping: CompiledMapping, is_object: bool) -> str:
    if is_object:
        return "which gives no object"
    return f"whole: map its elements instead, as {mapping.destination}[*]"


def _shape(is_object: bool) -> str:
    return "an object" if is_object else "a list"


def _misfit(mapping: CompiledMapping, field: XdmField) -> str | None:
    """Why no value of a mapping can ever fit its field, None if some may."""
    kind: Kind = "array" if mapping.collects else mapping.source.kind
    if kind == "array" and not mapping.collects and _takes_apart(mapping):
        kind = "any"  # its elements go there
    if field.kind in _NEVER[kind]:
        return (
            f"destination {mapping.destination} is a field of type {field.kind}, which can't be "
            f"made of {'an' if kind[0] in 'aio' else 'a'} {kind}"
        )
    if mapping.source.constant:
        try:
            compile_coercer(field)(mapping.source.constant)
        except UnconvertibleError as error:
            return (
                f"the constant {mapping.source.constant[:80]!r} does not fit the field "
                f"{mapping.destination}: {error.reason}"
            )
    return None


def _unfilled(mapping: CompiledMapping) -> list[str]:
    if mapping.mapping.source_type == "STATIC":
        return unfilled_in_text(mapping.mapping.source)
    if mapping.mapping.source_type == "EXPRESSION":
        return unfilled_in_literals(mapping.mapping.source)
    return []
