"""`python -m emulators aep`: serves the Experience Platform emulator until it is told to end."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from emulators.aep.app import AepEmulator
from emulators.aep.config import DEFAULT_ORG, DEFAULT_TENANT, Credential
from emulators.aep.demo import install_demo
from emulators.process import serve_until_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT = Credential()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit status is 0 then."""
    args = _parser().parse_args(argv)
    emulator = AepEmulator(
        args.data_dir,
        org=args.org_id,
        tenant=args.tenant,
        sandboxes=(args.sandbox,),
        credentials=(Credential(args.client_id, (args.client_secret,)),),
    )
    print(  # noqa: T201 - the CLI's own output
        f"client {args.client_id}, secret {args.client_secret}, organisation {args.org_id}, "
        f"sandbox {args.sandbox}",
        file=sys.stderr,
    )
    datasets = install_demo(emulator, args.sandbox) if args.demo else {}
    for name, dataset_id in datasets.items():
        print(f"dataset {dataset_id}: {name}", file=sys.stderr)  # noqa: T201 - the CLI's own output
    try:
        return serve_until_signal(emulator, name="aep", host=args.host, port=args.port)
    finally:
        emulator.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emulators aep",
        description="A local stand-in for Adobe Experience Platform.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002, help="0 picks a free one")
    parser.add_argument("--data-dir", help="keep the state here; default: it goes away at the end")
    parser.add_argument("--client-id", default=_DEFAULT.client_id)
    parser.add_argument("--client-secret", default=_DEFAULT.client_secrets[0])
    parser.add_argument("--org-id", default=DEFAULT_ORG)
    parser.add_argument("--sandbox", default="prod")
    parser.add_argument("--tenant", default=DEFAULT_TENANT)
    parser.add_argument("--demo", action="store_true", help="install the demo's datasets")
    return parser
