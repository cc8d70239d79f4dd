"""The check of settings with `destination=local`, which needs nothing of Experience Platform."""

from __future__ import annotations

import typing as t

from target_aep.errors import TargetError
from target_aep.sandbox_check.check import checked_mapping
from target_aep.sandbox_check.findings import Finding
from target_aep.sandbox_check.mappings import about_mapping
from target_aep.sandbox_check.parquet import about_parquet

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.target import TargetAEP

_ELSEWHERE = (
    "token", "authorization", "api key", "organisation", "sandbox", "permission", "dataset",
    "identity", "namespace", "inlet", "limits",
)  # fmt: skip


def local_findings(target: TargetAEP) -> Iterator[Finding]:
    """Look at folders, the schema file and the mapping sets.

    Args:
        target: Its settings are checked; that its folders can be written was, when it was made.
    """
    settings = target.settings
    folders = f"{settings.local_path} and {settings.dead_letter_path} can be written"
    yield Finding("ok", "folders", folders)
    binding = settings.local_binding
    if binding.schema is None:
        yield Finding(
            "warn",
            "schema",
            "schema_path is not set, so that rows are not checked: export the dataset's schema "
            "(Accept: application/vnd.adobe.xed-full+json; version=1) and name the file",
        )
    else:
        yield Finding("ok", "schema", "the file schema_path can be used")
    for stream in dict.fromkeys(("events", *settings.mappings.by_stream)):
        try:
            checked = checked_mapping(target, stream, binding.schema, binding.tenant)
        except TargetError as error:
            yield Finding("fail", "mapping", f"stream {stream}: {error}")
        else:
            yield from about_mapping(checked)
            if settings.file_format == "parquet":
                yield from about_parquet(checked)
    for topic in _ELSEWHERE:
        yield Finding("skip", topic, "because destination is local")
