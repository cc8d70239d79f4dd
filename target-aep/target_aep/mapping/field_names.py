"""Mixpanel property names as XDM field names.

XDM names are letters, digits and underscores, don't start with an underscore, and are unique per
level ignoring case (help/xdm/schema/field-constraints.md in AdobeDocs/experience-platform.en), so
`$browser`, `Plan Name` and a `City` beside a `city` can't all keep their names. What a name
becomes depends on the name alone, never on the records seen before.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Container

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_]+")
_SUFFIX_LENGTH = 6

SIBLING_KINDS: t.Final = ("boolean", "integer", "number", "string", "object", "array")


def sanitized(raw: str) -> str | None:
    """The valid field name closest to a property name; different names may meet in one.

    None for a name without any letter or digit of a field name: only its suffixed name is its own.
    """
    name = _NOT_ALLOWED.sub("_", raw.removeprefix("$")).strip("_")
    if not name:
        return None
    return f"n_{name}" if name[0].isdigit() else name


def suffixed(raw: str) -> str:
    """A valid field name made for this property name alone: a digest of it is appended."""
    return f"{sanitized(raw) or 'property'}_{_digest(raw)}"


def typed_sibling(raw: str, kind: str) -> str:
    """The field for a property's values of another type than its own field has.

    The digest is that of the property, so that no other property has such a field for its own.

    Args:
        raw: The property.
        kind: boolean, integer, number, string, object or array.
    """
    return f"{sanitized(raw) or 'property'}_{kind}_{_digest(raw)}"


def sibling_kinds(raw: str, fields: Container[str]) -> list[str]:
    """The kinds for which a schema has a sibling of a property's field."""
    return [kind for kind in SIBLING_KINDS if typed_sibling(raw, kind) in fields]


def may_fill(raw: str, field: str) -> bool:
    """Whether a property may be what fills a field of a schema."""
    return matching_field(raw, (field,)) == field or bool(sibling_kinds(raw, (field,)))


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:_SUFFIX_LENGTH]


def matching_field(raw: str, fields: Container[str]) -> str | None:
    """The field of a schema that a property belongs to, or None.

    The suffixed name is looked for first (a schema that has it was made for a clash), then the
    very name, then its valid form.
    """
    for name in (suffixed(raw), raw, sanitized(raw)):
        if name is not None and name in fields:
            return name
    return None
