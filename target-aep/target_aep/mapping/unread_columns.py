"""Columns of a record that no mapping reads, put back among the properties that they came from.

A tap may give properties columns of their own: `tap-mixpanel-export` with
`properties_layout=columns` does, and keeps the property's name as the column's `title` in SCHEMA.
"""

from __future__ import annotations

import itertools
import typing as t

from target_aep.mapping.field_names import unused_key
from target_aep.mapping.paths import parse_path

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.mapping.compiled_mapping import CompiledMapping
    from target_aep.mapping.model import Remainder

Record = dict[str, t.Any]

_METADATA = "_sdc_"


def _spellings(path: Iterable[t.Any]) -> Iterator[str]:
    """Keys of a record where a reader looks for a path: `a`, and `a.b` as it is spelled."""
    return itertools.accumulate(map(str, path), "{}.{}".format)


class UnreadColumns:
    """Finds the columns of records that neither a mapping nor the remainder rule knows."""

    def __init__(self, rule: Remainder, mappings: Iterable[CompiledMapping]) -> None:
        """Note what is read.

        Args:
            rule: Says where a record has its properties.
            mappings: All of the set.
        """
        self._above = parse_path(rule.source)
        sources = [each.source for each in mappings]
        paths = [path for source in sources for path in (*source.reads, source.spelled or ())]
        self._known = {name for path in (self._above, *paths) for name in _spellings(path)}
        self._known.update(rule.columns)
        self._titles: dict[str, str] = {}

    def learn(self, schema: Record) -> None:
        """Take the names of properties from a stream's schema: the titles of its columns.

        Args:
            schema: Of the stream's SCHEMA message.
        """
        columns = schema.get("properties")
        if not isinstance(columns, dict):
            return
        self._titles = {
            name: column["title"]
            for name, column in columns.items()
            if isinstance(column, dict) and isinstance(column.get("title"), str) and column["title"]
        }

    def knows(self, columns: Iterable[str]) -> bool:
        """Whether all of some columns are read: then there is nothing to put back."""
        return self._known.issuperset(columns)

    def put_back(self, record: Record) -> Record:
        """The record with its unread columns among the properties as well.

        A property that is there keeps its value.

        Args:
            record: It is not changed.

        Returns:
            A copy, or the record itself if there is nothing to put back.
        """
        if record.keys() <= self._known:
            return record
        unread = {
            name: value
            for name, value in record.items()
            if name not in self._known and value is not None and not name.startswith(_METADATA)
        }
        return self._with(unread, record, self._above) if unread else record

    def _with(self, unread: Record, level: Record, path: tuple[t.Any, ...]) -> Record:
        """A copy of an object of the record, with the columns at a path below it."""
        if not path:
            return self._joined(level, unread)
        below = level.get(path[0])
        if below is not None and not isinstance(below, dict):
            return level
        return {**level, path[0]: self._with(unread, below or {}, path[1:])}

    def _joined(self, properties: Record, unread: Record) -> Record:
        joined = dict(properties)
        for column, value in unread.items():
            name = self._titles.get(column, column)
            if name in joined:
                name = column
            if name in joined and joined[name] != value:
                name = unused_key(column, joined)
            joined[name] = value
        return joined
