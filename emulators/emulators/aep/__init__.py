"""A local stand-in for Adobe Experience Platform: IMS, ingestion, Catalog, Data Access, schemas."""

from emulators.aep.app import AepEmulator
from emulators.aep.config import Credential, Limits, Promotion
from emulators.aep.demo import install_demo

__all__ = ["AepEmulator", "Credential", "Limits", "Promotion", "install_demo"]
