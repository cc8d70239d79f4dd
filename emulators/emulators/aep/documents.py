"""JSON documents of one kind on disk, each in a file of its own, by sandbox and key."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.aep.model import JsonObject


class Documents:
    """What a service keeps; hold the lake's `lock` while changing it."""

    def __init__(self, folder: Path) -> None:
        """Read what the folder holds, in the order in which it was added."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        stored = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
        self._entries: dict[tuple[str, str], JsonObject] = {
            (entry["sandbox"], entry["key"]): entry
            for entry in sorted(stored, key=lambda entry: entry["number"])
        }
        self._next_number = max((entry["number"] for entry in stored), default=0) + 1

    def get(self, sandbox: str, key: str) -> JsonObject | None:
        """The document, or None."""
        entry = self._entries.get((sandbox, key))
        return entry["document"] if entry else None

    def all_of(self, sandbox: str) -> list[JsonObject]:
        """The documents of a sandbox, oldest first."""
        entries = list(self._entries.values())
        return [entry["document"] for entry in entries if entry["sandbox"] == sandbox]

    def put(self, sandbox: str, key: str, document: JsonObject) -> None:
        """Add or replace a document."""
        earlier = self._entries.get((sandbox, key))
        number = earlier["number"] if earlier else self._next_number
        self._next_number = max(self._next_number, number + 1)
        entry = {"sandbox": sandbox, "key": key, "number": number, "document": document}
        self._entries[sandbox, key] = entry
        write_json(self._path(sandbox, key), entry)

    def remove(self, sandbox: str, key: str) -> None:
        """Delete a document that is there."""
        del self._entries[sandbox, key]
        self._path(sandbox, key).unlink()

    def _path(self, sandbox: str, key: str) -> Path:
        return self._folder / f"{digest(f'{sandbox} {key}')}.json"


def write_json(path: Path, value: Any) -> None:
    """Write a file so that it is there as a whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value), "utf-8")
    new.replace(path)


def digest(text: str) -> str:
    """24 hexadecimal digits that stand for a text, the form of Catalog's ids."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]
