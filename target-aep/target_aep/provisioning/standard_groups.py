"""Adobe's standard field groups of events: which one brings the fields that a mapping fills.

Titles, ids and roots: components/fieldgroups/experience-event in adobe/xdm.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

_CONTEXT = "https://ns.adobe.com/xdm/context/experienceevent"


@dataclass(frozen=True)
class StandardGroup:
    """A field group of Adobe's global container.

    Attributes:
        id: Its `$id`.
        title: What the UI calls it.
        roots: The fields of an event that it brings.
    """

    id: str
    title: str
    roots: tuple[str, ...]


_GROUPS: t.Final = (
    StandardGroup(
        f"{_CONTEXT}-environment-details",
        "Environment Details",
        ("environment", "device", "placeContext"),
    ),
    StandardGroup(f"{_CONTEXT}-web", "Web Details", ("web",)),
    StandardGroup(f"{_CONTEXT}-marketing", "Campaign Marketing Details", ("marketing",)),
    StandardGroup(f"{_CONTEXT}-application", "Application Details", ("application",)),
    StandardGroup(
        f"{_CONTEXT}-implementation-details", "Implementation Details", ("implementationDetails",)
    ),
    StandardGroup(f"{_CONTEXT}-commerce", "Commerce Details", ("commerce", "productListItems")),
    StandardGroup(f"{_CONTEXT}-channel", "Channel Details", ("channel",)),
    StandardGroup(f"{_CONTEXT}-enduserids", "End User ID Details", ("endUserIDs",)),
    StandardGroup(f"{_CONTEXT}-search", "Search Details", ("search",)),
    StandardGroup(f"{_CONTEXT}-media", "Media Details", ("media",)),
    StandardGroup(f"{_CONTEXT}-advertising", "Advertising Details", ("advertising",)),
    StandardGroup(f"{_CONTEXT}-directmarketing", "Direct Marketing Details", ("directMarketing",)),
)
_BY_ROOT: t.Final = {root: group for group in _GROUPS for root in group.roots}

CLASS_FIELDS: t.Final = frozenset(
    {"_id", "timestamp", "eventType", "producedBy", "eventMergeId", "identityMap"}
)
"""What every event has by its class."""


def group_with(root: str) -> StandardGroup | None:
    """The standard field group that brings a field of the event; None if none is known."""
    return _BY_ROOT.get(root)
