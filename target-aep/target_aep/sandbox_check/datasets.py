"""The datasets that the settings name."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from target_aep.api.catalog_datasets import DIAGNOSTICS, is_enabled, read_document
from target_aep.api.sandbox import dataset_called
from target_aep.sandbox_check.findings import PROVISION, Finding

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.api.catalog_datasets import Document
    from target_aep.api.client import PlatformClient
    from target_aep.settings import Settings

PROFILE: t.Final = "unifiedProfile"

_DEFAULT_STREAM = "events"


@dataclass(frozen=True)
class Place:
    """A dataset by what the settings say of it.

    Attributes:
        setting: Which names it.
        streams: What goes there.
        id: Its id, or None.
        name: Its name, where that is all that is known.
    """

    setting: str
    streams: tuple[str, ...]
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class FoundDataset:
    """A dataset that is there.

    Attributes:
        id: Its id.
        document: Catalog's.
        streams: What goes there.
    """

    id: str
    document: Document
    streams: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its name and id."""
        return f"{self.document.get('name', 'without a name')} ({self.id})"

    @property
    def is_profile_enabled(self) -> bool:
        """Whether Real-Time Customer Profile takes its rows."""
        return is_enabled(self.document, PROFILE)


def places(settings: Settings) -> list[Place]:
    """Where streams go, each dataset once."""
    choice = settings.dataset_choice
    by_id: dict[str, list[str]] = {}
    for stream, identifier in (choice.datasets or {}).items():
        by_id.setdefault(identifier, []).append(stream)
    listed = choice.datasets or {}
    others = tuple(
        stream
        for stream in dict.fromkeys((_DEFAULT_STREAM, *settings.mappings.by_stream))
        if stream not in listed
    )
    found = [
        Place(f"datasets.{streams[0]}", tuple(streams), identifier)
        for identifier, streams in by_id.items()
    ]
    if choice.dataset_id:
        found.append(Place("dataset_id", others, choice.dataset_id))
    if choice.dataset_name:
        found.append(Place("dataset_name", others, name=choice.dataset_name))
    return found


def homeless_streams(settings: Settings) -> list[str]:
    """Streams that the settings know by their mapping, and have no dataset for."""
    choice = settings.dataset_choice
    if choice.dataset_id or choice.dataset_name:
        return []
    return [each for each in settings.mappings.by_stream if each not in (choice.datasets or {})]


def find_dataset(client: PlatformClient, place: Place) -> FoundDataset | Finding:
    """The dataset of a place, or what is wrong.

    Raises:
        TargetError: There are several of the name, or the platform refused.
    """
    if place.id is not None:
        document = read_document(client, place.id)
        if document is None:
            return Finding(
                "fail",
                "dataset",
                f"{place.setting}: there is no dataset {place.id} in this sandbox: check the id "
                f"and sandbox_name, or have one made ({PROVISION})",
            )
        return FoundDataset(place.id, document, place.streams)
    named = dataset_called(client, str(place.name))
    if named is None:
        text = f"no dataset of the sandbox is called {place.name!r}: check it, or {PROVISION}"
        return Finding("fail", "dataset", f"{place.setting}: {text}")
    return FoundDataset(*named, place.streams)


def about_dataset(dataset: FoundDataset) -> Iterator[Finding]:
    """What is to be known of a dataset that is there."""
    profile = "on" if dataset.is_profile_enabled else "off"
    streams = ", ".join(dataset.streams) or "no stream"
    text = f"{dataset.label} for {streams}, Profile is {profile}"
    yield Finding("ok", "dataset", text)
    if dataset.document.get(DIAGNOSTICS) is not True:
        yield Finding(
            "warn",
            "dataset",
            f"{dataset.label}: error diagnostics are not on. target-aep asks for them with each "
            "batch; turn them on for the batches of others too (`target-aep provision` does, or "
            f"PATCH /dataSets/{dataset.id} with {DIAGNOSTICS})",
        )
