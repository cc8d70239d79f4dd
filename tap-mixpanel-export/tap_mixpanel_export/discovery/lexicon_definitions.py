"""What an answer of Mixpanel's Lexicon says of properties.

See https://developer.mixpanel.com/reference/list-schemas-for-entity for its shape.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_mixpanel_export.discovery.property_types import commonest

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class LexiconProperty:
    """What Lexicon says of a property.

    Attributes:
        kind: JSON schema type, None if it names none but null.
        description: For people, or None.
    """

    kind: str | None
    description: str | None


def read_definitions(
    answer: Any, events: Collection[str], logger: logging.Logger
) -> dict[str, LexiconProperty]:
    """Read the properties that have a schema.

    A property of several events is of the type that most of them give it, exported or not.
    Events and properties that Mixpanel drops at ingestion are left out, and so are properties
    that only events have which are not exported.

    Args:
        answer: The parsed answer.
        events: Names of the events that are exported; none for all.
        logger: Gets a line about definitions that make no sense; these are left out.

    Raises:
        ValueError: The answer as a whole is not what Mixpanel documents.
    """
    entries = answer.get("results") if isinstance(answer, dict) else None
    reader = _Reader({*events})
    if not isinstance(entries, list):
        raise ValueError("results")  # noqa: TRY004 - not the caller's mistake
    for entry in entries:
        reader.read_event(entry)
    if reader.odd and not reader.events_read:
        raise ValueError(reader.odd[0])
    if reader.odd:
        logger.warning(
            "Lexicon: %d definitions make no sense and are left out; the first is that of %s",
            len(reader.odd),
            reader.odd[0],
        )
    return reader.properties()


class _Reader:
    """Collects definitions and goes on after one that makes no sense."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = wanted
        self._kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._descriptions: dict[str, tuple[str, str]] = {}
        self._exported: set[str] = set()
        self.events_read = 0
        self.odd: list[str] = []

    def properties(self) -> dict[str, LexiconProperty]:
        return {
            name: LexiconProperty(commonest(self._kinds[name]), self._description(name))
            for name in self._exported
        }

    def _description(self, name: str) -> str | None:
        return self._descriptions.get(name, (None, None))[1]

    def read_event(self, entry: Any) -> None:
        try:
            if entry["entityType"] != "event":
                return
            name, schema = entry["name"], entry["schemaJson"]
            properties = schema.get("properties") or {}
            is_dropped = _is_dropped(schema)
            items = [*properties.items()]
        except (KeyError, TypeError, AttributeError):
            self.odd.append(_event_words(entry))
            return
        self.events_read += 1
        if is_dropped:
            return
        for raw, definition in items:
            self._read_property(str(name), raw, definition)

    def _read_property(self, event: str, raw: str, definition: Any) -> None:
        try:
            if _is_dropped(definition):
                return
            kinds, description = _types(definition), definition.get("description")
        except (TypeError, AttributeError):
            self.odd.append(f"the property {raw!r} of the event {event!r}")
            return
        self._kinds[raw].update(kinds)
        if self._wanted and event not in self._wanted:
            return
        self._exported.add(raw)
        if description:
            before = self._descriptions.get(raw, (event, str(description)))
            self._descriptions[raw] = min(before, (event, str(description)))


def _event_words(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"the event {name!r}" if isinstance(name, str) else "an event without a name"


def _is_dropped(definition: Mapping[str, Any]) -> bool:
    metadata = (definition.get("metadata") or {}).get("com.mixpanel") or {}
    return bool(metadata.get("dropped"))


def _types(definition: Mapping[str, Any]) -> list[str]:
    types = definition.get("type") or []
    return [types] if isinstance(types, str) else [str(each) for each in types]
