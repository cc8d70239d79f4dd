"""The command ``tap-mixpanel-export``, also as ``python -m tap_mixpanel_export``."""

from __future__ import annotations

import signal
from typing import NoReturn


def main() -> None:
    """Run the command; a signal ends it with 128 + its number, also while it is starting."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    # Not before: importing takes a while, in which there is nothing to be brought to an end.
    from tap_mixpanel_export.deferred_imports import deferred  # noqa: PLC0415

    with deferred():
        from tap_mixpanel_export.tap import TapMixpanelExport  # noqa: PLC0415

    TapMixpanelExport.cli()


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
