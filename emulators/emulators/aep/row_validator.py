"""Rows of a batch against the dataset's schema: JSON text in, a row or its violations out.

Beyond the fields' own schemas an ExperienceEvent's `timestamp` must lie in the past and not before
1970, and `identityMap` has a fixed shape (AdobeDocs/experience-platform.en
`help/xdm/classes/experienceevent.md`; adobe/xdm `components/datatypes/identityitem.schema.json`).
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn

from emulators.aep.findings import CONSTRAINT, CORRUPT, EMPTY, ENUM, Findings, Violation
from emulators.aep.formats import EPOCH, parse_date_time
from emulators.aep.row_checks import compile_field

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject

_STATES = frozenset({"ambiguous", "authenticated", "loggedOut"})
_CORRUPT = Violation(CORRUPT, "", "json", "Row is corrupted and cannot be read.")


class RowValidator:
    """Checks rows; compile it once per batch.

    Attributes:
        schema: The dataset's flattened schema.

    Args:
        schema: The dataset's flattened schema.
        now: Epoch seconds that no `timestamp` may pass.
    """

    def __init__(self, schema: JsonObject, now: float) -> None:
        self.schema = schema
        self._check = compile_field(schema, "")
        self._now = datetime.fromtimestamp(now, timezone.utc)
        self._has_timestamp = "timestamp" in schema.get("properties", {})
        self._has_identities = "identityMap" in schema.get("properties", {})
        self._decode = json.JSONDecoder(parse_constant=_refuse_constant).decode

    def parse(self, line: bytes) -> JsonObject | None:
        """The object a line holds; None when it holds none (the row is corrupt)."""
        try:
            row = self._decode(line.decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        return row if type(row) is dict else None

    def check(self, row: JsonObject) -> Findings:
        """Check a row and convert its values in place."""
        findings = Findings()
        self._check(row, findings)
        if self._has_timestamp:
            self._check_timestamp(row.get("timestamp"), findings)
        if self._has_identities and "identityMap" in row:
            _check_identities(row["identityMap"], findings)
        return findings

    def _check_timestamp(self, value: object, findings: Findings) -> None:
        moment = parse_date_time(value) if isinstance(value, str) else None
        if moment is not None and not EPOCH <= moment <= self._now:
            findings.add(
                CONSTRAINT, "timestamp", "range", f"[{value}] is in the future or before 1970"
            )


def corrupt_row() -> Violation:
    """The violation of a row that is not a JSON object."""
    return _CORRUPT


def _check_identities(identities: Any, findings: Findings) -> None:
    if not isinstance(identities, dict):
        return
    for namespace, items in identities.items():
        path = f"identityMap.{namespace}[]"
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                _check_identity(item, path, findings)


def _check_identity(item: JsonObject, path: str, findings: Findings) -> None:
    if "id" not in item or item["id"] == "":
        findings.add(EMPTY, f"{path}.id", "required", "an identity needs an id")
    state = item.get("authenticatedState", "ambiguous")
    if isinstance(state, str) and state not in _STATES:
        findings.add(ENUM, f"{path}.authenticatedState", "enum", f"[{state}] is unknown")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
