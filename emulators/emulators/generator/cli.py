"""`python -m emulators generate`: events as JSON lines on stdout, `time` in ms."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emulators.generator.stream import generate, late_events
from emulators.jsonlines import encode_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.generator.events import Event


_DAYS = 7
_LATE_DAYS = 5


def main(argv: list[str]) -> int:
    """Write events to stdout; returns the exit status."""
    events = _events(_parser().parse_args(argv))
    try:
        for event in events:
            sys.stdout.buffer.write(encode_event(event) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The reader has enough. The interpreter's own flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators generate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--days", type=int, help=f"default: {_DAYS}; with --late {_LATE_DAYS}, what /track takes"
    )
    parser.add_argument("--events-per-day", type=int, default=1000)
    parser.add_argument("--time-basis", choices=["utc", "project"], default="utc")
    parser.add_argument("--timezone", type=iana_zone, default="UTC", help="zone of the project")
    parser.add_argument("--start", type=date.fromisoformat, help="first day; default: up to now")
    parser.add_argument("--now", type=_moment, help="ISO date-time; default: the clock")
    parser.add_argument(
        "--late", type=int, metavar="COUNT", help="instead: COUNT events that arrive just now"
    )
    return parser


def iana_zone(text: str) -> str:
    """The zone's name, checked.

    Raises:
        argparse.ArgumentTypeError: When there is no such zone.
    """
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(f"no IANA time zone: {text}") from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _events(options: argparse.Namespace) -> Iterator[Event]:
    zone = {"basis": options.time_basis, "zone": options.timezone, "now": options.now}
    if options.late is not None:
        days = _LATE_DAYS if options.days is None else options.days
        return late_events(options.seed, options.late, days=days, **zone)
    days = _DAYS if options.days is None else options.days
    return generate(options.seed, days, options.events_per_day, start=options.start, **zone)
