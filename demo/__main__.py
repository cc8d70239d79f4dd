"""`python -m demo`: what `make demo` runs.

A project of Mixpanel with a week of realistic events, quirks and all, is loaded into Experience
Platform by `meltano run tap-mixpanel-export target-aep`, both services being the emulators of this
repository. Then new events arrive, some of them late, and a second run brings exactly those. After
each run every single event is looked for; the exit code tells whether all were where they belong.
"""

from __future__ import annotations

import logging
import shutil
import sys
from typing import TYPE_CHECKING

from emulators.generator import generate, late_events

from demo.accounting import Account, take_account
from demo.meltano import ROOT, MeltanoProject
from demo.services import PROJECT_ID, running_services

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 7
EVENTS_PER_DAY = 2000
NEW_EVENTS = 500
SEED = 20220517


def main() -> int:
    """Run the demo; 0 if every event was where it belongs after both runs."""
    logging.getLogger("emulators").setLevel(logging.WARNING)
    folder = ROOT / ".demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with running_services(folder) as services:
        say(f"Mixpanel emulator: {services.mixpanel_url}   Adobe emulator: {services.aep_url}")
        count = services.mixpanel.add_events(PROJECT_ID, generate(SEED, DAYS, EVENTS_PER_DAY))
        say(f"The Mixpanel project holds {count} events of {DAYS} days.")
        project = MeltanoProject(services, folder)
        say("Installing the tap and the target with Meltano.")
        project.install()

        say("First run: meltano run tap-mixpanel-export target-aep")
        project.run()
        first = take_account(services, folder / "dead-letters", project.bookmark())

        services.mixpanel.add_events(PROJECT_ID, late_events(SEED, NEW_EVENTS))
        say(f"{NEW_EVENTS} more events have arrived, most of them late. Second run.")
        project.run()
        second = take_account(services, folder / "dead-letters", project.bookmark())

    print_table(first, second, folder)
    return 0 if is_right(first) and is_right(second) else 1


def is_right(account: Account) -> bool:
    """Whether every event is there once, and nothing else."""
    once = account.late_once == account.late
    return account.missing == 0 and account.unexpected == 0 and once


def say(text: str) -> None:
    """Tell what happens next."""
    print(f"\n==> {text}", file=sys.stderr, flush=True)  # noqa: T201 - the demo's own output


def print_table(first: Account, second: Account, folder: Path) -> None:
    """Print where every event is after each run."""
    reasons = sorted(first.rejected | second.rejected)
    rows = [
        ("rows in Mixpanel", first.stored, second.stored),
        ("  not arrived, or of a day to come", first.waiting, second.waiting),
        ("  exported twice by Mixpanel itself", first.repeated, second.repeated),
        ("events to come out", first.expected, second.expected),
        ("  in the dataset", first.loaded, second.loaded),
        ("  rejected, in the dead letters", first.rejected.total(), second.rejected.total()),
        *((f"    {reason}", first.rejected[reason], second.rejected[reason]) for reason in reasons),
        ("  missing", first.missing, second.missing),
        ("  doubled", first.unexpected, second.unexpected),
        ("of these, late by hours or days", first.late, second.late),
        ("  there exactly once", first.late_once, second.late_once),
    ]
    lines = [
        f"{'':40}{'first run':>12}{'second run':>12}{'brought':>12}",
        *(f"{name:40}{before:>12}{after:>12}{after - before:>+12}" for name, before, after in rows),
        "",
        "All events are where they belong."
        if is_right(first) and is_right(second)
        else "Events are missing or doubled: this is a bug, please report it.",
        f"Look at {folder}: aep/ (what was loaded), state/ (Meltano's), dead-letters/ (if any).",
    ]
    print("\n" + "\n".join(lines))  # noqa: T201 - the demo's own output


if __name__ == "__main__":
    sys.exit(main())
