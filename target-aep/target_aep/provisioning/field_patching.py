"""Fields brought into a field group that is there, as it is at that moment."""

from __future__ import annotations

import typing as t

from target_aep.errors import PlatformError, TargetError
from target_aep.provisioning.field_group import extension

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_aep.api.schema_registry import SchemaRegistry
    from target_aep.provisioning.field_group import Addition

Resource = dict[str, t.Any]

_BAD_REQUEST = 400
_MOST_REFUSED = 5


def bring_fields(registry: SchemaRegistry, group_id: str, additions: Iterable[Addition]) -> None:
    """Add those fields to a field group that it does not define yet.

    A field that the registry refuses does not keep the others out.

    Args:
        registry: The registry.
        group_id: `$id` of the field group.
        additions: The fields.

    Raises:
        TargetError: The field group is gone, or has one of them with another type.
        PlatformError: The platform refused; some of the fields may have been added.
    """
    document = registry.read("fieldgroups", group_id)
    if document is None:
        raise TargetError(f"the field group {group_id} is not there any more: run again")
    operations = extension(document, additions)
    if not operations:
        return
    refused: list[tuple[Resource, PlatformError]] = []
    _patch(registry, group_id, operations, refused)
    if refused:
        raise _complaint(document, len(operations), refused)


def _patch(
    registry: SchemaRegistry,
    group_id: str,
    operations: Sequence[Resource],
    refused: list[tuple[Resource, PlatformError]],
) -> None:
    """Add fields in one call; if it is refused, half of them at a time."""
    if len(refused) >= _MOST_REFUSED:
        return
    try:
        registry.patch("fieldgroups", group_id, operations)
    except PlatformError as error:
        if error.status != _BAD_REQUEST:
            raise
        if len(operations) == 1:
            refused.append((operations[0], error))
            return
        half = len(operations) // 2
        _patch(registry, group_id, operations[:half], refused)
        _patch(registry, group_id, operations[half:], refused)


def _complaint(
    document: Resource, count: int, refused: Sequence[tuple[Resource, PlatformError]]
) -> PlatformError:
    names = ", ".join(operation["path"].rpartition("/")[2] for operation, _ in refused)
    first = refused[0][1]
    if len(refused) >= _MOST_REFUSED:
        others = "others were not tried"
    else:
        others = "the others were added" if count > len(refused) else "nothing was added"
    return PlatformError(
        f"field group {document.get('title')!r}: Experience Platform refuses to add {names} "
        f"({others}): {first}",
        status=first.status,
        about=first.about,
    )
