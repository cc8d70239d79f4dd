"""Which dataset each stream of the input goes to, by the settings."""

from __future__ import annotations

import typing as t

from target_aep.errors import TargetError
from target_aep.mapping.stream_mapping import fetch
from target_aep.provisioning.wishes import DatasetWish, StreamWish

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.provisioning.tap_input import StreamSample
    from target_aep.target import TargetAEP


def dataset_wishes(
    target: TargetAEP, samples: Sequence[StreamSample], tenant: str, *, profile: bool
) -> list[DatasetWish]:
    """The datasets that streams go to, with what they need.

    Args:
        target: Its settings are used.
        samples: The streams.
        tenant: The tenant, without underscore.
        profile: Whether Profile shall take the rows.

    Raises:
        TargetError: The settings name no dataset for a stream, or its mapping set can't be had.
    """
    settings = target.settings
    streams: dict[tuple[str | None, str], list[StreamWish]] = {}
    for sample in samples:
        choice = settings.mappings
        mapping_set = choice.of(sample.stream, lambda reference: fetch(target, reference))
        wish = StreamWish(
            sample,
            mapping_set.for_tenant(tenant),
            settings.declared_identities_of(sample.stream),
            choice.policies,
            settings.has_identity_map,
        )
        streams.setdefault(_dataset_of(target, sample.stream), []).append(wish)
    return [
        DatasetWish(identifier, name, tuple(group), profile, settings.has_identity_map)
        for (identifier, name), group in streams.items()
    ]


def _dataset_of(target: TargetAEP, stream: str) -> tuple[str | None, str]:
    choice = target.settings.dataset_choice
    by_stream = (choice.datasets or {}).get(stream)
    if by_stream:
        return by_stream, ""
    if choice.dataset_id:
        return choice.dataset_id, ""
    if choice.dataset_name:
        return None, choice.dataset_name
    raise TargetError(
        f"dataset_name: name the dataset that the stream {stream!r} shall go to, also one that is "
        'to be made, e.g. "Mixpanel events"'
    )
