"""`python -m demo`: what `make demo` runs.

A project of Mixpanel with a week of realistic events, quirks and all, and a sandbox of Experience
Platform with nothing in it, both being the emulators of this repository. The target's commands say
what is missing and make it: namespaces, fields, schema, a dataset for Profile. Then
`meltano run tap-mixpanel-export target-aep` loads the events; new ones arrive, some of them late,
and a second run brings exactly those. After each run every single event and property is looked for;
the exit code tells whether all were where they belong.
"""

from __future__ import annotations

import logging
import shutil
import sys
from typing import TYPE_CHECKING

from emulators.generator import generate, late_events

from demo.accounting import Account, take_account
from demo.meltano import FROM_TAP, ROOT, MeltanoProject
from demo.property_accounting import PropertyAccount, take_property_account
from demo.services import PROJECT_ID, running_services

if TYPE_CHECKING:
    from pathlib import Path

    from demo.services import Services

DAYS = 7
EVENTS_PER_DAY = 2000
NEW_EVENTS = 500
SEED = 20220517


def main() -> int:
    """Run the demo; 0 if all commands did their work and every event was where it belongs."""
    logging.getLogger("emulators").setLevel(logging.WARNING)
    folder = ROOT / ".demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with running_services(folder) as services:
        say(f"Mixpanel emulator: {services.mixpanel_url}   Adobe emulator: {services.aep_url}")
        count = services.mixpanel.add_events(PROJECT_ID, generate(SEED, DAYS, EVENTS_PER_DAY))
        say(f"The Mixpanel project holds {count} events of {DAYS} days, the sandbox nothing.")
        project = MeltanoProject(services, folder)
        say("Installing the tap and the target with Meltano.")
        project.install()
        sandbox_is_ready = make_sandbox_ready(project)

        say("First run: meltano run tap-mixpanel-export target-aep")
        project.run()
        first = take_account(services, folder / "dead-letters", project.bookmark())

        services.mixpanel.add_events(PROJECT_ID, late_events(SEED, NEW_EVENTS))
        say(f"{NEW_EVENTS} more events have arrived, most of them late. Second run.")
        project.run()
        second = take_account(services, folder / "dead-letters", project.bookmark())
        properties = take_property_account(services)

        say("What was loaded: target-aep status")
        project.sandbox_command("status")
        print_table(first, second)
        print_sandbox(services, properties)

    right = is_right(first) and is_right(second) and properties.missing == 0
    print_end(right and sandbox_is_ready, folder)
    return 0 if right and sandbox_is_ready else 1


def make_sandbox_ready(project: MeltanoProject) -> bool:
    """Have the target say what is missing, plan it and make it; True if all went as it should."""
    say("What is missing? target-aep check")
    lacks_something = project.sandbox_command("check") != 0
    say("What would be made? target-aep plan --profile --from-tap …")
    is_planned = project.sandbox_command("plan", "--profile", *FROM_TAP) == 0
    say("Making it: target-aep provision --profile --yes --from-tap …")
    is_made = project.sandbox_command("provision", "--profile", "--yes", *FROM_TAP) == 0
    say("And now? target-aep check")
    is_complete = project.sandbox_command("check") == 0
    return lacks_something and is_planned and is_made and is_complete


def is_right(account: Account) -> bool:
    """Whether every event is there once, and nothing else."""
    once = account.late_once == account.late
    return account.missing == 0 and account.unexpected == 0 and once


def say(text: str) -> None:
    """Tell what happens next."""
    print(f"\n==> {text}", file=sys.stderr, flush=True)  # noqa: T201 - the demo's own output


def print_table(first: Account, second: Account) -> None:
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
    ]
    print("\n" + "\n".join(lines))  # noqa: T201 - the demo's own output


def print_sandbox(services: Services, properties: PropertyAccount) -> None:
    """Print where every value of a property is, and for whom the dataset is switched on."""
    tags = services.dataset()["tags"]
    profile = "on" if "enabled:true" in tags.get("unifiedProfile", ()) else "off"
    lines = [
        f"{'values of properties':40}{properties.total:>12}",
        f"{'  in fields of Adobe or of the columns':40}{properties.mapped:>12}",
        f"{'  in typed fields of their own':40}{properties.typed:>12}",
        f"{'  in the map otherProperties':40}{properties.in_map:>12}",
        f"{'  missing':40}{properties.missing:>12}",
        f"{'Real-Time Customer Profile':40}{profile:>12}",
    ]
    print("\n".join(lines))  # noqa: T201 - the demo's own output


def print_end(right: bool, folder: Path) -> None:
    """Print how it went, and where to look."""
    told = (
        "All events and properties are where they belong."
        if right
        else "Something is not where it belongs: this is a bug, please report it."
    )
    print(  # noqa: T201 - the demo's own output
        f"\n{told}\nLook at {folder}: aep/ (what was loaded), state/ (Meltano's), dead-letters/ "
        "(if any)."
    )


if __name__ == "__main__":
    sys.exit(main())
