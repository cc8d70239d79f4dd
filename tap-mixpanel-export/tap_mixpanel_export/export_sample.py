"""A bounded sample of the export: one request, one of the project's budget."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from tap_mixpanel_export.client import ExportClient
from tap_mixpanel_export.event import Event, InvalidLineError, event_of
from tap_mixpanel_export.impatient_clock import ImpatientClock
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger
from tap_mixpanel_export.request_queue import RequestQueue
from tap_mixpanel_export.spool import SpoolDirectory
from tap_mixpanel_export.sweep import ArrivalFilter
from tap_mixpanel_export.window_download import WindowDownloader
from tap_mixpanel_export.window_plan import PlannedWindow

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.settings import Settings
    from tap_mixpanel_export.window_download import SpooledWindow
    from tap_mixpanel_export.windows import Window

_LONGEST_READ = 120.0
_ANY_ARRIVAL = (1 << 63) - 1


def sample_lines(
    settings: Settings,
    days: Window,
    limit: int,
    *,
    policy: RetryPolicy,
    clock: Clock,
    logger: logging.Logger,
) -> Iterator[tuple[int, Event | InvalidLineError]]:
    """Yield some events of these days, Mixpanel's choice, once the whole answer is there.

    Args:
        settings: The tap's settings; ``events`` and ``where`` apply.
        days: Project days.
        limit: Most events to ask for (Mixpanel takes up to 100,000).
        policy: How patient to be; all waits together last for at most its ``patience``, and the
            answer is whole by its ``deadline``.
        clock: Measures the budget, and waits.
        logger: Gets a line for each wait and each failed attempt.

    Yields:
        0 and an event, or a malformed line's number, from 1, and what is wrong with it.

    Raises:
        TapError: Mixpanel did not answer, or refused, or the hour's requests are used up.
    """
    settings = replace(settings, request_timeout=min(settings.request_timeout, _LONGEST_READ))
    limits = BudgetLimits(settings.max_requests_per_hour, settings.max_concurrent_requests)
    impatient = ImpatientClock(clock, policy.patience, policy.deadline)
    ledger = RequestLedger(
        settings.state_dir, settings.budget_owner, limits, clock=impatient, logger=logger
    )
    queue = RequestQueue(ledger, at_once=1, clock=impatient, logger=logger)
    everything = ArrivalFilter(arrived_after=None, arrived_until=_ANY_ARRIVAL)
    window = PlannedWindow(days, everything, was_exported=False, limit=limit)
    with (
        ExportClient(settings, queue, clock, policy.deadline) as client,
        SpoolDirectory(settings.state_dir, logger) as spool,
    ):
        downloader = WindowDownloader(
            client,
            queue,
            spool,
            policy,
            zone=settings.rules.zone,
            clock=clock,
            logger=logger,
            tolerate_invalid_lines=True,
            event_time=settings.event_time,
        )
        with downloader.download(window, threading.Event()) as spooled:
            yield from islice(_contents(spooled), limit)


def _contents(spooled: SpooledWindow) -> Iterator[tuple[int, Event | InvalidLineError]]:
    for block in spooled.blocks():
        if isinstance(block, list):
            yield from ((line.index, InvalidLineError(line.reason)) for line in block)
        else:
            yield from ((0, event_of(record)) for record in block.records())


def sample_events(
    settings: Settings,
    days: Window,
    limit: int,
    *,
    policy: RetryPolicy,
    clock: Clock,
    logger: logging.Logger,
) -> Iterator[Event]:
    """Yield the events of ``sample_lines``; malformed lines are for a run to judge."""
    lines = sample_lines(settings, days, limit, policy=policy, clock=clock, logger=logger)
    return (content for _, content in lines if isinstance(content, Event))
