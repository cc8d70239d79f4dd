"""A local stand-in for Mixpanel's raw event export."""

from emulators.mixpanel.app import MixpanelEmulator, running
from emulators.mixpanel.limits import NO_LIMITS, Limits
from emulators.mixpanel.project import Project

__all__ = ["NO_LIMITS", "Limits", "MixpanelEmulator", "Project", "running"]
