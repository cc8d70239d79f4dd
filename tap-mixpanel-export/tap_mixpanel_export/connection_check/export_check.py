"""May these credentials export, from this region, and is what comes sane?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_mixpanel_export.connection_check.finding import Finding, Verdict
from tap_mixpanel_export.connection_check.residency import RESIDENCY, no_residency
from tap_mixpanel_export.connection_check.zone_check import zone_finding
from tap_mixpanel_export.errors import (
    CredentialsRefusedError,
    DayNotStartedError,
    ExportRefusedError,
    RateLimitedError,
    RetriesExhaustedError,
    TapError,
    TimedOutError,
)
from tap_mixpanel_export.impatient_clock import BudgetUsedUpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.connection_check.account import AccountProject
    from tap_mixpanel_export.connection_check.export_probe import ExportProbe, ExportSample
    from tap_mixpanel_export.connection_check.residency import Residency
    from tap_mixpanel_export.settings import Settings

EXPORT = "export"
TIMES = "event times"

_SAMPLE = 1000
_AGAIN = "run --test again"
_HOUR = 3600.0
_MINUTE = 60
_ELSEWHERE = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True)
class _Export:
    """What came of an export: one of both."""

    sample: ExportSample | None = None
    error: TapError | None = None


class ExportCheck:
    """Asks for a sample of the export, once, when it is first needed."""

    def __init__(
        self,
        settings: Settings,
        residency: Residency,
        *,
        probe: Callable[[Settings], ExportProbe],
        clock: Clock,
    ) -> None:
        """Prepare the check.

        Args:
            settings: What is checked.
            residency: Where else the project may be.
            probe: Makes what asks an export host.
            clock: Tells the time.
        """
        self._settings = settings
        self._residency = residency
        self._probe = probe
        self._clock = clock

    def error(self) -> TapError | None:
        """Return why the export fails, None if it does not."""
        return self._outcome.error

    @property
    def is_done(self) -> bool:
        """Whether the export was asked already."""
        return "_outcome" in self.__dict__

    @cached_property
    def _outcome(self) -> _Export:
        try:
            return _Export(sample=self._probe(self._settings).ask(_SAMPLE))
        except TapError as error:
            return _Export(error=error)

    def findings(self, project: AccountProject | None, *, is_placed: bool) -> Iterator[Finding]:
        """Yield what the export tells.

        Args:
            project: What Mixpanel tells of the project, if it was found.
            is_placed: Whether the residency is known already, as far as it can be.
        """
        sample, error = self._outcome.sample, self._outcome.error
        if sample is None:
            if error is not None:
                yield Finding(Verdict.FAIL, EXPORT, self._failure(error))
            if not is_placed and _may_be_elsewhere(error):
                yield self._other_exports()
            yield Finding(Verdict.SKIP, TIMES, "no event was seen")
            return
        yield self._exported(sample)
        if not is_placed:
            yield self._answered(sample)
        yield self._times(sample)
        zone = zone_finding(self._settings, project, self._clock.now())
        if zone is not None:
            yield zone

    def _answered(self, sample: ExportSample) -> Finding:
        region = self._residency.region
        if region is None:
            return no_residency()
        if sample.events or sample.invalid_lines:
            return Finding(Verdict.OK, RESIDENCY, f"{region} has answered the export")
        elsewhere = self._other_events()
        return elsewhere or Finding(
            Verdict.SKIP,
            RESIDENCY,
            f"{region} has answered the export with no event, which does not tell the region",
        )

    def _exported(self, sample: ExportSample) -> Finding:
        if sample.invalid_lines:
            return self._malformed(sample)
        if sample.events:
            text = f"allowed; {sample.events:,} events of {sample.day} as a sample"
            return Finding(Verdict.OK, EXPORT, text)
        return Finding(
            Verdict.WARN,
            EXPORT,
            f"allowed, but {sample.day} has no event: if the project has some, check project_id, "
            "region, events and where",
        )

    def _malformed(self, sample: ExportSample) -> Finding:
        lines = sample.events + sample.invalid_lines
        found = (
            f"allowed, but {sample.invalid_lines:,} of {lines:,} lines of {sample.day} are "
            f"malformed ({sample.first_invalid})"
        )
        if self._settings.quarantine_invalid_lines:
            return Finding(
                Verdict.WARN, EXPORT, f"{found}: a run puts such lines under state_dir/quarantine"
            )
        return Finding(
            Verdict.FAIL,
            EXPORT,
            f"{found}: a run would fail; set on_invalid_line to quarantine to put them aside",
        )

    def _times(self, sample: ExportSample) -> Finding:
        times = sample.times
        advice = times.advice()
        if advice is not None:
            return Finding(Verdict.FAIL, TIMES, advice)
        if not times.is_enough:
            return Finding(
                Verdict.SKIP,
                TIMES,
                f"{times.count} of {sample.events} events were received as they happened, too few "
                "to check event_time_basis and project_timezone by",
            )
        zone = self._settings.event_time.wall_clock_zone
        basis = "'utc'" if zone is None else f"'project' and project_timezone {zone.key}"
        text = f"{times.count:,} events fit event_time_basis {basis}"
        return Finding(Verdict.OK, TIMES, text)

    def _failure(self, error: TapError) -> str:
        cause = error.__cause__ if isinstance(error, RetriesExhaustedError) else None
        if isinstance(error, BudgetUsedUpError):
            return f"not asked: {error}; {_AGAIN} after {_minute(error.until)}"
        if isinstance(cause, RateLimitedError):
            seconds = _HOUR if cause.retry_after is None else cause.retry_after
            by = "after" if cause.retry_after is not None else "at the latest after"
            return f"{cause}: {_AGAIN} {by} {_minute(self._clock.now() + seconds)}"
        if isinstance(cause, TimedOutError):
            return f"{cause}; a run has more patience: {_AGAIN} later"
        if isinstance(cause, TapError):
            return f"{cause}; {_AGAIN} later"
        if isinstance(error, DayNotStartedError):
            return (
                f"{error}, though a day before today was asked for; check project_timezone and "
                "this machine's clock"
            )
        return str(error)

    def _other_exports(self) -> Finding:
        """Look for a region whose export knows the credentials, at a request each."""
        asked = []
        for region, answer in self._other_answers():
            if answer.error is None:
                text = f"the credentials were accepted on {region}: {self._residency.fix(region)}"
                return Finding(Verdict.FAIL, RESIDENCY, text)
            if _may_be_elsewhere(answer.error):
                asked.append(region)
        return self._residency.nowhere(asked)

    def _other_events(self) -> Finding | None:
        """Look for a region whose export has events, at a request each."""
        for region, answer in self._other_answers():
            if answer.sample is not None and answer.sample.events:
                day, fix = answer.sample.day, self._residency.fix(region)
                text = f"{region} has events of {day} and {self._residency.region} has none: {fix}"
                return Finding(Verdict.FAIL, RESIDENCY, text)
        return None

    def _other_answers(self) -> Iterator[tuple[str, _Export]]:
        for region, hosts in self._residency.others.items():
            try:
                sample = self._probe(replace(self._settings, api_url=hosts.export)).ask(1)
            except TapError as error:
                yield region, _Export(error=error)
            else:
                yield region, _Export(sample=sample)


def _may_be_elsewhere(error: TapError | None) -> bool:
    """Whether another region might answer otherwise."""
    is_unknown = isinstance(error, CredentialsRefusedError)
    return is_unknown or (isinstance(error, ExportRefusedError) and error.status in _ELSEWHERE)


def _minute(instant: float) -> str:
    """Write the next full minute after an instant (seconds since the epoch)."""
    full = math.ceil(instant / _MINUTE) * _MINUTE
    return datetime.fromtimestamp(full, timezone.utc).strftime("%H:%M UTC")
