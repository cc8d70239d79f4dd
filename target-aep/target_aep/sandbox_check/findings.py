"""What a check has found, as lines of text or of JSON."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from target_aep.loading.json_lines import json_text
from target_aep.preview.table import printable

if t.TYPE_CHECKING:
    from collections.abc import Iterable

Level = t.Literal["ok", "warn", "fail", "skip"]

PROVISION: t.Final = "`target-aep plan` shows what `target-aep provision` would make"
"""What to do where something of the sandbox is not there."""

_SHOWN = 50


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: `fail` is what keeps a run from loading everything as asked.
        topic: What was looked at, such as `dataset`.
        text: What was found, and what to do about it.
    """

    level: Level
    topic: str
    text: str

    def as_line(self) -> str:
        """As a line for people."""
        shown = "FAIL" if self.level == "fail" else self.level
        return printable(f"{shown:<4}  {self.topic:<15}  {self.text}")

    def as_json(self) -> str:
        """As a line of JSON."""
        return json_text(asdict(self))


def enumerated(things: Iterable[str]) -> str:
    """Things as one text, the first fifty of them by name."""
    listed = list(things)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
