"""``python -m tap_mixpanel_export``."""

from __future__ import annotations

from tap_mixpanel_export.tap import TapMixpanelExport

TapMixpanelExport.cli()
