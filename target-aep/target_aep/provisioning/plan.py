"""A plan: steps, what stays as it is, and what can't be done."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from target_aep.provisioning.steps import Step


@dataclass(frozen=True)
class Refusal:
    """Something that can't be done.

    Attributes:
        what: What, and why not.
        proposal: What to do instead.
    """

    what: str
    proposal: str


@dataclass
class Plan:
    """What is to be done for one dataset.

    Attributes:
        name: Of the dataset.
        steps: In their order.
        unchanged: What is there and stays as it is.
        refusals: What can't be done; then nothing is done.
        notes: What is good to know.
        made: Ids of what is there already, by what it is.
    """

    name: str
    steps: list[Step] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)

    def refuse(self, what: str, proposal: str) -> None:
        """Note what can't be done."""
        self.refusals.append(Refusal(what, proposal))
