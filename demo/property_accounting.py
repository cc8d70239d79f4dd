"""Where every value of every property is: counted without the target's own code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tap_mixpanel_export.event import event_id, parse_event

from demo.services import PROJECT_ID, TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.services import Services

_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass
class PropertyAccount:
    """Counts of values, over all events that are in the dataset.

    Attributes:
        total: Values that are not empty.
        mapped: Of these, those that the mapping gives a field of Adobe's, or of a column.
        typed: Those in typed fields of their own.
        in_map: Those in the map, as text under their raw names.
        missing: Those that are nowhere.
    """

    total: int = 0
    mapped: int = 0
    typed: int = 0
    in_map: int = 0
    missing: int = 0


def take_property_account(services: Services) -> PropertyAccount:
    """Look for each value of the exported events in the rows of the dataset."""
    events = _events(services)
    fields = _typed_fields(services)
    mapped = _mapped_properties()
    account = PropertyAccount()
    for row in services.aep.inspection.rows(services.dataset_id()):
        own = row[f"_{TENANT}"]["mixpanel"]
        for name, value in events[row["_id"]].items():
            if value in _EMPTY:
                continue
            account.total += 1
            if any(field in own.get("properties", {}) for field in fields.get(name, ())):
                account.typed += 1
            elif name in own.get("otherProperties", {}):
                account.in_map += 1
            elif any(_has(row, path) for path in mapped.get(name, ())):
                account.mapped += 1
            else:
                account.missing += 1
    return account


def _events(services: Services) -> dict[str, dict[str, Any]]:
    blocks = services.mixpanel.store.lines(PROJECT_ID, date.min, date.max)
    lines = [line for block in blocks for line in block]
    return {event_id(parse_event(line)): json.loads(line)["properties"] for line in lines}


def _typed_fields(services: Services) -> dict[str, list[str]]:
    """The typed fields of each property: `provision` gives them its raw name as title."""
    (schema,) = services.aep.resources.listing()["schemas"]
    own = schema["properties"][f"_{TENANT}"]["properties"]["mixpanel"]["properties"]
    fields: dict[str, list[str]] = {}
    for field, node in own["properties"]["properties"].items():
        fields.setdefault(node["title"], []).append(field)
    return fields


def _mapped_properties() -> dict[str, list[list[str]]]:
    """The fields that the built-in mapping gives properties, by the mapping set's own text."""
    text = files("target_aep").joinpath("mappings/mixpanel.json").read_text("utf-8")
    mapping_set = json.loads(text)
    columns: Mapping[str, str] = mapping_set["remainder"]["columns"]
    found: dict[str, list[list[str]]] = {}
    for mapping in mapping_set["mappings"]:
        path = mapping["destination"].replace("${TENANT_ID}", TENANT).split(".")
        for name in _properties_in(mapping["source"], columns):
            found.setdefault(name, []).append(path)
    return found


def _properties_in(source: str, columns: Mapping[str, str]) -> list[str]:
    if source in columns:
        return [columns[source]]
    _, marker, rest = source.partition("properties.")
    return [rest.split("}")[0]] if marker else []


def _has(row: dict[str, Any], path: list[str]) -> bool:
    value: Any = row
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
