"""An empty sandbox of the AEP emulator, and the commands of the target run against it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from emulator_front import Front
from emulators.aep import AepEmulator, Promotion
from emulators.aep.config import DEFAULT_ORG, DEFAULT_TENANT
from preview_running import EagerTarget, make_runner, write_lines

TENANT = f"_{DEFAULT_TENANT}"
NAME = "Mixpanel events"


@dataclass
class EmptySandbox:
    """The emulator, a configuration for it, and its commands."""

    emulator: AepEmulator
    front: Any
    config: dict[str, Any]
    runner: Any
    folder: Any

    def run(self, command: str, *args: str, messages: Any = None, **settings: Any) -> Any:
        """Run a command; messages are its input, no input at all without them."""
        path = write_lines(self.folder / "input.jsonl", *(messages or ()))
        config = {**self.config, **settings}
        config = {name: value for name, value in config.items() if value is not None}
        return self.runner(command, "--input", path, *args, config=config)

    def load(self, messages: Any, **settings: Any) -> list[Any]:
        """Load messages with the same settings; what is rejected of them."""
        config = {**self.config, "dead_letter_path": str(self.folder / "letters"), **settings}
        target = EagerTarget(config=config)
        lines = io.StringIO("".join(json.dumps(message) + "\n" for message in messages))
        target.listen(lines)
        letters = (self.folder / "letters").glob("*.jsonl")
        return [json.loads(line) for path in letters for line in path.read_text().splitlines()]

    def dataset_id(self) -> str:
        """The id of the one dataset of the name."""
        found = self.ask("GET", "/data/foundation/catalog/dataSets")
        (identifier,) = [each for each, document in found.items() if document["name"] == NAME]
        return str(identifier)

    def schema(self, title: str = NAME) -> dict[str, Any]:
        """The flattened fields of the tenant in the schema of a title."""
        registry = "/data/foundation/schemaregistry/tenant/schemas"
        found = self.ask("GET", registry, "application/vnd.adobe.xed-id+json")
        (identifier,) = [each["meta:altId"] for each in found["results"] if each["title"] == title]
        accept = "application/vnd.adobe.xed-full+json; version=1"
        return self.ask("GET", f"{registry}/{identifier}", accept)

    def property_nodes(self) -> dict[str, Any]:
        """The typed fields of properties."""
        mixpanel = self.schema()["properties"][TENANT]["properties"]["mixpanel"]["properties"]
        return mixpanel.get("properties", {}).get("properties", {})

    def ask(self, method: str, path: str, accept: str = "application/json") -> Any:
        """What the emulator answers to a call of the API."""
        from emulators.aep.testing import AepClient  # noqa: PLC0415

        client = AepClient(self.config["platform_url"], self.emulator)
        return client.call(method, path, headers={"Accept": accept}).json()

    def calls(self, *methods: str) -> int:
        """How many calls of these methods were made, those for tokens aside."""
        return sum(
            entry.method in methods and not entry.path.startswith("/ims")
            for entry in self.emulator.requests.entries()
        )


def make_sandbox(serve: Any, tmp_path: Any, runner: Any) -> EmptySandbox:
    """An emulator without any schema and dataset, and settings that name a dataset to be made."""
    emulator = AepEmulator(tmp_path / "aep", promotion=Promotion(statuses=()))
    front = Front(emulator)
    url = serve(front)
    config = {
        "client_id": "emulator-client",
        "client_secret": "emulator-secret",
        "org_id": DEFAULT_ORG,
        "ims_url": url,
        "platform_url": url,
        "dataset_name": NAME,
    }
    return EmptySandbox(emulator, front, config, runner, tmp_path)


def messages_of(records: list[dict[str, Any]], stream: str = "events") -> list[dict[str, Any]]:
    """Records of the tap as Singer messages."""
    texts = ("distinct_id", "insert_id", "device_id", "user_id", "mp_api_endpoint")
    schema = {
        "type": "object",
        "properties": {
            "event_id": {"type": "string"},
            "event_name": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            **{name: {"type": ["string", "null"]} for name in texts},
            "import": {"type": ["boolean", "null"]},
            "mp_api_timestamp_ms": {"type": ["integer", "null"]},
            "mp_processing_time_ms": {"type": ["integer", "null"]},
            "properties": {"type": "object"},
        },
    }
    return [
        {
            "type": "SCHEMA",
            "stream": stream,
            "schema": schema,
            "key_properties": ["event_id"],
            "bookmark_properties": ["time"],
        },
        *({"type": "RECORD", "stream": stream, "record": record} for record in records),
        {"type": "STATE", "value": {"bookmarks": {stream: {"at": len(records)}}}},
    ]


def event(number: int, **properties: Any) -> dict[str, Any]:
    """A record of the tap."""
    return {
        "event_id": f"event-{number}",
        "event_name": "Opened",
        "time": "2026-01-05T10:00:00.000Z",
        "distinct_id": f"user-{number}",
        "insert_id": f"insert-{number}",
        "device_id": None,
        "user_id": None,
        "import": None,
        "mp_api_endpoint": None,
        "mp_api_timestamp_ms": 1767607200000,
        "mp_processing_time_ms": 1767607201000,
        "properties": {"time": 1767607200, "distinct_id": f"user-{number}", **properties},
    }


__all__ = ["NAME", "TENANT", "EmptySandbox", "event", "make_runner", "make_sandbox", "messages_of"]
