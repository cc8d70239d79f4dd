"""`python -m benchmarks.provisioned_schema RECORDS FILE`: what `provision` makes for records.

The schema, with everything resolved, goes to a file, which `schema_path` and `lake_server.py` take.
A new field is left alone for some minutes (`target_aep.xdm.field_age`), so these are made older.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from emulators.aep import AepEmulator
from emulators.aep.testing import AepClient
from emulators.server import EmulatorServer

from benchmarks.plugins import plugin_command, upload_config, write_config
from benchmarks.services import DATASET

_SCHEMAS = "/data/foundation/schemaregistry/tenant/schemas"
_LIST = "application/vnd.adobe.xed-id+json"
_FULL = "application/vnd.adobe.xed-full+json; version=1"
_ADDED = re.compile(r"Added [\dT:-]+Z by target-aep\.")
_LONG_AGO = "Added 2025-01-01T00:00:00Z by target-aep."


def main() -> None:
    """Provision an empty sandbox of the emulator for the records, and keep the schema."""
    records, schema_file = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="provision-") as name:
        folder = Path(name)
        emulator = AepEmulator(folder / "aep")
        try:
            with EmulatorServer(emulator) as server:
                _provision(server.url, records, folder)
                client = AepClient(server.url, emulator)
                schema_file.write_text(_schema(client), "utf-8")
        finally:
            emulator.close()


def _provision(url: str, records: Path, folder: Path) -> None:
    config = {**upload_config(url, folder), "dataset_name": DATASET}
    path = write_config(folder / "target.json", config)
    command = [*plugin_command("target-aep"), "provision", "--config", str(path), "--yes"]
    subprocess.run([*command, "--input", str(records)], check=True, stdout=subprocess.DEVNULL)


def _schema(client: AepClient) -> str:
    """The one schema of the sandbox, as text."""
    listing = client.call("GET", _SCHEMAS, headers={"Accept": _LIST}).json()
    (made,) = listing["results"]
    found = client.call("GET", f"{_SCHEMAS}/{made['meta:altId']}", headers={"Accept": _FULL})
    found.raise_for_status()
    return _ADDED.sub(_LONG_AGO, found.text)


if __name__ == "__main__":
    main()
