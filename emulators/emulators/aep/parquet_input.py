"""Parquet files of a batch: columns against the dataset's schema, rows as JSON has them.

What a file holds must match a subset of the schema; a type that can't be converted to that of its
field fails the batch with a TypeCompatibilityException (AdobeDocs/experience-platform.en
`help/ingestion/batch-ingestion/overview.md`), and so does a file that can't be read
(`help/ingestion/quality/error-diagnostics.md`). Adobe lists no codes for either. Types by field:
`help/xdm/schema/field-constraints.md`; conversions are those of batch ingestion, from text to
numbers and dates and from whole numbers to dates, with numbers of any width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from emulators.aep.findings import CORRUPT, MISMATCH
from emulators.aep.formats import EPOCH, date_time_of_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from emulators.aep.model import JsonObject

_AT_ONCE = 1_000


class RefusedFileError(Exception):
    """A file fails its batch.

    Attributes:
        refusal: What the batch says of it.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.refusal: JsonObject = {"code": code, "description": description, "rows": []}


def read_parquet(stored: Path, path: str, schema: JsonObject) -> Iterator[JsonObject]:
    """The rows of a file, fields without a value left out.

    Args:
        stored: The file.
        path: Its name in the batch.
        schema: The dataset's flattened schema.

    Raises:
        RefusedFileError: It can't be read, or its columns don't fit the schema.
    """
    try:
        with pq.ParquetFile(stored) as file:
            _check_object(file.schema_arrow, schema, "", path)
            read = _reader_of_object(file.schema_arrow)
            for batch in file.iter_batches(_AT_ONCE):
                yield from map(read, batch.to_pylist())
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise RefusedFileError(
            CORRUPT,
            f"The file {path} has corrupted data and cannot be read as Parquet: {error}",
        ) from error


def _check_object(found: Any, schema: JsonObject, prefix: str, file: str) -> None:
    fields = schema.get("properties", {})
    for field in found:
        if field.name not in fields:
            raise _incompatible(file, prefix + field.name, f"{field.type}", "no such field")
        _check(field.type, fields[field.name], prefix + field.name, file)


def _check(found: pa.DataType, schema: JsonObject, path: str, file: str) -> None:
    kind: str = schema.get("type", "object")
    extra = schema.get("additionalProperties")
    if kind == "object" and schema.get("properties"):
        if pa.types.is_struct(found):
            _check_object(found, schema, f"{path}.", file)
            return
    elif kind == "object" and isinstance(extra, dict):
        if pa.types.is_map(found) and pa.types.is_string(found.key_type):
            _check(found.item_type, extra, f"{path}.*", file)
            return
    elif kind == "array":
        if pa.types.is_list(found):
            _check(found.value_type, schema.get("items", {}), f"{path}[]", file)
            return
    elif any(is_fit(found) for is_fit in _FITTING.get(schema.get("format", kind), _TEXT)):
        return
    raise _incompatible(file, path, str(found), schema.get("meta:xdmType", kind))


_TEXT = (pa.types.is_string,)
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_string)
_FITTING: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "boolean": (pa.types.is_boolean,),
    "number": _NUMBERS,
    "integer": (pa.types.is_integer, pa.types.is_string),
    "date": (pa.types.is_date, pa.types.is_string, pa.types.is_int64),
    "date-time": (pa.types.is_timestamp, pa.types.is_string, pa.types.is_int64),
}
"""What a column may be by the field's format or type; texts of other formats are texts."""


def _incompatible(file: str, path: str, found: str, wanted: str) -> RefusedFileError:
    return RefusedFileError(
        MISMATCH,
        f"TypeCompatibilityException: the column {path} of {file} is {found}, and the dataset's "
        f"schema has {wanted}.",
    )


def _reader_of_object(found: Any) -> Callable[[Any], JsonObject]:
    readers = {field.name: _reader(field.type) for field in found}

    def read(value: Any) -> JsonObject:
        parts = {name: readers[name](item) for name, item in value.items() if item is not None}
        return {name: part for name, part in parts.items() if part != {}}

    return read


def _reader(found: pa.DataType) -> Callable[[Any], Any]:
    """What makes a value of a column what JSON has for it."""
    if pa.types.is_struct(found):
        return _reader_of_object(found)
    if pa.types.is_map(found):
        read_item = _reader(found.item_type)
        return lambda pairs: {key: None if item is None else read_item(item) for key, item in pairs}
    if pa.types.is_list(found):
        read_item = _reader(found.value_type)
        return lambda items: [None if item is None else read_item(item) for item in items]
    if pa.types.is_timestamp(found):
        return _date_time
    if pa.types.is_date(found):
        return lambda day: day.isoformat()
    return lambda value: value


def _date_time(moment: Any) -> str | None:
    elapsed = moment.replace(tzinfo=EPOCH.tzinfo) - EPOCH
    return date_time_of_ms(
        elapsed.days * 86_400_000 + elapsed.seconds * 1000 + elapsed.microseconds // 1000
    )
