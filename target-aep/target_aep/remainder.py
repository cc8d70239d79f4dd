"""Where the properties go that no mapping has placed: none is lost if the schema has a map."""

from __future__ import annotations

import functools
import typing as t

from target_aep.coercion import OMITTED, compile_coercer, prune
from target_aep.field_names import matching_field
from target_aep.json_lines import json_text
from target_aep.paths import compile_reader, parse_path, put_value
from target_aep.unconvertible import UnconvertibleError

if t.TYPE_CHECKING:
    from target_aep.compiled_mapping import Names
    from target_aep.mapping import Remainder
    from target_aep.mapping_report import MappingReport
    from target_aep.scalar_coercion import Coercer
    from target_aep.xdm_schema import XdmField

Record = dict[str, t.Any]


class RemainderPlan:
    """Places the properties that no mapping has placed: typed where the schema has a field."""

    def __init__(self, rule: Remainder, schema: XdmField | None, report: MappingReport) -> None:
        """Compile the rule.

        Args:
            rule: With the tenant's id already in its paths.
            schema: The dataset's schema; None leaves all to the map.
            report: Where losses are counted.
        """
        self._read = compile_reader(parse_path(rule.source))
        self._field_names = t.cast("Names", parse_path(rule.fields))
        self._rest_names = t.cast("Names", parse_path(rule.rest))
        self._report = report
        fields = schema.find(self._field_names) if schema else None
        self._fields = fields.properties if fields else {}
        self._has_rest = schema is None or schema.find(self._rest_names) is not None
        self._typed_field = functools.lru_cache(maxsize=10_000)(self._find_typed_field)

    @property
    def missing(self) -> str | None:
        """The path of the map, if the schema has none: properties are then lost."""
        return None if self._has_rest else ".".join(self._rest_names)

    def place(self, record: Record, placed: frozenset[str], xdm: Record) -> None:
        """Put a record's properties into its XDM object.

        Args:
            record: The record.
            placed: Properties that have their place already.
            xdm: What was mapped so far; it is added to.
        """
        properties = self._read(record)
        if not isinstance(properties, dict):
            return
        claims: dict[str, str] = {}
        rest: dict[str, str] = {}
        for name, value in properties.items():
            if name in placed or prune(value) is OMITTED:
                continue
            found = self._typed_field(name)
            if found is None:
                rest[name] = _as_text(value)
                continue
            loser = _claim(claims, found[0], name)
            if loser is not None:
                rest[loser] = _as_text(properties[loser])
        self._fill(xdm, claims, properties, rest)
        if rest and self._has_rest:
            put_value(xdm, self._rest_names, rest)
        elif rest:
            self._report.count_left_out(rest)

    def _fill(
        self, xdm: Record, claims: dict[str, str], properties: Record, rest: dict[str, str]
    ) -> None:
        """Put the claimed fields in; a value that does not convert goes to the rest."""
        typed: Record = {}
        for field_name, name in claims.items():
            found = self._typed_field(name)
            try:
                typed[field_name] = found[1](properties[name]) if found else OMITTED
            except UnconvertibleError:
                self._report.count_unconverted(name)
                rest[name] = _as_text(properties[name])
        kept = {name: value for name, value in typed.items() if value is not OMITTED}
        if kept:
            put_value(xdm, self._field_names, kept)

    def _find_typed_field(self, name: str) -> tuple[str, Coercer] | None:
        field_name = matching_field(name, self._fields)
        if field_name is None:
            return None
        return field_name, compile_coercer(self._fields[field_name])


def _claim(claims: dict[str, str], field_name: str, name: str) -> str | None:
    """Claim a field for a property; of two, the field's namesake or the smaller name has it.

    Returns:
        The property that has to go elsewhere, None if there is none.
    """
    rival = claims.setdefault(field_name, name)
    if rival == name:
        return None
    winner, loser = sorted((rival, name), key=lambda each: (each != field_name, each))
    claims[field_name] = winner
    return loser


def _as_text(value: t.Any) -> str:
    return value if isinstance(value, str) else json_text(value)
