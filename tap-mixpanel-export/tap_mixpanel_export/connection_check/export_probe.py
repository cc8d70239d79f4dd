"""One export request, for a sample of a day: may these credentials export, and is it sane?"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_mixpanel_export.event import InvalidLineError
from tap_mixpanel_export.export_sample import sample_lines
from tap_mixpanel_export.instants import day_of
from tap_mixpanel_export.request_ledger import BudgetLimits, RequestLedger
from tap_mixpanel_export.retries import RetryPolicy
from tap_mixpanel_export.skew_check import SkewSample
from tap_mixpanel_export.windows import DAY, Window

if TYPE_CHECKING:
    from datetime import date

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.deadline import Deadline
    from tap_mixpanel_export.settings import Settings

_LONGEST_SILENCE = 60.0
_POLICY = RetryPolicy(max_tries=2, first_wait=4.0, longest_wait=8.0, patience=20.0, max_refusals=2)


@dataclass(frozen=True)
class ExportSample:
    """What the request has brought.

    Attributes:
        day: The project day that was asked for.
        events: How many events came.
        invalid_lines: How many other lines came.
        first_invalid: What is wrong with the first of them.
        times: What the events' times tell.
    """

    day: date
    events: int
    invalid_lines: int
    first_invalid: str
    times: SkewSample


class ExportProbe:
    """Asks for a few events, as a run does but without its patience."""

    def __init__(
        self, settings: Settings, *, deadline: Deadline, clock: Clock, logger: logging.Logger
    ) -> None:
        self._settings = replace(
            settings, request_timeout=min(_LONGEST_SILENCE, settings.request_timeout)
        )
        self._policy = replace(_POLICY, deadline=deadline)
        self._clock = clock
        self._logger = logger.getChild("connection_check")
        # Else it tells of waits that never come.
        self._logger.setLevel(max(logging.WARNING, logger.getEffectiveLevel()))

    def ask(self, limit: int) -> ExportSample:
        """Ask for at most ``limit`` events of one day: yesterday, or ``end_date`` before it.

        Raises:
            BudgetUsedUpError: The ledger lets no request begin soon.
            TapError: The export failed, with what to do about it.
        """
        day = self._day()
        times = SkewSample(self._settings.event_time)
        events = 0
        invalid = []
        for number, content in sample_lines(
            self._settings,
            Window(day, day),
            limit,
            policy=self._policy,
            clock=self._clock,
            logger=self._logger,
        ):
            if isinstance(content, InvalidLineError):
                invalid.append(f"line {number}: {content}")
            else:
                events += 1
                times.look_at(content)
        return ExportSample(day, events, len(invalid), "".join(invalid[:1]), times)

    def _day(self) -> date:
        rules = self._settings.rules
        yesterday = day_of(int(self._clock.now() * 1000), rules.zone) - DAY
        return yesterday if rules.end_day is None else min(yesterday, rules.end_day)

    def requests_left(self) -> int:
        """Return how many requests this machine may still begin in this hour.

        Raises:
            StorageError: The ledger cannot be read.
        """
        settings = self._settings
        limits = BudgetLimits(settings.max_requests_per_hour, settings.max_concurrent_requests)
        ledger = RequestLedger(
            settings.state_dir,
            settings.budget_owner,
            limits,
            clock=self._clock,
            logger=self._logger,
        )
        return ledger.requests_left()
