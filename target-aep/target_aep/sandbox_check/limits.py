"""How near the sandbox is to Adobe's limits."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

from target_aep.api.catalog_batches import list_batches
from target_aep.sandbox_check.findings import Finding

if t.TYPE_CHECKING:
    from target_aep.api.client import PlatformClient

BATCHES_PER_DAY: t.Final = 90
"""Adobe's soft limit for a sandbox (help/ingestion/guardrails.md in
AdobeDocs/experience-platform.en)."""

_WARN_FROM = 0.8
_MOST_COUNTED = 1_000


def about_batches_of_a_day(client: PlatformClient) -> Finding:
    """How many batches were made in the last 24 hours.

    Raises:
        PlatformError: The platform refused.
    """
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    filters = {"createdAfter": str(int(yesterday.timestamp() * 1000)), "properties": "created"}
    count = sum(1 for _ in list_batches(client, _MOST_COUNTED, filters))
    shown = f"{count} or more" if count >= _MOST_COUNTED else str(count)
    text = (
        f"{shown} batches were made in the sandbox in the last 24 hours; Adobe advises "
        f"{BATCHES_PER_DAY} at the most"
    )
    if count < _WARN_FROM * BATCHES_PER_DAY:
        return Finding("ok", "limits", text)
    return Finding("warn", "limits", f"{text}: run less often, so that each run makes one batch")
