"""The check of whole rows, as far as rows of a mapping set can need it."""

from __future__ import annotations

import typing as t

from target_aep.mapping.required_fields import missing_required, required_below, required_of
from target_aep.mapping.row_rules import MAX_IDENTITIES, Complaint, complaint_about

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_aep.mapping.identities import Identity
    from target_aep.mapping.paths import WildPath
    from target_aep.mapping.row_rules import Row
    from target_aep.xdm.schema import XdmField

Check = t.Callable[["Row"], "Complaint | None"]


def compile_row_check(
    schema: XdmField | None, filled: Sequence[WildPath], identities: Sequence[Identity]
) -> Check | None:
    """Compile what is to be checked of a stream's rows beside their root fields.

    Args:
        schema: That rows are converted to; None for no schema, where `_id` is text all the same.
        filled: Where mappings and the rule for the remainder put something.
        identities: What goes into identityMap beside them.

    Returns:
        A function from a row to what would have it refused, None if nothing; None instead of the
        function if no row can be refused.
    """
    checks = [
        check
        for check in (_required_check(schema, filled), _rule_check(schema, filled, identities))
        if check is not None
    ]
    if not checks:
        return None
    return lambda row: next((found for check in checks if (found := check(row))), None)


def _required_check(schema: XdmField | None, filled: Sequence[WildPath]) -> Check | None:
    """What the schema requires within objects that rows may have."""
    if schema is None:
        return None
    required = required_of(required_below(schema), [*filled, ("identityMap",)])
    if not any(required):
        return None

    def check(row: Row) -> Complaint | None:
        missing = missing_required(row, required)
        return Complaint(missing, "required by the schema, but missing") if missing else None

    return check


def _rule_check(
    schema: XdmField | None, filled: Sequence[WildPath], identities: Sequence[Identity]
) -> Callable[[Row], Complaint | None] | None:
    """The limits of identities and of `_id`, where mappings may pass them."""
    identifier = schema.find(("_id",)) if schema else None
    is_text = schema is None or (identifier is not None and identifier.kind == "string")
    may_pass = (
        len(identities) > MAX_IDENTITIES
        or any(path[0] == "identityMap" for path in filled)
        or any(path[0] == "_id" and (len(path) > 1 or not is_text) for path in filled)
    )
    return complaint_about if may_pass else None
