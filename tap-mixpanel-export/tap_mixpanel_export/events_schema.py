"""The columns of the stream ``events``, and the schemas that list a project's properties."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_mixpanel_export.discovery.property_types import column_definition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_mixpanel_export.discovery.memory import KnownProperty

Schema = dict[str, Any]

PROPERTIES = "properties"
"""The column that holds every property that has no column of its own."""

SCHEMA: Schema = th.PropertiesList(
    th.Property(
        "event_id",
        th.StringType,
        required=True,
        description="Key of the event, equal however often it is exported.",
    ),
    th.Property("event_name", th.StringType, required=True, description="`event`"),
    th.Property(
        "time",
        th.DateTimeType,
        required=True,
        description="When it happened, UTC; from `properties.time`.",
    ),
    th.Property("distinct_id", th.StringType, description="`distinct_id`"),
    th.Property("insert_id", th.StringType, description="`$insert_id`"),
    th.Property("device_id", th.StringType, description="`$device_id`"),
    th.Property("user_id", th.StringType, description="`$user_id`"),
    th.Property("import", th.BooleanType, description="`$import`"),
    th.Property("mp_api_endpoint", th.StringType, description="`$mp_api_endpoint`"),
    th.Property(
        "mp_api_timestamp_ms",
        th.IntegerType,
        description="`$mp_api_timestamp_ms`: received, UTC milliseconds.",
    ),
    th.Property(
        "mp_processing_time_ms",
        th.IntegerType,
        description="`mp_processing_time_ms`: processed, UTC milliseconds.",
    ),
    th.Property(
        PROPERTIES,
        th.ObjectType(additional_properties=True),
        required=True,
        description="Every property exactly as exported.",
    ),
).to_dict()
"""The schema of the layout ``object``, and the fixed columns of the other."""

FIXED_COLUMN_OF = {
    "time": "time",
    "distinct_id": "distinct_id",
    "$insert_id": "insert_id",
    "$device_id": "device_id",
    "$user_id": "user_id",
    "$import": "import",
    "$mp_api_endpoint": "mp_api_endpoint",
    "$mp_api_timestamp_ms": "mp_api_timestamp_ms",
    "mp_processing_time_ms": "mp_processing_time_ms",
}
"""The properties that fill a fixed column; they stay in ``properties`` as well, as exported."""

_ANY_TYPE = ["string", "number", "boolean", "object", "array", "null"]
_THE_REST = "Every property without a column of its own, and each value that does not fit its own."


def columns_schema(found: Mapping[str, KnownProperty], *, lists: bool = False) -> Schema:
    """Return the schema of the layout ``columns``.

    Args:
        found: The project's properties by raw name; ``title`` of a column is that name.
        lists: Whether they are listed below ``properties`` as well, as in the other layout.
    """
    schema = listing_schema(found) if lists else deepcopy(SCHEMA)
    schema["properties"][PROPERTIES]["description"] = _THE_REST
    typed = {each.column: (raw, each) for raw, each in found.items() if each.kind is not None}
    for column, (raw, each) in sorted(typed.items()):
        described = {"description": each.description} if each.description else {}
        definition = column_definition(str(each.kind))
        schema["properties"][column] = {**definition, "title": raw, **described}
    return schema


def listing_schema(found: Mapping[str, KnownProperty]) -> Schema:
    """Return the schema of the layout ``object`` with the properties below ``properties``.

    They are there to be deselected: any value may be below them.

    Args:
        found: The project's properties by raw name.
    """
    schema = deepcopy(SCHEMA)
    schema["properties"][PROPERTIES]["properties"] = {
        raw: _listed(found.get(raw)) for raw in sorted({*FIXED_COLUMN_OF, *found})
    }
    return schema


def _listed(known: KnownProperty | None) -> Schema:
    described = {"description": known.description} if known and known.description else {}
    return {"type": [*_ANY_TYPE], **described}


def without_listing(schema: Schema) -> Schema:
    """Return a schema without the properties that were only listed to be deselected.

    A target that flattens objects would make columns of them, and drop the properties that are
    not listed. What a user has typed stays.
    """
    column = schema.get("properties", {}).get(PROPERTIES, {})
    listed = column.get("properties") or {}
    kept = {raw: each for raw, each in listed.items() if not _only_lists(each)}
    if len(kept) == len(listed):
        return schema
    schema = deepcopy(schema)
    schema["properties"][PROPERTIES]["properties"] = kept
    return schema


def _only_lists(definition: Schema) -> bool:
    return definition.keys() <= {"type", "description"} and definition.get("type") == _ANY_TYPE


def without_columns(schema: Schema) -> Schema:
    """Return a schema without typed columns."""
    typed = {column for _, column, _ in typed_columns(schema)}
    if not typed:
        return schema
    columns = schema["properties"]
    kept = {name: columns[name] for name in columns if name not in typed}
    required = [name for name in schema.get("required") or [] if name not in typed]
    return {**schema, "properties": kept, **({"required": required} if required else {})}


def same_titles(schema: Schema) -> list[str]:
    """Return a line for each property that two typed columns are for."""
    first: dict[str, str] = {}
    lines = []
    for raw, column, _ in typed_columns(schema):
        if first.setdefault(raw, column) != column:
            lines.append(
                f"catalog: the columns {first[raw]} and {column} are both for the property {raw!r} "
                "(their title); remove one of them"
            )
    return lines


def missing_columns(schema: Schema) -> list[str]:
    """Return the fixed columns that a schema does not have."""
    return [name for name in SCHEMA["properties"] if name not in schema.get("properties", {})]


def typed_columns(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Yield the raw name, the column's name and its definition of each typed column."""
    for column, definition in schema.get("properties", {}).items():
        if column not in SCHEMA["properties"]:
            title = definition.get("title")
            yield column if title is None else title, column, definition
