"""The part of an XDM schema that decides how a value may look, as a tree of fields.

Read from the flattened form of a schema (`application/vnd.adobe.xed-full+json`), in which the
registry has already resolved `$ref` and `allOf`; plain files with local references and `allOf`
are accepted too. Type table: Adobe's "Define XDM fields" page, help/xdm/schema/field-constraints.md
in AdobeDocs/experience-platform.en.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from target_aep.errors import SchemaError
from target_aep.xdm.field_age import added_at, owner_of
from target_aep.xdm.schema_parts import checked_parts

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

Kind = t.Literal[
    "any", "string", "integer", "number", "boolean", "date", "date-time", "object", "map", "array"
]

_SAFE_INTEGER = 2**53 - 1
_LONG: t.Final = (-_SAFE_INTEGER, _SAFE_INTEGER)
_INTEGER_LIMITS: t.Final[dict[str | None, tuple[int, int]]] = {
    "byte": (-(2**7), 2**7 - 1),
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
}
"""By `meta:xdmType`; any other is a long."""
STANDARD_ROOTS = frozenset({"_id", "_repo", "_dc", "_schema", "_xdm", "_experience"})


@dataclass(frozen=True)
class XdmField:
    """One field: its kind, its constraints and, for containers, its parts.

    `added` is when this target has added it, and `owner` the property that it has made it for,
    where its description tells that. `xdm_type` is what the registry calls its type, where it does:
    it tells an `int` from a `long`.
    """

    kind: Kind
    properties: Mapping[str, XdmField] = field(default_factory=dict)
    items: XdmField | None = None
    required: tuple[str, ...] = ()
    enum: frozenset[t.Any] | None = None
    pattern: re.Pattern[str] | None = None
    format: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    max_length: int | None = None
    added: datetime | None = None
    owner: str | None = None
    xdm_type: str | None = None

    def find(self, path: tuple[str, ...]) -> XdmField | None:
        """The field at a path of names below this one, or None.

        A map has a field under every name; an unconstrained (`any`) field has one everywhere.
        """
        if not path:
            return self
        if self.kind == "any":
            return self
        child = self.items if self.kind == "map" else self.properties.get(path[0])
        return child.find(path[1:]) if child else None


ANY = XdmField(kind="any")


def parse_schema(document: t.Any) -> XdmField:
    """Read a schema document into a tree of fields.

    Args:
        document: The decoded JSON of a schema.

    Returns:
        The root object field.

    Raises:
        SchemaError: The document is not a schema of an object with properties.
    """
    if not isinstance(document, dict):
        raise SchemaError("the XDM schema is not a JSON object")
    try:
        root = _parse(document, document, depth=0)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"the XDM schema makes no sense: {error}") from error
    if root.kind != "object" or not root.properties:
        raise SchemaError(
            "the XDM schema has no properties: expected the flattened form that the Schema "
            "Registry gives for Accept: application/vnd.adobe.xed-full+json; version=1"
        )
    return root


def tenant_of(document: Mapping[str, t.Any], root: XdmField) -> str | None:
    """The tenant id that a schema belongs to, where the document tells it.

    Custom fields live under `_{tenant}` and the `$id` of a custom schema is
    `https://ns.adobe.com/{tenant}/schemas/...` (help/xdm/api/getting-started.md).
    """
    match = re.match(r"https://ns\.adobe\.com/([^/]+)/schemas/", str(document.get("$id", "")))
    if match and f"_{match[1]}" in root.properties:
        return match[1]
    custom = [
        name
        for name, part in root.properties.items()
        if name.startswith("_") and name not in STANDARD_ROOTS and part.kind == "object"
    ]
    return custom[0][1:] if len(custom) == 1 else None


class _Making(t.NamedTuple):
    """What a description tells of the making of a field."""

    added: datetime | None
    owner: str | None


def _parse(node: t.Any, document: Mapping[str, t.Any], depth: int) -> XdmField:
    if not isinstance(node, dict) or depth > 64:  # noqa: PLR2004
        return ANY
    node = _flatten(node, document)
    kind = _kind(node)
    about = node.get("description")
    made = _Making(added_at(about), owner_of(about))
    if kind == "object":
        return XdmField(
            kind="object",
            properties={
                name: _parse(part, document, depth + 1)
                for name, part in node.get("properties", {}).items()
            },
            required=tuple(node.get("required", ())),
            **made._asdict(),
        )
    if kind == "map":
        items = _parse(node.get("additionalProperties"), document, depth + 1)
        return XdmField(kind="map", items=items, **made._asdict())
    if kind == "array":
        items = _parse(node.get("items"), document, depth + 1)
        return XdmField(kind="array", items=items, **made._asdict())
    return _parse_leaf(node, kind, made)


def _parse_leaf(node: Mapping[str, t.Any], kind: Kind, made: _Making) -> XdmField:
    minimum, maximum = node.get("minimum"), node.get("maximum")
    if kind == "integer":
        # Documented for each type, also where the schema does not spell it out.
        low, high = _INTEGER_LIMITS.get(_text(node.get("meta:xdmType")), _LONG)
        minimum = low if minimum is None else minimum
        maximum = high if maximum is None else maximum
    enum = node.get("enum")
    pattern = node.get("pattern")
    return XdmField(
        kind=kind,
        enum=frozenset(enum) if enum else None,
        pattern=_compile(pattern) if pattern else None,
        format=node.get("format"),
        minimum=minimum,
        maximum=maximum,
        min_length=int(node.get("minLength", 0)),
        max_length=node.get("maxLength"),
        xdm_type=_text(node.get("meta:xdmType")),
        **made._asdict(),
    )


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None


def _compile(pattern: str) -> re.Pattern[str] | None:
    """A schema's pattern, or None where Python can't read it (the service still checks it)."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _kind(node: Mapping[str, t.Any]) -> Kind:  # noqa: PLR0911
    declared = node.get("type")
    if isinstance(declared, list):
        declared = next((name for name in declared if name != "null"), None)
    if declared == "string":
        form = node.get("format")
        return form if form in ("date", "date-time") else "string"
    if declared == "object" or (declared is None and "properties" in node):
        if node.get("properties"):
            return "object"
        is_map = node.get("meta:xdmType") == "map" or isinstance(
            node.get("additionalProperties"), dict
        )
        return "map" if is_map else "any"
    if declared == "array":
        return "array"
    if declared == "integer":
        return "integer"
    if declared == "number":
        return "number"
    if declared == "boolean":
        return "boolean"
    return "any"


