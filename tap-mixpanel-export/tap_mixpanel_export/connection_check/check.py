"""The checks of ``--test``, in their order, and their report."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tap_mixpanel_export.connection_check.export_probe import ExportProbe
from tap_mixpanel_export.connection_check.finding import Finding, Verdict
from tap_mixpanel_export.connection_check.residency import (
    CREDENTIALS,
    PROJECT,
    RESIDENCY,
    AccountCheck,
    Residency,
    no_residency,
)
from tap_mixpanel_export.connection_check.zone_check import zone_finding
from tap_mixpanel_export.errors import (
    CredentialsRefusedError,
    DayNotStartedError,
    RateLimitedError,
    RetriesExhaustedError,
    StorageError,
    TapError,
    TimedOutError,
)
from tap_mixpanel_export.impatient_clock import BudgetUsedUpError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.connection_check.account import AccountProject
    from tap_mixpanel_export.connection_check.export_probe import ExportSample
    from tap_mixpanel_export.settings import Settings

EXPORT = "export"
TIMES = "event times"
QUOTA = "quota"

_SAMPLE = 1000
_AGAIN = "run --test again"
_HOUR = 3600.0
_MINUTE = 60


class ConnectionCheck:
    """Asks Mixpanel what a first run would stumble over."""

    def __init__(
        self,
        settings: Settings,
        residency: Residency,
        *,
        asks_app_host: bool,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Prepare the checks.

        Args:
            settings: What is checked.
            residency: Where a project that is not found may be.
            asks_app_host: Whether the app host belongs to the export host.
            clock: Waits for the budget, some seconds at most.
            logger: Gets what a run would log.
        """
        self._settings = settings
        self._residency = residency
        self._asks_app_host = asks_app_host
        self._clock = clock
        self._logger = logger

    def print_report(self) -> bool:
        """Print a line for each check to stdout as it ends; returns whether none failed."""
        is_good = True
        for finding in self.findings():
            is_good = is_good and finding.verdict is not Verdict.FAIL
            print(finding, flush=True)  # noqa: T201 - the command's own output
        return is_good

    def findings(self) -> Iterator[Finding]:
        """Yield what each check has found."""
        account = AccountCheck(self._settings, self._residency)
        failed = False
        for finding in self._account_findings(account):
            failed = failed or finding.verdict is Verdict.FAIL
            yield finding
        if failed:
            for check in (EXPORT, TIMES):
                yield Finding(Verdict.SKIP, check, "not asked: it would be refused for the above")
        else:
            yield from self._export_findings(account.project)
        yield self._quota()

    def _account_findings(self, account: AccountCheck) -> Iterator[Finding]:
        credentials = self._settings.credentials
        if credentials.is_service_account and self._asks_app_host:
            yield from account.findings()
            return
        why = f"only an export shows whether {credentials.kind} is right"
        if credentials.is_service_account:
            why = "not looked up, since api_url is set without app_url"
        yield Finding(Verdict.SKIP, CREDENTIALS, f"{why}; see the export below")
        yield Finding(Verdict.SKIP, PROJECT, f"{why}; see the export below")

    def _export_findings(self, project: AccountProject | None) -> Iterator[Finding]:
        try:
            sample = self._probe(self._settings).ask(_SAMPLE)
        except TapError as error:
            yield Finding(Verdict.FAIL, EXPORT, self._failure(error))
            if project is None and isinstance(error, CredentialsRefusedError):
                yield self._other_exports()
            yield Finding(Verdict.SKIP, TIMES, "no event was seen")
            return
        yield self._exported(sample)
        if project is None:
            yield self._answered()
        yield self._times(sample)
        zone = zone_finding(self._settings, project, self._clock.now())
        if zone is not None:
            yield zone

    def _probe(self, settings: Settings) -> ExportProbe:
        return ExportProbe(settings, clock=self._clock, logger=self._logger)

    def _answered(self) -> Finding:
        region = self._residency.region
        if region is None:
            return no_residency()
        return Finding(Verdict.OK, RESIDENCY, f"{region} has answered the export")

    def _exported(self, sample: ExportSample) -> Finding:
        if sample.events:
            text = f"allowed; {sample.events:,} events of {sample.day} as a sample"
            return Finding(Verdict.OK, EXPORT, text)
        return Finding(
            Verdict.WARN,
            EXPORT,
            f"allowed, but {sample.day} has no event: if the project has some, check project_id, "
            "events and where",
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
        for region, hosts in self._residency.others.items():
            settings = replace(self._settings, api_url=hosts.export)
            try:
                self._probe(settings).ask(1)
            except CredentialsRefusedError:
                asked.append(region)
            except TapError:
                continue
            else:
                text = f"the credentials were accepted on {region}: {self._residency.fix(region)}"
                return Finding(Verdict.FAIL, RESIDENCY, text)
        return self._residency.nowhere(asked)

    def _quota(self) -> Finding:
        most = self._settings.max_requests_per_hour
        try:
            left = self._probe(self._settings).requests_left()
        except StorageError as error:
            return Finding(Verdict.FAIL, QUOTA, str(error))
        return Finding(
            Verdict.OK if left else Verdict.WARN,
            QUOTA,
            f"{left} of {most} requests are left in this hour for this machine; what other "
            "machines and tools have used is not known",
        )


def _minute(instant: float) -> str:
    """Write the next full minute after an instant (seconds since the epoch)."""
    full = math.ceil(instant / _MINUTE) * _MINUTE
    return datetime.fromtimestamp(full, timezone.utc).strftime("%H:%M UTC")
