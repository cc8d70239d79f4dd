"""The `identityMap` of ordinary records: one text for each namespace, of a column or property."""

from __future__ import annotations

import typing as t

from target_aep.errors import MappingSetError
from target_aep.mapping.identities import MAX_LENGTH, identity_map, is_acceptable
from target_aep.mapping.paths import parse_path

if t.TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from target_aep.mapping.identities import Identity

Record = dict[str, t.Any]
IdentityMap = dict[str, list[dict[str, t.Any]]]

_HARMLESS_BEGINNINGS: t.Final = frozenset(
    "bcdefghjklmopqrstuvwxyzBCDEFGHJKLMOPQRSTUVWXYZ0123456789$"
)
"""Of texts that need no look for blocked words: not of `anonymous`, `invalid`, `null`, no blank."""


def compile_identity_map(
    identities: Sequence[Identity],
) -> Callable[[Record, Counter[str]], IdentityMap]:
    """Compile `identity_map` for the identities of a stream.

    Args:
        identities: What to read.

    Returns:
        A function from a record, and a counter of values left out by namespace, to what
        `identity_map` gives for them.
    """

    def ordinary(record: Record, left_out: Counter[str]) -> IdentityMap:
        return identity_map(record, identities, left_out)

    if not _are_plain(identities):
        return ordinary
    plain = [
        (each.field, each.namespace, each.authenticated_state, each.primary) for each in identities
    ]
    literal_keys = frozenset(f"properties.{each.field}" for each in identities)

    def quick(record: Record, left_out: Counter[str]) -> IdentityMap:
        properties = record.get("properties")
        if properties.__class__ is not dict or not literal_keys.isdisjoint(record):
            return ordinary(record, left_out)
        found: IdentityMap = {}
        for field, namespace, state, primary in plain:
            value = record.get(field)
            if not value and (value is None or value == ""):
                value = properties.get(field)
                if value is None or value == "":
                    continue
            if value.__class__ is not str or not (
                (value[0] in _HARMLESS_BEGINNINGS and len(value) <= MAX_LENGTH)
                or is_acceptable(value, namespace)
            ):
                return ordinary(record, left_out)
            found[namespace] = [{"id": value, "authenticatedState": state, "primary": primary}]
        return found

    return quick


def _are_plain(identities: Sequence[Identity]) -> bool:
    """Whether each has a namespace of its own, without a rule, and a name for its place."""
    namespaces = {each.namespace for each in identities}
    return (
        len(namespaces) == len(identities)
        and "ECID" not in namespaces
        and all(_is_name(each.field) for each in identities)
    )


def _is_name(field: str) -> bool:
    try:
        return parse_path(field) == (field,)
    except MappingSetError:
        return False