def _flatten(node: dict[str, t.Any], document: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Merge local `$ref` and `allOf` parts into one node."""
    merged: dict[str, t.Any] = {}
    for part in _parts(node, document, seen=frozenset()):
        for key, value in part.items():
            if key == "properties":
                merged["properties"] = _merge_properties(merged.get("properties", {}), value)
            elif key == "required":
                merged["required"] = [*merged.get("required", []), *value]
            else:
                merged.setdefault(key, value)
    return merged


def _merge_properties(first: dict[str, t.Any], second: dict[str, t.Any]) -> dict[str, t.Any]:
    """Two field groups may each bring a part of the same object (`_tenant`, `web`)."""
    merged = dict(first)
    for name, node in second.items():
        merged[name] = {"allOf": [merged[name], node]} if name in merged else node
    return merged


def _parts(
    node: dict[str, t.Any], document: Mapping[str, t.Any], seen: frozenset[str]
) -> Iterator[dict[str, t.Any]]:
    node = checked_parts(node)
    own = {key: value for key, value in node.items() if key not in ("allOf", "$ref")}
    if own:
        yield own
    reference = node.get("$ref")
    # One to another resource ("https://ns.adobe.com/...") tells where flattened fields came from.
    if isinstance(reference, str) and reference.startswith("#/") and reference not in seen:
        yield from _parts(_resolve(reference, document), document, seen | {reference})
    for part in node.get("allOf", ()):
        if isinstance(part, dict):
            yield from _parts(part, document, seen)


def _resolve(reference: str, document: Mapping[str, t.Any]) -> dict[str, t.Any]:
    node: t.Any = document
    for name in reference.removeprefix("#/").split("/"):
        node = node.get(name.replace("~1", "/").replace("~0", "~")) if node else None
    if isinstance(node, dict):
        return node
    raise SchemaError(
        f"the XDM schema refers to {reference}, which is not in the document: export the "
        "flattened form (Accept: application/vnd.adobe.xed-full+json; version=1)"
    )
