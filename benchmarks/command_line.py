"""The options of `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.data_folder import DATA

_EVENTS = 300_000
_SIZES = (30_000, 300_000, 3_000_000)
_ROUNDS = 5
_SLOW_EVENTS = 60_000


def parse_options(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; with `--quick` what is not given is small."""
    options = _parser().parse_args(argv)
    quick = options.quick
    defaults: dict[str, Any] = {
        "events": 60_000 if quick else _EVENTS,
        "rounds": 1 if quick else _ROUNDS,
        "sizes": [] if quick else list(_SIZES),
        "slow_events": 10_000 if quick else _SLOW_EVENTS,
    }
    for name, value in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    add = parser.add_argument
    add("--events", type=int, help=f"events of the rounds (default: {_EVENTS:,})")
    add("--rounds", type=int, help=f"runs of each contestant, in turns (default: {_ROUNDS})")
    add("--sizes", type=int, nargs="*", help="sizes of memory and cost against size; none: skip")
    add("--slow-events", type=int, help=f"records of slow contestants ({_SLOW_EVENTS:,})")
    add("--only", action="append", help="only contestants with this in their name (repeatable)")
    add(
        "--quick",
        action="store_true",
        help="small sizes, one round, no verdicts: to see that all runs",
    )
    add(
        "--meltano",
        choices=["none", "run", "all"],
        default="run",
        help="`all`: also with settings that may help",
    )
    add("--no-startup", dest="startup", action="store_false", help="don't measure starts")
    add(
        "--data",
        type=Path,
        default=DATA,
        help="folder that keeps generated events (default: %(default)s)",
    )
    for plugin in ("tap", "target"):
        add(
            f"--{plugin}-setting",
            type=_setting,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"a setting of the {plugin} in all runs (repeatable)",
        )
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    add("--charts", type=Path, metavar="FOLDER", help="also draw charts of the sizes there")
    add("--strict", action="store_true", help="fail if a promise is broken")
    return parser


def _setting(text: str) -> tuple[str, Any]:
    """A name and a value, which is JSON or, if it is not, a text.

    Raises:
        argparse.ArgumentTypeError: There is no `=`.
    """
    name, found, value = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
