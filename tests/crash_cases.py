"""What goes wrong in each case of the crash matrix: a function of the seed and the case's number.

The kind goes by the number, so that any run of consecutive numbers is a spread of all kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from crash_killer import Strike
from emulators.aep.config import Promotion
from emulators.faults import Fault

IMPORT = "/data/foundation/import/batches"
CATALOG = "/data/foundation/catalog/batches"
CALLS = (
    ("token", {"path": "/ims/"}),
    ("dataset", {"path": "/data/foundation/catalog/dataSets"}),
    ("schema", {"path": "/data/foundation/schemaregistry"}),
    ("create", {"method": "POST", "path": IMPORT, "query": {}}),
    ("upload", {"method": "PUT", "path": IMPORT}),
    ("complete", {"method": "POST", "path": IMPORT, "query": {"action": "COMPLETE"}}),
    ("abort", {"method": "POST", "path": IMPORT, "query": {"action": "ABORT"}}),
    ("batches", {"method": "GET", "path": CATALOG}),
)
KINDS = ("target", "tap", "both", "instant", "target", "answer", "promotion", "target")
_REQUESTS = 28
"""A pipe of a case makes about as many."""
_STRIDE = 11
"""Has no divisor in common with _REQUESTS: all of them come, in no order."""


@dataclass
class Disturbance:
    """What goes wrong in one run of the pipe."""

    strike: Strike | None = None
    faults: list[Fault] = field(default_factory=list)


@dataclass
class Case:
    """One case.

    Attributes:
        runs: What goes wrong in the first runs; those after them are left alone.
        is_warm: Whether an undisturbed run, and late events, come before.
        late: Whether late events come after each of the runs.
    """

    seed: str
    kind: str
    days: int
    per_day: int
    runs: list[Disturbance]
    late: list[bool]
    is_warm: bool
    promotion: Promotion
    tap_settings: dict[str, Any]
    target_settings: dict[str, Any]


def make_case(seed, number):
    """The case of this number."""
    rng = Random(f"{seed}/{number}")  # noqa: S311 - no secret rests on it
    kind = KINDS[number % len(KINDS)]
    runs = [_disturbed(rng, kind, number)]
    if rng.random() < 0.4:
        runs.append(Disturbance(_strike(rng, rng.choice(("target", "tap", "both")))))
    return Case(
        seed=f"{seed}/{number}",
        kind=kind,
        days=rng.randint(2, 6),
        per_day=rng.randint(20, 90),
        runs=runs,
        late=[rng.random() < 0.6 for _ in runs],
        is_warm=rng.random() < 0.3,
        promotion=_promotion(rng),
        tap_settings={
            "max_window_days": rng.choice((1, 1, 2, 30)),
            "window_days": 1,
            "max_concurrent_requests": rng.choice((1, 4)),
        },
        target_settings={
            "batch_max_bytes": rng.choice((1, 20_000, 60_000, 1 << 30)),
            "file_max_bytes": rng.choice((20_000, 200 << 20)),
            "max_rejected_percent": 100,
        },
    )


def unheard_batch(seed, export_request):
    """No STATE tells of a batch that is in, and the run that repeats it ends on its way there.

    Args:
        seed: Seed of the events.
        export_request: Number of the request to Mixpanel at which the tap of the second run dies.
    """
    first = Strike("both", 1, after_effect=True, call="action=COMPLETE")
    second = Strike("tap", export_request, call="GET /api/2.0/export")
    return Case(
        seed=seed,
        kind="unheard",
        days=4,
        per_day=40,
        runs=[Disturbance(first), Disturbance(second)],
        late=[True, False],
        is_warm=False,
        promotion=Promotion(),
        tap_settings={"window_days": 1, "max_window_days": 1, "max_concurrent_requests": 1},
        target_settings={"max_rejected_percent": 100},
    )


def _disturbed(rng, kind, number):
    if kind == "answer":
        return _answer_lost(rng, number)
    if kind == "promotion":
        return _promotion_trouble(rng)
    if kind == "instant":
        victim = rng.choice(("target", "tap", "both"))
        return Disturbance(Strike(victim, seconds=rng.uniform(0.0, 1.6)))
    slot = number % len(KINDS)
    request = 1 + (number // len(KINDS) * _STRIDE + slot * 3) % _REQUESTS
    return Disturbance(Strike(kind, request, after_effect=(number // len(KINDS) + slot) % 2 == 0))


def _strike(rng, victim):
    return Strike(victim, request=rng.randint(1, _REQUESTS), after_effect=rng.random() < 0.5)


def _answer_lost(rng, number):
    """An answer of the calls in turn; the run may be killed as well, which leaves open batches."""
    _, match = CALLS[number // len(KINDS) % len(CALLS)]
    lost = Fault(
        rng.choice(("close", "reset")),
        times=rng.randint(1, 3),
        match=match,
        skip=rng.randint(0, 2),
        after_effect=True,
    )
    return Disturbance(_strike(rng, "target") if rng.random() < 0.4 else None, [lost])


def _promotion_trouble(rng):
    kind = rng.choice(("slow", "retrying", "stalled", "failed", "expired_token"))
    match = {"method": "PUT", "path": IMPORT} if kind == "expired_token" else {}
    args = {"code": "INGEST-9999-500", "description": "made to fail"} if kind == "failed" else {}
    fault = Fault(kind, times=rng.randint(1, 2), match=match, args=args, skip=rng.randint(0, 1))
    return Disturbance(_strike(rng, "target") if rng.random() < 0.5 else None, [fault])


def _promotion(rng):
    return Promotion(
        statuses=rng.choice(((), ("staging",), ("loaded", "staging"))),
        success_status=rng.choice(("success", "active")),
        failure_status=rng.choice(("failed", "failure")),
        inline_bytes=rng.choice((0, 8_000_000)),
    )
