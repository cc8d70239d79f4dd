"""`python -m emulators mixpanel`."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from emulators.generator import adobe_sample_events, generate, with_time_in_ms
from emulators.generator.cli import iana_zone
from emulators.mixpanel.app import MixpanelEmulator
from emulators.mixpanel.limits import NO_LIMITS, Limits
from emulators.mixpanel.project import Project
from emulators.process import serve_until_signal

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_SERVICE_ACCOUNT = "emulated.mp-service-account:emulated-secret"


def main(argv: list[str]) -> int:
    """Serve one project until SIGTERM or SIGINT; returns the exit status."""
    options = _parser().parse_args(argv)
    project = _project(options)
    emulator = MixpanelEmulator(
        options.data_dir,
        projects=[project],
        limits=NO_LIMITS if options.no_limits else Limits(),
    )
    if emulator.store.count(project.id) == 0:
        emulator.add_events(project.id, _initial_events(options))
    _tell_login(project)
    return serve_until_signal(emulator, name="mixpanel", host=options.host, port=options.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators mixpanel", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0 picks a free one")
    parser.add_argument("--data-dir", help="keep events here; default: a temporary directory")
    parser.add_argument("--project-id", type=int, default=1234567)
    parser.add_argument("--time-basis", choices=["utc", "project"], default="utc")
    parser.add_argument("--timezone", type=iana_zone, default="UTC", help="zone of the project")
    parser.add_argument(
        "--service-account",
        action="append",
        type=_service_account,
        metavar="USER:SECRET",
        help=f"may be repeated; default: {DEFAULT_SERVICE_ACCOUNT}",
    )
    parser.add_argument("--no-export-in-plan", action="store_true", help="exports answer 402")
    parser.add_argument("--api-secret", help="project secret")
    parser.add_argument("--oauth-token", action="append", default=[], help="may be repeated")
    events = parser.add_argument_group("events to begin with, unless the data dir has some")
    events.add_argument("--generate-days", type=int, default=0, help="days up to today")
    events.add_argument("--events-per-day", type=int, default=1000)
    events.add_argument("--seed", type=int, default=1)
    events.add_argument("--adobe-samples", action="store_true", help="Adobe's ten sample events")
    parser.add_argument("--no-limits", action="store_true", help="never answer 429 by itself")
    return parser


def _project(options: argparse.Namespace) -> Project:
    accounts = options.service_account or [_service_account(DEFAULT_SERVICE_ACCOUNT)]
    return Project(
        options.project_id,
        time_basis=options.time_basis,
        timezone=options.timezone,
        plan_allows_export=not options.no_export_in_plan,
        service_accounts=dict(accounts),
        api_secret=options.api_secret,
        oauth_tokens=frozenset(options.oauth_token),
    )


def _tell_login(project: Project) -> None:
    """Say what a client's settings must be."""
    for username, secret in project.service_accounts.items():
        print(  # noqa: T201 - the CLI's own output
            f"project {project.id}: service account {username}, secret {secret}", file=sys.stderr
        )


def _service_account(text: str) -> tuple[str, str]:
    user, _, secret = text.partition(":")
    if not user or not secret:
        raise argparse.ArgumentTypeError("give USER:SECRET")
    return user, secret


def _initial_events(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if options.adobe_samples:
        yield from with_time_in_ms(adobe_sample_events())
    yield from generate(
        options.seed,
        options.generate_days,
        options.events_per_day,
        basis=options.time_basis,
        zone=options.timezone,
        now=datetime.now(timezone.utc),
    )
