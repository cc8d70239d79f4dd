"""The command `target-aep`, also as `python -m target_aep`."""

from __future__ import annotations

import signal
import typing as t


def main() -> None:
    """Run the command; a signal ends it with 128 + its number, also while it is starting."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    # Not before: importing takes a while, in which there is nothing to be brought to an end.
    from target_aep.deferred_imports import deferred  # noqa: PLC0415

    with deferred():
        from target_aep.target import TargetAEP  # noqa: PLC0415

    TargetAEP.cli()


def _end(number: int, _frame: object) -> t.NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
