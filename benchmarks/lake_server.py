"""`python -m benchmarks.lake_server SCHEMA FOLDER`: an emulated sandbox with one dataset.

The dataset has the schema of a file, so that uploads and local files are mapped alike.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from emulators.aep import AepEmulator
from emulators.process import serve_until_signal

from benchmarks.services import DATASET


def main() -> int:
    """Serve until a signal ends the process; returns its exit status."""
    schema_file, folder = map(Path, sys.argv[1:])
    emulator = AepEmulator(folder)
    try:
        schema = emulator.provisioning.add_schema(_read(schema_file))
        emulator.provisioning.add_dataset(DATASET, schema.id)
        return serve_until_signal(emulator, name="aep", host="127.0.0.1", port=0)
    finally:
        emulator.close()


def _read(schema_file: Path) -> dict[str, Any]:
    """The schema without the ids that it had where it comes from."""
    schema: dict[str, Any] = json.loads(schema_file.read_text("utf-8"))
    return {name: part for name, part in schema.items() if name not in {"$id", "meta:altId"}}


if __name__ == "__main__":
    sys.exit(main())
