"""Waiting for the promotion of a completed batch, by asking Catalog for its status."""

from __future__ import annotations

import logging
import math
import time
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from target_aep.api.client import CATALOG
from target_aep.api.retrying import RetriableError
from target_aep.errors import BatchFailedError, PlatformError

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from target_aep.api.client import PlatformClient

logger = logging.getLogger("target-aep")

# Catalog's statuses, help/ingestion/batch-ingestion/troubleshooting.md in
# AdobeDocs/experience-platform.en: "stalled" is a batch that the platform gave up on and that
# Adobe's operators may still bring in; the last four once were in.
OPEN: t.Final = "loading"
PROMOTED: t.Final = frozenset({"success", "active"})
NOT_INGESTED: t.Final = frozenset({"failed", "failure", "aborted", "abandoned"})
STALLED: t.Final = frozenset({"stalled"})
TAKEN_OUT: t.Final = frozenset({"inactive", "deleted", "archived", "retained"})
FAILED: t.Final = NOT_INGESTED | STALLED | TAKEN_OUT


def is_over(status: object) -> bool:
    """Whether a batch has ended without its rows being in."""
    return status in FAILED


@dataclass(frozen=True)
class Polling:
    """How often a batch's status is asked for: from `first` to at most `longest` seconds."""

    first: float = 0.5
    factor: float = 1.5
    longest: float = 15.0
    clock: Callable[[], float] = time.monotonic


_TOLD_EACH = 60.0
"""Seconds after which a wait is told of again."""
_REFUSALS = 10
"""Refusals in a row after which no look will bring anything."""
_NO_ACCESS = frozenset({401, 403})


class _Look(t.NamedTuple):
    """What one question for the status brought: a document (empty: not known yet), in words."""

    document: dict[str, t.Any]
    words: str
    wish: float = 0.0
    is_refused: bool = False


def await_promotion(
    client: PlatformClient,
    batch_id: str,
    timeout_seconds: float,
    polling: Polling,
    *,
    looks_while_open: float = math.inf,
) -> dict[str, t.Any]:
    """Poll Catalog until the batch is promoted or failed.

    An answer that can't be had, or is refused, says nothing about the batch: it is complete, so the
    question is asked again until the time is up.

    Args:
        client: The platform.
        batch_id: A completed batch.
        timeout_seconds: How long to wait at the most; promotion has no published time.
        polling: The pace.
        looks_while_open: So often it may still be shown as open.

    Returns:
        Catalog's document of the batch, of a status in PROMOTED or FAILED.

    Raises:
        BatchFailedError: It was neither when the time was up.
        PlatformError: The run is ending.
    """
    deadline = polling.clock() + timeout_seconds
    wait, last_words, told, refusals = polling.first, "", 0.0, 0
    while True:
        look = _look(client, batch_id)
        status = look.document.get("status")
        if status in PROMOTED | FAILED:
            return {**look.document, "id": batch_id}
        refusals = refusals + 1 if look.is_refused else 0
        looks_while_open -= status == OPEN
        if refusals >= _REFUSALS or looks_while_open <= 0:
            raise BatchFailedError(f"batch {batch_id} {look.words}. {_hint(status)}")
        left = deadline - polling.clock()
        waited = timeout_seconds - left
        if look.words != last_words or waited - told >= _TOLD_EACH:
            logger.info(
                "Batch %s %s; waiting for its promotion (%.0f s of at most %.0f)",
                batch_id,
                look.words,
                waited,
                timeout_seconds,
            )
            last_words, told = look.words, waited
        if left <= 0:
            raise BatchFailedError(
                f"batch {batch_id} {look.words} after {timeout_seconds / 60:.0f} minutes "
                "(batch_timeout_minutes). It may be in, or come in yet: run again later, the next "
                "run looks for it and waits for it"
            )
        if client.rules.stopped.wait(min(max(wait, look.wish), left)):
            raise PlatformError(f"batch {batch_id} {look.words}; it may be in, the run is ending")
        wait = min(wait * polling.factor, polling.longest)


def _hint(status: object) -> str:
    """What to do about a batch that is not waited for."""
    if status == OPEN:
        return (
            "An earlier run has left it, and it can't be given up: see that the credential may "
            "manage datasets, or wait until Adobe abandons the batch, and run again"
        )
    return "It may be in: give the credential access to Catalog again; the next run looks for it"


def _look(client: PlatformClient, batch_id: str) -> _Look:
    try:
        answer = client.get_json_once(f"{CATALOG}/batches/{quote(batch_id, safe='')}")
    except RetriableError as error:
        return _Look({}, f"has a status that is not known ({error})", error.retry_after or 0.0)
    except PlatformError as error:
        is_refused = error.status in _NO_ACCESS
        return _Look({}, f"has a status that is not known ({error})", is_refused=is_refused)
    document = answer.get(batch_id) if isinstance(answer, dict) else None
    if not isinstance(document, dict) or not isinstance(document.get("status"), str):
        return _Look({}, "is not listed in Catalog yet")
    return _Look(document, f"is {document['status']}")
