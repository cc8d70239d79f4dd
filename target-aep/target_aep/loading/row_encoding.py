"""Rows as JSON lines: by msgspec wherever that gives the same bytes as the ordinary way.

The same bytes, because the name of a commit without STATE is made of them (`content_key`). Both
write the shortest text that reads back as a float, but with another spelling of exponents. Only
some fields can have a float: those that the schema says are numbers, or may be anything, and
without a schema those that expressions fill, since records are read with Decimals.
"""

from __future__ import annotations

import typing as t
from decimal import Decimal
from itertools import takewhile

import msgspec

from target_aep.loading.json_lines import encode_line
from target_aep.mapping.destination_paths import parse_destination

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.mapping.model import MappingSet
    from target_aep.xdm.schema import XdmField

Watch: t.TypeAlias = "bool | dict[str, Watch]"
"""Which parts of an object to look at: all of it, or some by name."""

_LEAST, _END = 1e-4, 1e16
"""Between these, and for 0, a float is written without an exponent."""


class RowEncoder:
    """Writes the rows of one stream."""

    def __init__(self, mapping_set: MappingSet, schema: XdmField | None) -> None:
        """Find out which fields can have a float.

        Args:
            mapping_set: What fills the rows.
            schema: The dataset's, None if it is not known.
        """
        self._encode = msgspec.json.Encoder(decimal_format="number").encode_into
        self._paths = () if schema else tuple(_filled_by_expressions(mapping_set))
        self._watch = schema and _numbers_of(schema)

    def append(self, row: dict[str, t.Any], lines: bytearray) -> None:
        """Append a row as a line.

        Args:
            row: An XDM object.
            lines: The lines so far.

        Raises:
            RecursionError: It is nested too deeply.
        """
        if self._paths and _differs_at(row, self._paths):
            lines += encode_line(row)
            return
        if self._watch and _differs(row, self._watch):
            lines += encode_line(row)
            return
        end = len(lines)
        try:
            self._encode(row, lines, -1)
        except Exception:  # noqa: BLE001 - whatever it is, the ordinary way takes or refuses it
            del lines[end:]
            lines += encode_line(row)
        else:
            lines += b"\n"


def _filled_by_expressions(mapping_set: MappingSet) -> Iterator[tuple[str, ...]]:
    """The paths of what expressions fill, as far as they lead through objects."""
    for mapping in mapping_set.mappings:
        if mapping.source_type != "ATTRIBUTE":
            steps = parse_destination(mapping.destination)
            yield tuple(str(step) for step in takewhile(lambda step: isinstance(step, str), steps))


def _numbers_of(field: XdmField) -> Watch:
    if field.kind in ("number", "any"):
        return True
    if field.items is not None:
        return bool(_numbers_of(field.items))
    below = {name: _numbers_of(part) for name, part in field.properties.items()}
    return {name: watch for name, watch in below.items() if watch}


def _differs_at(row: dict[str, t.Any], paths: Iterable[tuple[str, ...]]) -> bool:
    """Whether msgspec may write differently what is at one of these paths."""
    for path in paths:
        part: t.Any = row
        for name in path:
            part = part.get(name)
            if part.__class__ is not dict:
                break
        if part.__class__ is not str and part is not None and _has_odd_part(part):
            return True
    return False


def _differs(value: t.Any, watch: Watch) -> bool:
    """Whether msgspec may write differently what is in the watched places."""
    if isinstance(watch, bool) or type(value) is not dict:
        return _has_odd_part(value)
    for name, part in value.items():
        if part.__class__ is not str and name in watch and _differs(part, watch[name]):
            return True
    return False


def _has_odd_part(value: t.Any) -> bool:
    kind = type(value)
    if kind is float:
        return value != 0 and not _LEAST <= abs(value) < _END
    if kind is Decimal:
        return not value.is_finite()
    if kind is dict:
        return any(type(key) is not str for key in value) or any(map(_has_odd_part, value.values()))
    if kind is list:
        return any(map(_has_odd_part, value))
    return kind not in _PLAIN


_PLAIN = frozenset({str, int, bool, type(None)})
