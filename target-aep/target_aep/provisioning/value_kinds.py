"""Kinds of JSON values, and the XDM type of each.

XDM's types: help/xdm/tutorials/custom-fields-api.md in AdobeDocs/experience-platform.en.
"""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal

from target_aep.xdm.exact_coercion import LARGEST_LONG, reads_back
from target_aep.xdm.timestamps import parse_date_time

Node = dict[str, t.Any]
Kind = t.Literal["boolean", "integer", "number", "large", "string", "date-time", "object", "array"]
"""Kinds of JSON values. `large` is a number that no XDM number holds exactly: an integer beyond
2^53 - 1, or one that a double would round."""

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_NODES: t.Final[dict[str, Node]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": -LARGEST_LONG, "maximum": LARGEST_LONG},
    "number": {"type": "number"},
    "string": {"type": "string"},
    "date-time": {"type": "string", "format": "date-time"},
}


def kind_of(value: t.Any) -> Kind:
    """The kind of a JSON value that is neither null nor empty."""
    if isinstance(value, str):
        return "date-time" if _is_date_time(value) else "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if abs(value) <= LARGEST_LONG else "large"
    if value.__class__ is Decimal:
        return "number" if reads_back(value) else "large"
    if isinstance(value, (float, Decimal)):
        return "number" if reads_back(Decimal(str(value))) else "large"
    return "object" if isinstance(value, dict) else "array"


def scalar_node(kind: str) -> Node:
    """The definition of a field for one kind of plain values, as the Schema Registry has it."""
    return dict(_NODES[kind])


def type_name_of(node: Node) -> str:
    """The type of a field in words, as the Schema Registry's editor calls types.

    Args:
        node: The field's definition.
    """
    if node.get("meta:xdmType") == "map":
        return f"map of {type_name_of(node['additionalProperties'])}"
    if node["type"] == "array":
        return f"list of {type_name_of(node['items'])}"
    if node["type"] == "object":
        return f"object of {', '.join(node['properties'])}"
    named = {"integer": "long", "number": "double"}
    return str(node.get("format") or named.get(node["type"], node["type"]))


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        parse_date_time(text)
    except ValueError:
        return False
    return True
