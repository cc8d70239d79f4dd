"""Both emulators in this process, on free ports, with a generated project."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulators.aep import AepEmulator
from emulators.aep.config import DEFAULT_TENANT
from emulators.mixpanel import MixpanelEmulator, Project
from emulators.server import EmulatorServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT_ID = 1234567
TENANT = DEFAULT_TENANT
SERVICE_ACCOUNT = ("emulated.mp-service-account", "emulated-secret")


@dataclass(frozen=True)
class Services:
    """Running emulators and their URLs."""

    mixpanel: MixpanelEmulator
    mixpanel_url: str
    aep: AepEmulator
    aep_url: str

    def dataset(self) -> dict[str, Any]:
        """The one dataset of the sandbox, once it is made."""
        (found,) = self.aep.resources.listing()["datasets"]
        return found

    def dataset_id(self) -> str:
        """Its id."""
        return str(self.dataset()["id"])


@contextmanager
def running_services(folder: Path) -> Iterator[Services]:
    """Serve both emulators until the context ends; their state is kept in the folder."""
    project = Project(PROJECT_ID, service_accounts=dict([SERVICE_ACCOUNT]))
    mixpanel = MixpanelEmulator(folder / "mixpanel", projects=[project])
    aep = AepEmulator(folder / "aep")
    with ExitStack() as stack:
        stack.callback(aep.close)
        yield Services(
            mixpanel=mixpanel,
            mixpanel_url=stack.enter_context(EmulatorServer(mixpanel)).url,
            aep=aep,
            aep_url=stack.enter_context(EmulatorServer(aep)).url,
        )
