"""The `identityMap` of a record, within the limits of the Identity Service.

Limits: help/identity-service/guardrails.md in AdobeDocs/experience-platform.en. A value that the
service would refuse is left out and counted; the event itself is still worth loading.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from target_aep.errors import MappingSetError, TargetError
from target_aep.mapping.paths import MISSING, Read, compile_reader, parse_path

if t.TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

AUTHENTICATED_STATES: t.Final = ("ambiguous", "loggedOut", "authenticated")
"""From the weakest to the strongest."""

DEFAULT_IDENTITIES: t.Final[tuple[dict[str, t.Any], ...]] = (
    {"field": "distinct_id", "namespace": "MixpanelDistinctID", "primary": True},
    {"field": "$user_id", "namespace": "MixpanelUserID"},
    {"field": "$device_id", "namespace": "MixpanelDeviceID", "id_type": "COOKIE"},
)

ID_TYPES: t.Final = (
    "CROSS_DEVICE", "COOKIE", "DEVICE", "EMAIL", "MOBILE", "PHONE", "NON_PEOPLE",
)  # fmt: skip
"""Types of namespaces (identity-service.yaml in AdobeDocs/experience-platform-apis)."""

_BLOCKED = frozenset({"null", "anonymous", "invalid"})
MAX_LENGTH = 1024
_ECID = re.compile(r"\d{38}", re.ASCII)


@dataclass(frozen=True)
class Identity:
    """Where an identity is read, and the namespace (by its code) that it belongs to.

    Attributes:
        reads: Its possible places in a record.
        namespace: Code of its namespace.
        primary: Whether Profile keeps the record under it.
        authenticated_state: One of AUTHENTICATED_STATES.
        field: How the setting names its place.
        id_type: What kind of namespace is made where there is none, one of ID_TYPES.
    """

    reads: tuple[Read, ...]
    namespace: str
    primary: bool
    authenticated_state: str
    field: str = ""
    id_type: str = ID_TYPES[0]


def parse_identities(setting: Sequence[dict[str, t.Any]]) -> tuple[Identity, ...]:
    """Read the `identities` setting.

    A `field` is a column of the record or, failing that, one of its `properties`.

    Raises:
        TargetError: An entry is incomplete, or more than one is primary.
    """
    identities = tuple(_parse(entry, number) for number, entry in enumerate(setting, start=1))
    if sum(identity.primary for identity in identities) > 1:
        raise TargetError("identities: only one can be primary")
    return identities


def _parse(entry: dict[str, t.Any], number: int) -> Identity:
    field, namespace = entry.get("field"), entry.get("namespace")
    if not field or not namespace:
        raise TargetError(f"identities: entry {number}: 'field' and 'namespace' are needed")
    state = entry.get("authenticated_state") or "ambiguous"
    if state not in AUTHENTICATED_STATES:
        raise TargetError(
            f"identities: entry {number}: authenticated_state {state!r} is not one of "
            f"{', '.join(AUTHENTICATED_STATES)}"
        )
    id_type = str(entry.get("id_type") or ID_TYPES[0]).upper()
    if id_type not in ID_TYPES:
        raise TargetError(
            f"identities: entry {number}: id_type {id_type!r} is not one of {', '.join(ID_TYPES)}"
        )
    try:
        path = parse_path(field)
    except MappingSetError as error:
        raise TargetError(f"identities: entry {number}: {error}") from error
    return Identity(
        reads=tuple(map(compile_reader, ((field,), ("properties", field), path))),
        namespace=namespace,
        primary=bool(entry.get("primary", False)),
        authenticated_state=state,
        field=field,
        id_type=id_type,
    )


def identity_map(
    record: dict[str, t.Any], identities: Sequence[Identity], left_out: Counter[str]
) -> dict[str, list[dict[str, t.Any]]]:
    """Build the identityMap of a record, keyed by namespace code; empty if it has no identity.

    Args:
        record: The source record.
        identities: What to read.
        left_out: Counts values that the Identity Service would refuse, by namespace.

    Returns:
        Lists of `{"id", "authenticatedState", "primary"}` by namespace.
    """
    found: dict[str, list[dict[str, t.Any]]] = {}
    for identity in identities:
        value = _value(record, identity.reads)
        if value is None:
            continue
        if not is_acceptable(value, identity.namespace):
            left_out[identity.namespace] += 1
            continue
        entry = {
            "id": value,
            "authenticatedState": identity.authenticated_state,
            "primary": identity.primary,
        }
        _add(found.setdefault(identity.namespace, []), entry)
    return found


def _add(entries: list[dict[str, t.Any]], entry: dict[str, t.Any]) -> None:
    """Add an identity, or make the equal one that is there what both are."""
    known = next((known for known in entries if known["id"] == entry["id"]), None)
    if known is None:
        entries.append(entry)
        return
    known["primary"] = known["primary"] or entry["primary"]
    known["authenticatedState"] = max(
        known["authenticatedState"], entry["authenticatedState"], key=AUTHENTICATED_STATES.index
    )


def _value(record: dict[str, t.Any], reads: tuple[Read, ...]) -> str | None:
    for read in reads:
        value = read(record)
        if value is MISSING or value is None or value == "":
            continue
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def is_acceptable(value: str, namespace: str) -> bool:
    """Whether the Identity Service takes this value in this namespace."""
    if value.strip().lower() in _BLOCKED or not value.strip() or len(value) > MAX_LENGTH:
        return False
    return namespace != "ECID" or _ECID.fullmatch(value) is not None
