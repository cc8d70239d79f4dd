"""What a mapping set fills that no Parquet file can hold."""

from __future__ import annotations

import typing as t

from target_aep.loading.parquet_fields import is_typed
from target_aep.mapping.destination_paths import field_at
from target_aep.mapping.paths import parse_path
from target_aep.sandbox_check.findings import Finding, enumerated

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.mapping.paths import WildPath
    from target_aep.sandbox_check.mappings import CheckedMapping


def about_parquet(checked: CheckedMapping) -> Iterator[Finding]:
    """Name the fields for which rows would be refused, with `file_format=parquet`."""
    fields = [name for name, path in _filled(checked) if _has_no_column(checked, path)]
    if fields:
        yield Finding(
            "fail",
            "mapping",
            f"stream {checked.stream}, set {checked.mapping_set.name}: with file_format=parquet "
            "every record with a value for one of these would go to the dead letters, since the "
            f"schema does not say what they hold: {enumerated(dict.fromkeys(fields))}. Set "
            "file_format to json, choose another dataset, or map these values elsewhere",
        )


def _filled(checked: CheckedMapping) -> Iterator[tuple[str, WildPath]]:
    for each in checked.compiled:
        yield each.destination, each.steps
    if checked.mapping_set.remainder:
        rest = checked.mapping_set.remainder.rest
        yield rest, parse_path(rest)


def _has_no_column(checked: CheckedMapping, path: WildPath) -> bool:
    field = None if checked.schema is None else field_at(checked.schema, path)
    return field is not None and not is_typed(field)
