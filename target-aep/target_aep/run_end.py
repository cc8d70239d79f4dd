"""The end of a run: what is left to the next one, and what the user has to look at."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_aep.settings import Settings
    from target_aep.sink import XdmSink

NO_STATE: t.Final = (
    "The tap sent records but no STATE, so a repeated run loads them again unless it sends exactly "
    "the same ones"
)

NO_BOOKMARK: t.Final = (
    "Stream '%s': the tap's STATEs have no bookmark of it, so each run loads its records again "
    "unless it sends exactly the same ones into batches of the same size; let the tap replicate it "
    "incrementally if it can"
)

NO_INPUT: t.Final = "the input was empty: not even a SCHEMA came; look at what the tap says"


def take_back_unconfirmed(sinks: Iterable[XdmSink]) -> Iterator[str]:
    """Leave records after the last STATE to the next run, which will get them again.

    A tap ends with a STATE, so records after it mean that the tap died.

    Args:
        sinks: Those with records that are not loaded yet.

    Yields:
        A complaint for each stream of which records were left.
    """
    for sink in sinks:
        dropped = sink.take_back_unmarked()
        if dropped:
            yield (
                f"Stream '{sink.stream_name}': {dropped} records came after the last STATE, the "
                "tap seems to have ended early. They are left to the next run: look at the tap's "
                "own messages and run again"
            )


def cut_complaint(line_number: int) -> str:
    """What to say of an input whose last line is not whole."""
    return (
        f"line {line_number} of the input is not whole: the tap died while it wrote it. All up to "
        "the last STATE is loaded and that STATE is right: look at the tap's own messages and run "
        "again"
    )


def rejection_complaints(sinks: Collection[XdmSink], settings: Settings) -> Iterator[str]:
    """A complaint if more records were rejected than `max_rejected_percent` allows."""
    rejected = sum(sink.loader.rejected for sink in sinks)
    total = rejected + sum(sink.loader.loaded for sink in sinks)
    allowed = settings.load.max_rejected_percent
    if rejected and 100 * rejected > allowed * total:
        rest = "; the others are loaded and the state is right" if rejected < total else ""
        yield (
            f"{rejected} of {total} records were rejected, more than max_rejected_percent "
            f"({allowed:g}). They are in {settings.dead_letter_path} with their "
            f"reasons{rest or ', and the state is right'}. Fix the mapping or the schema, then "
            "`target-aep retry` loads them"
        )
