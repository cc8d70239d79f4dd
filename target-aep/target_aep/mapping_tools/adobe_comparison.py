"""What a mapping set gives here beside what Adobe makes of it."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, replace
from decimal import Decimal

from target_aep.mapping.mapper import RecordMapper, RejectedRecordError
from target_aep.mapping.paths import MISSING, path_text
from target_aep.preview.provenance import leaves
from target_aep.xdm.timestamps import parse_date_time

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.data_prep.policies import Policies
    from target_aep.mapping.model import MappingSet
    from target_aep.mapping_tools.adobe_preview import AdobeResult
    from target_aep.xdm.schema import XdmField

Record = dict[str, t.Any]

_EQUAL: t.Final = 1e-9


@dataclass(frozen=True)
class Difference:
    """A path that has different values.

    Attributes:
        path: The XDM path.
        local: The value here; MISSING for none.
        adobe: Adobe's; MISSING for none.
    """

    path: str
    local: t.Any
    adobe: t.Any


@dataclass(frozen=True)
class Comparison:
    """A record as both map it.

    Attributes:
        differences: By path.
        rejection: Why the record is rejected here; None if it is not.
        errors: What Adobe says is wrong.
    """

    differences: tuple[Difference, ...]
    rejection: str | None
    errors: tuple[str, ...]


class LocalSide:
    """Maps records as Adobe would: with the mappings alone."""

    def __init__(
        self, mapping_set: MappingSet, schema: XdmField | None, policies: Policies
    ) -> None:
        """Compile the set without what Data Prep does not have: remainder and identities.

        Raises:
            MappingMistakesError: The set can't be used.
        """
        plain = replace(mapping_set, remainder=None, identities=())
        self._mapper = RecordMapper(plain, schema, policies=policies)

    def compare(self, record: Record, adobe: AdobeResult) -> Comparison:
        """Map a record and compare.

        Args:
            record: The record.
            adobe: What Adobe makes of it.
        """
        try:
            xdm, rejection = self._mapper.map(record), None
        except RejectedRecordError as error:
            return Comparison((), str(error), adobe.errors)
        return Comparison(tuple(differences(xdm, adobe.data)), rejection, adobe.errors)


def differences(local: Record, adobe: Record) -> Iterator[Difference]:
    """The paths where two XDM objects differ; null and empty values are as good as none."""
    here, there = (_by_path(each) for each in (local, adobe))
    for path in sorted(here.keys() | there.keys()):
        mine, theirs = here.get(path, MISSING), there.get(path, MISSING)
        if not same(mine, theirs):
            yield Difference(path, mine, theirs)


def same(mine: t.Any, theirs: t.Any) -> bool:
    """Whether two values are the same: numbers by value, date-times by the moment."""
    if mine is MISSING or theirs is MISSING:
        return mine is theirs
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if _is_number(mine) and _is_number(theirs):
        return _same_number(mine, theirs)
    if isinstance(mine, str) and isinstance(theirs, str) and mine != theirs:
        return _same_moment(mine, theirs)
    return type(mine) is type(theirs) and bool(mine == theirs)


def _by_path(document: Record) -> dict[str, t.Any]:
    return {
        path_text(path): value
        for path, value in leaves(document)
        if path and value is not None and value not in ("", [], {})
    }


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _same_number(mine: t.Any, theirs: t.Any) -> bool:
    if mine == theirs:
        return True
    try:
        return math.isclose(float(mine), float(theirs), rel_tol=_EQUAL)
    except OverflowError:
        return False


def _same_moment(mine: str, theirs: str) -> bool:
    try:
        return parse_date_time(mine) == parse_date_time(theirs)
    except ValueError:
        return False
