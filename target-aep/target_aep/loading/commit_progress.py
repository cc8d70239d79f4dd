"""What has come since the last commit: a sum of the records, and the STATEs on the way."""

from __future__ import annotations

import typing as t

from target_aep.loading.commit_key import MOST_PASSED, Passed
from target_aep.loading.record_sum import MODULUS, record_number

if t.TYPE_CHECKING:
    from collections.abc import Sequence


class CommitProgress:
    """Grows with the records of one commit.

    Attributes:
        records: The sum of the records.
        passed: STATEs since the first of them.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.records = 0
        self.passed: list[Passed] = []
        self._at_mark = 0

    @property
    def is_full(self) -> bool:
        """Whether a batch can't tell of any further STATE."""
        return len(self.passed) >= MOST_PASSED

    def add(self, record: dict[str, t.Any], key_properties: Sequence[str]) -> None:
        """Add a record."""
        self.add_number(record_number(record, key_properties))

    def add_number(self, number: int) -> None:
        """Add records by the sum of their `record_number`s."""
        self.records = (self.records + number) % MODULUS

    def mark(self, short: str) -> None:
        """Note that a STATE covers every record so far.

        Args:
            short: `CommitKey.short` of a commit that would end there.
        """
        passed = Passed(short, self.records)
        if not self.passed or self.passed[-1] != passed:
            self.passed.append(passed)
        self._at_mark = self.records

    def take_back(self) -> None:
        """Forget the records after the last mark."""
        self.records = self._at_mark
