"""What to tell when the settings differ from those that a state was made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_mixpanel_export import sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_mixpanel_export.settings import Settings
    from tap_mixpanel_export.sweep import Bookmark


def warnings(bookmark: Bookmark, settings: Settings) -> Iterator[str]:
    """Yield a line for each change that makes the output other than one might expect.

    Args:
        bookmark: What earlier runs have done.
        settings: The settings of this run.
    """
    rules = settings.rules
    if days := sweep.days_of_other_settings(bookmark, rules):
        yield (
            "the open sweep began with another start_date or end_date: it is finished with its "
            f"own days, {days}; the new ones hold from the next sweep on"
        )
    if days := sweep.days_not_searched(bookmark, rules):
        yield (
            "start_date lies after days that are still searched for late arrivals: those of "
            f"{days} that arrive until this run will not come out"
        )
    if days := sweep.days_left_out(bookmark, rules):
        yield (
            "start_date lies before the first day that was exported or that the open sweep began "
            f"with: {days} will not come out; a full refresh (a run without state) exports "
            "everything from start_date on"
        )
    if days := sweep.days_after_end(bookmark, rules):
        yield (
            f"end_date lies before the last day that was exported: late arrivals of {days} come "
            "out all the same, or no later run would find them"
        )
    if bookmark.selection not in {None, settings.selection}:
        exported = bookmark.exported
        earlier = "earlier days" if exported is None else f"the days up to {exported.last_day}"
        yield (
            f"events or where differ from the last run's: {earlier} were filtered by the former "
            "ones; a full refresh (a run without state) exports everything by the new ones"
        )
