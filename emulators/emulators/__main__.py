"""`python -m emulators mixpanel | aep | generate`."""

from __future__ import annotations

import sys
from importlib import import_module

_COMMANDS = {
    "mixpanel": "emulators.mixpanel.cli",
    "aep": "emulators.aep.cli",
    "generate": "emulators.generator.cli",
}
_USAGE = "usage: python -m emulators {mixpanel,aep,generate} [--help]"


def main(argv: list[str]) -> int:
    """Run the command that the first argument names; returns the exit status."""
    if not argv or argv[0] not in _COMMANDS:
        print(_USAGE, file=sys.stderr)  # noqa: T201 - the CLI's own output
        return 2
    status: int = import_module(_COMMANDS[argv[0]]).main(argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
