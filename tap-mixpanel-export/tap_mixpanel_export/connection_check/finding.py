"""What one check has found, as one line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    SKIP = "skip"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Attributes:
        check: What was checked.
        text: What was found and, if it is wrong, what to correct where.
    """

    verdict: Verdict
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.verdict.value:<4}  {self.check:<14}  {self.text}"
