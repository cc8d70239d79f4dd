"""The checks of ``--test``, in their order, and their report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_mixpanel_export.connection_check.export_check import EXPORT, TIMES, ExportCheck
from tap_mixpanel_export.connection_check.export_probe import ExportProbe
from tap_mixpanel_export.connection_check.finding import Finding, Verdict
from tap_mixpanel_export.connection_check.residency import (
    CREDENTIALS,
    PROJECT,
    RESIDENCY,
    AccountCheck,
    Residency,
)
from tap_mixpanel_export.deadline import Deadline
from tap_mixpanel_export.errors import StorageError
from tap_mixpanel_export.stdout_errors import answering

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.settings import Settings

QUOTA = "quota"


class ConnectionCheck:
    """Asks Mixpanel what a first run would stumble over."""

    def __init__(
        self,
        settings: Settings,
        residency: Residency,
        *,
        seconds: float,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Prepare the checks.

        Args:
            settings: What is checked.
            residency: Where a project that is not found may be.
            seconds: How long all checks together may take.
            clock: Waits for the budget, some seconds at most.
            logger: Gets what a run would log.
        """
        self._settings = settings
        self._residency = residency
        self._deadline = Deadline(seconds)
        self._clock = clock
        self._logger = logger

    def print_report(self) -> bool:
        """Print a line for each check to stdout as it ends; returns whether none failed."""
        is_good = True
        for finding in self.findings():
            is_good = is_good and finding.verdict is not Verdict.FAIL
            with answering():
                print(finding, flush=True)  # noqa: T201 - the command's own output
        return is_good

    def findings(self) -> Iterator[Finding]:
        """Yield what each check has found."""
        export = ExportCheck(self._settings, self._residency, probe=self._probe, clock=self._clock)
        account = AccountCheck(
            self._settings,
            self._residency,
            deadline=self._deadline,
            export_error=export.error,
        )
        found: dict[str, Finding] = {}
        for finding in self._account_findings(account):
            found[finding.check] = finding
            yield finding
        has_failed = any(each.verdict is Verdict.FAIL for each in found.values())
        if has_failed and not export.is_done:
            for check in (EXPORT, TIMES):
                yield Finding(Verdict.SKIP, check, "not asked: it would be refused for the above")
        else:
            yield from export.findings(account.project, is_placed=RESIDENCY in found)
        yield self._quota()

    def _account_findings(self, account: AccountCheck) -> Iterator[Finding]:
        credentials = self._settings.credentials
        if credentials.is_service_account and self._settings.asks_app_host:
            yield from account.findings()
            return
        why = f"only an export shows whether {credentials.kind} is right"
        if credentials.is_service_account:
            why = "not looked up, since api_url is set without app_url"
        yield Finding(Verdict.SKIP, CREDENTIALS, f"{why}; see the export below")
        yield Finding(Verdict.SKIP, PROJECT, f"{why}; see the export below")

    def _probe(self, settings: Settings) -> ExportProbe:
        return ExportProbe(
            settings, deadline=self._deadline, clock=self._clock, logger=self._logger
        )

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
