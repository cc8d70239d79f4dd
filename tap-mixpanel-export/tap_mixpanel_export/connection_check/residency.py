"""Is the service account known, does it have the project, and do both live in this region?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tap_mixpanel_export.app_host import AppHostError
from tap_mixpanel_export.connection_check.account import Account, ask_account
from tap_mixpanel_export.connection_check.finding import Finding, Verdict
from tap_mixpanel_export.errors import CredentialsRefusedError, ExportRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tap_mixpanel_export.connection_check.account import AccountProject
    from tap_mixpanel_export.deadline import Deadline
    from tap_mixpanel_export.errors import TapError
    from tap_mixpanel_export.hosts import RegionHosts
    from tap_mixpanel_export.settings import Settings

CREDENTIALS = "credentials"
PROJECT = "project access"
RESIDENCY = "residency"

_SHARE_OF_A_HOST = 0.25
_GRANT = "give the account access to the project (Organization Settings > Service Accounts)"


@dataclass(frozen=True)
class Residency:
    """Where the tap asks, and where else a project may be.

    Attributes:
        region: The setting, or None if ``api_url`` or ``app_url`` names hosts of its own.
        others: The hosts of the other regions; none if ``region`` is None.
    """

    region: str | None
    others: Mapping[str, RegionHosts]

    def of_domain(self, domain: str) -> str | None:
        """Return the other region that has this app host, if one has."""
        return next(
            (name for name, hosts in self.others.items() if urlsplit(hosts.app).netloc == domain),
            None,
        )

    def fix(self, region: str) -> str:
        """Say that another region is the right one."""
        return f"set region to {region} (now {self.region})"

    def nowhere(self, asked: Collection[str]) -> Finding:
        """Say that the regions which were asked do not have the project either."""
        if self.region is None:
            return no_residency()
        if not asked:
            return Finding(Verdict.SKIP, RESIDENCY, "no other region could be asked")
        return Finding(Verdict.SKIP, RESIDENCY, f"not found on {' and '.join(asked)} either")


def no_residency() -> Finding:
    """Say that there is nothing to check: the hosts are the user's own choice."""
    return Finding(Verdict.SKIP, RESIDENCY, "api_url or app_url names the hosts")


class AccountCheck:
    """Looks a service account up.

    Attributes:
        project: What Mixpanel tells of the project, once it was found.
    """

    def __init__(
        self,
        settings: Settings,
        residency: Residency,
        *,
        deadline: Deadline,
        export_error: Callable[[], TapError | None],
    ) -> None:
        """Prepare the check.

        Args:
            settings: Whose service account it is.
            residency: Where a project that is not found may be.
            deadline: Of all checks; each host gets a quarter of it.
            export_error: Asks for an export; returns what went wrong, None if nothing did.
        """
        self._settings = settings
        self._residency = residency
        self._deadline = deadline
        self._export_error = export_error
        self.project: AccountProject | None = None

    def findings(self) -> Iterator[Finding]:
        """Ask this region's app host, and the others where the project is not found there."""
        try:
            account = self._ask(self._settings.app_url)
        except AppHostError as error:
            yield Finding(Verdict.WARN, CREDENTIALS, f"not looked up: {error}")
            yield Finding(Verdict.SKIP, PROJECT, "not looked up; see the export below")
        except CredentialsRefusedError as refusal:
            yield from self._elsewhere(None, str(refusal))
        else:
            yield from self._known(account)

    def _ask(self, app_url: str) -> Account:
        return ask_account(self._settings, app_url, self._deadline.part(_SHARE_OF_A_HOST))

    def _known(self, account: Account) -> Iterator[Finding]:
        project = self._project_of(account)
        if project is None:
            yield from self._elsewhere(account, "")
            return
        self.project = project
        yield Finding(Verdict.OK, CREDENTIALS, f"{self._settings.app_url} knows the account")
        yield self._has(project)
        yield self._residency_of(project)

    def _residency_of(self, project: AccountProject) -> Finding:
        region = self._residency.region
        if region is None:
            return no_residency()
        other = self._residency.of_domain(project.domain)
        if other is None:
            return Finding(Verdict.OK, RESIDENCY, f"the project was found on {region}")
        fix = self._residency.fix(other)
        return Finding(
            Verdict.FAIL, RESIDENCY, f"Mixpanel has the project on {project.domain}: {fix}"
        )

    def _elsewhere(self, here: Account | None, refusal: str) -> Iterator[Finding]:
        """Look where the project may be, as it is not here."""
        answers = dict(self._other_answers())
        accounts = {region: account for region, account in answers.items() if account is not None}
        for region, account in accounts.items():
            project = self._project_of(account)
            if project is not None:
                yield Finding(Verdict.OK, CREDENTIALS, f"{region} knows the account")
                yield self._has(project)
                fix = self._residency.fix(region)
                yield Finding(Verdict.FAIL, RESIDENCY, f"the project was found on {region}: {fix}")
                return
        if here is not None:
            yield Finding(Verdict.OK, CREDENTIALS, f"{self._settings.app_url} knows the account")
            yield self._is_unlisted(here)
            yield self._residency.nowhere(answers)
        elif accounts:
            region, account = next(iter(accounts.items()))
            yield Finding(Verdict.OK, CREDENTIALS, f"{region} knows the account")
            yield self._has_not(account)
            fix = self._residency.fix(region)
            yield Finding(Verdict.FAIL, RESIDENCY, f"the account was found on {region}: {fix}")
        else:
            yield Finding(Verdict.FAIL, CREDENTIALS, refusal)
            yield Finding(Verdict.SKIP, PROJECT, "the credentials are refused")
            yield self._residency.nowhere(answers)

    def _other_answers(self) -> Iterator[tuple[str, Account | None]]:
        """Yield the account as each other region has it, None for one that does not know it."""
        for region, hosts in self._residency.others.items():
            try:
                yield region, self._ask(hosts.app)
            except CredentialsRefusedError:
                yield region, None
            except AppHostError:
                continue

    def _project_of(self, account: Account) -> AccountProject | None:
        number = int(self._settings.project_id or 0)  # it may be written with zeros before it
        return account.projects.get(str(number))

    def _has(self, project: AccountProject) -> Finding:
        return Finding(
            Verdict.OK, PROJECT, f"project {self._settings.project_id} is {project.name!r}"
        )

    def _is_unlisted(self, account: Account) -> Finding:
        """Let the export decide: the account's list need not be complete."""
        error = self._export_error()
        if isinstance(error, ExportRefusedError):
            return self._has_not(account)
        decided = "its export works all the same" if error is None else "its export is undecided"
        return Finding(
            Verdict.WARN, PROJECT, f"{decided}, see below; {self._has_not(account).text}"
        )

    def _has_not(self, account: Account) -> Finding:
        number = self._settings.project_id
        text = f"the account has no project: {_GRANT}"
        if account.projects:
            text = (
                f"project_id {number} is none of the account's projects ({account.listed()}): set "
                f"project_id to one of them, or {_GRANT}"
            )
        return Finding(Verdict.FAIL, PROJECT, text)
