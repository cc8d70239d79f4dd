"""The destination that the settings choose."""

from __future__ import annotations

import dataclasses
import typing as t

from target_aep.api.client import PlatformClient
from target_aep.api.ims import TokenSource
from target_aep.loading.file_format import make_file_format
from target_aep.loading.local_destination import LocalDestination
from target_aep.loading.platform_destination import PlatformDestination

if t.TYPE_CHECKING:
    from target_aep.api.calls import CallRules
    from target_aep.api.ims import Credential
    from target_aep.api.promotion import Polling
    from target_aep.loading.destination import Destination
    from target_aep.settings import Settings


def make_destination(settings: Settings, rules: CallRules, polling: Polling) -> Destination:
    """Make the destination, without any request.

    Args:
        settings: The checked settings.
        rules: How calls are made, where there are any.
        polling: The pace at which the promotion of a batch is watched.
    """
    file_format = make_file_format(settings.file_format, settings.file_max_bytes)
    if settings.credential is None:
        return LocalDestination(settings.local_path, settings.local_binding, file_format)
    return PlatformDestination(
        make_client(settings, settings.credential, rules),
        settings.dataset_choice,
        dataclasses.replace(settings.load, polling=polling),
        needs_tenant=settings.mappings.needs_tenant,
        file_format=file_format,
    )


def make_client(
    settings: Settings,
    credential: Credential,
    rules: CallRules,
    tokens: TokenSource | None = None,
) -> PlatformClient:
    """Make a client of the platform, without any request.

    Args:
        settings: The checked settings.
        credential: Whose calls they are.
        rules: How calls are made.
        tokens: Where tokens come from; None for a source of its own.
    """
    return PlatformClient(
        settings.platform_url,
        tokens or TokenSource(credential, settings.ims_url, rules),
        rules,
        client_id=credential.client_id,
        org_id=credential.org_id,
        sandbox_name=settings.sandbox_name,
    )
