"""Documented limits of a row that its schema does not tell.

Of the identities, those that the Identity Service blocks cost a record no more than themselves;
too many of them cost the record (help/identity-service/guardrails.md in
AdobeDocs/experience-platform.en). A row that is too large for Profile is loaded all the same: the
data lake keeps it (help/profile/guardrails.md).
"""

from __future__ import annotations

import typing as t

from target_aep.mapping.identities import is_acceptable

if t.TYPE_CHECKING:
    from collections import Counter

Row = dict[str, t.Any]

MAX_IDENTITIES: t.Final = 20
"""Identities of one row, over all namespaces."""

PROFILE_MAX_BYTES: t.Final = 10_240
"""Beyond this, uncompressed JSON, Profile drops an event."""


class Complaint(t.NamedTuple):
    """Why a row would be refused: the XDM field, and the reason."""

    field: str
    reason: str


def leave_out_blocked_identities(row: Row, left_out: Counter[str]) -> None:
    """Take out of a mapped `identityMap` what the Identity Service blocks.

    Args:
        row: The row; it is changed.
        left_out: Counts what was taken out, by namespace.
    """
    identities = row.get("identityMap")
    if not isinstance(identities, dict):
        return
    kept = {
        namespace: good
        for namespace, items in identities.items()
        if (good := _acceptable(namespace, items, left_out))
    }
    if kept:
        row["identityMap"] = kept
    else:
        del row["identityMap"]


def complaint_about(row: Row) -> Complaint | None:
    """What would have the row refused, None if nothing that is known here."""
    identifier = row.get("_id")
    if identifier is not None and not isinstance(identifier, str):
        return Complaint("_id", f"a text is needed, not {type(identifier).__name__}")
    identities = row.get("identityMap")
    if identities is None:
        return None
    if not isinstance(identities, dict):
        return Complaint("identityMap", "not an object of lists by namespace")
    count = sum(map(len, identities.values()))
    if count > MAX_IDENTITIES:
        return Complaint("identityMap", f"{count} identities, more than {MAX_IDENTITIES}")
    return None


def _acceptable(namespace: str, items: t.Any, left_out: Counter[str]) -> list[t.Any]:
    listed = items if isinstance(items, list) else [items]
    good = [item for item in listed if _is_good(item, namespace)]
    if len(good) < len(listed):
        left_out[namespace] += len(listed) - len(good)
    return good


def _is_good(item: t.Any, namespace: str) -> bool:
    value = item.get("id") if isinstance(item, dict) else None
    return isinstance(value, str) and is_acceptable(value, namespace)
