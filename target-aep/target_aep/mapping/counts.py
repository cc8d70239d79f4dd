"""What a mapper has counted, to be carried from a worker process to the mapper that reports it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from target_aep.mapping.report import MappingReport
    from target_aep.provisioning.property_census import PropertyCensus


@dataclass(frozen=True)
class MappingCounts:
    """What was counted over some records; it can be pickled.

    Counts that are whole and are added in the order of the records give what one mapper would have
    counted. In another order the sums are the same, but the first reason of a failure may be that
    of a later record, and of names beyond the bound of a report (1,000) or census (5,000) others
    are told apart.

    Attributes:
        report: What could not be placed as asked.
        census: The properties without a typed field; None where there is no census.
    """

    report: MappingReport
    census: PropertyCensus | None

    @property
    def is_whole(self) -> bool:
        """Whether the census tells all properties apart: what it had no room for can't be added."""
        return self.census is None or not self.census.others
