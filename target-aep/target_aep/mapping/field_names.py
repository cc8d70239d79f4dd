"""Mixpanel property names as XDM field names.

XDM names are letters, digits and underscores, don't start with an underscore, and are unique per
level ignoring case (help/xdm/schema/field-constraints.md in AdobeDocs/experience-platform.en), so
`$browser`, `Plan Name` and a `City` beside a `city` can't all keep their names. What a name
becomes depends on the name alone, never on the records seen before. A field that this target has
made tells in its description whose it is, and is no other property's.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from target_aep.xdm.schema import XdmField

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_]+")
_SUFFIX_LENGTH = 6
_LONGEST_STEM = 80
"""With the longest suffix, names stay below 100 characters."""
_LONGEST_TITLE = 255
_NO_NAME = "(no name)"
_NO_OWNERS: t.Final[dict[str, str]] = {}

SIBLING_KINDS: t.Final = ("boolean", "integer", "number", "string", "object", "array")


def sanitized(raw: str) -> str | None:
    """The valid field name closest to a property name; different names may meet in one.

    None for a name without any letter or digit of a field name: only its suffixed name is its own.
    One that is too long is cut, and then has a suffix in any case.
    """
    stem = _stem(raw)
    return f"{stem[:_LONGEST_STEM]}_{_digest(raw)}" if len(stem) > _LONGEST_STEM else stem or None


def _stem(raw: str) -> str:
    name = _NOT_ALLOWED.sub("_", raw.removeprefix("$")).strip("_")
    return f"n_{name}" if name[:1].isdigit() else name


def _short_stem(raw: str) -> str:
    return _stem(raw)[:_LONGEST_STEM] or "property"


def suffixed(raw: str) -> str:
    """A valid field name made for this property name alone: a digest of it is appended."""
    return f"{_short_stem(raw)}_{_digest(raw)}"


def typed_sibling(raw: str, kind: str) -> str:
    """The field for a property's values of another type than its own field has.

    The digest is that of the property, so that no other property has such a field for its own.

    Args:
        raw: The property.
        kind: boolean, integer, number, string, object or array.
    """
    return f"{_short_stem(raw)}_{kind}_{_digest(raw)}"


def sibling_kinds(
    raw: str, fields: Container[str], owners: Mapping[str, str] = _NO_OWNERS
) -> list[str]:
    """The kinds for which a schema has a sibling of a property's field; see `matching_field`."""
    return [
        kind for kind in SIBLING_KINDS if _is_free(raw, typed_sibling(raw, kind), fields, owners)
    ]


def may_fill(raw: str, field: str) -> bool:
    """Whether a property may be what fills a field of a schema."""
    return matching_field(raw, (field,)) == field or bool(sibling_kinds(raw, (field,)))


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:_SUFFIX_LENGTH]


def matching_field(
    raw: str, fields: Container[str], owners: Mapping[str, str] = _NO_OWNERS
) -> str | None:
    """The field of a schema that a property belongs to, or None.

    The suffixed name is looked for first (a schema that has it was made for a clash), then the
    very name, then its valid form.

    Args:
        raw: The property.
        fields: The names of the schema's fields.
        owners: The properties that fields were made for, as `shown` has them, by field; a field
            that was made by hand has none, and takes every property with a fitting name.
    """
    for name in (suffixed(raw), raw, sanitized(raw)):
        if name is not None and _is_free(raw, name, fields, owners):
            return name
    return None


def _is_free(raw: str, field: str, fields: Container[str], owners: Mapping[str, str]) -> bool:
    return field in fields and owners.get(field) in (None, shown(raw))


def owners_of(fields: Mapping[str, XdmField]) -> dict[str, str]:
    """The properties that fields were made for, by field, as far as fields tell it."""
    return {name: field.owner for name, field in fields.items() if field.owner is not None}


def shown(raw: str) -> str:
    """A property's name as the title of its field, which has up to 255 characters."""
    return sendable(raw)[:_LONGEST_TITLE]


def sendable(raw: str) -> str:
    """A property's name as text that can be sent: half a surrogate pair can't."""
    if raw.isascii():
        return raw
    return raw.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unused_key(raw: str, taken: Container[str]) -> str:
    """The key of a map for a property whose name can be none: it is empty or can't be sent.

    Args:
        raw: The property.
        taken: Keys that other properties have.
    """
    key = sendable(raw) or _NO_NAME
    while key in taken:
        key = f"{key} {_digest(raw)}"
    return key
