"""Plans in words, and as JSON."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.steps import Step

_WIDEST = 64
_MOST_DETAILS = 100


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan for people, in lines."""
    yield f"Dataset {plan.name!r}:"
    for unchanged in plan.unchanged:
        yield f"  = {unchanged}"
    for step in plan.steps:
        yield f"  {step.sign} {step.title}" + (
            f"  ({step.irreversible})" if step.irreversible else ""
        )
        yield from _detail_lines(step.details())
    for refusal in plan.refusals:
        yield f"  ! {refusal.what}"
        yield f"      proposal: {refusal.proposal}"
    for note in plan.notes:
        yield f"  note: {note}"


def summary_line(plans: Sequence[Plan]) -> str:
    """How much there is to do, in a line."""
    steps = [step for plan in plans for step in plan.steps]
    new = sum(step.sign == "+" for step in steps)
    unchanged = sum(len(plan.unchanged) for plan in plans)
    refused = sum(len(plan.refusals) for plan in plans)
    line = f"Plan: {new} to create, {len(steps) - new} to change, {unchanged} as they are"
    return f"{line}, {refused} that can't be done." if refused else f"{line}."


def plan_document(plan: Plan) -> dict[str, t.Any]:
    """A plan for programs."""
    return {
        "dataset": plan.name,
        "steps": [
            {
                "action": "create" if step.sign == "+" else "change",
                "what": step.title,
                "details": [list(detail) for detail in step.details()],
                "irreversible": step.irreversible or None,
            }
            for step in plan.steps
        ],
        "unchanged": plan.unchanged,
        "refused": [{"what": each.what, "proposal": each.proposal} for each in plan.refusals],
        "notes": plan.notes,
        "ids": dict(plan.made),
    }


def _detail_lines(details: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = min(max((len(name) for name, _ in details), default=0), _WIDEST)
    for name, value in details[:_MOST_DETAILS]:
        yield f"      {name:<{width}}  {value}"
    if len(details) > _MOST_DETAILS:
        yield f"      … and {len(details) - _MOST_DETAILS} more (--json shows all)"


def step_line(step: Step, identifier: str) -> str:
    """A step that is done, in a line."""
    done = "created" if step.sign == "+" else "changed"
    return f"{done} {step.title}: {identifier}" if identifier else f"{done} {step.title}"
