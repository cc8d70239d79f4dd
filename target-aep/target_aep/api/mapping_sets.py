"""Mapping sets out of Experience Platform: `GET /data/foundation/conversion/mappingSets/{id}`.

See help/data-prep/api/mapping-set.md in AdobeDocs/experience-platform.en and data-prep.yaml in
AdobeDocs/experience-platform-apis.
"""

from __future__ import annotations

import typing as t
from http import HTTPStatus
from urllib.parse import quote

from target_aep.errors import MappingSetError, PlatformError
from target_aep.mapping.generations import parse_mapping_set

if t.TYPE_CHECKING:
    from target_aep.api.client import PlatformClient
    from target_aep.mapping.choice import MappingReference
    from target_aep.mapping.model import MappingSet

CONVERSION: t.Final = "/data/foundation/conversion"


def fetch_mapping_set(client: PlatformClient, reference: MappingReference) -> MappingSet:
    """Get a mapping set.

    Args:
        client: The platform.
        reference: Which one.

    Raises:
        MappingSetError: There is none of this id, the credential may not read it, or what came is
            not a mapping set.
        PlatformError: The call was refused for another reason.
    """
    version = "" if reference.version is None else f" (version {reference.version})"
    params = {} if reference.version is None else {"version": str(reference.version)}
    path = f"{CONVERSION}/mappingSets/{quote(reference.id, safe='')}"
    try:
        document = client.get_json(path, params=params)
    except PlatformError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise MappingSetError(
                f"mapping: this sandbox has no mapping set {reference.id}{version}: check the id, "
                "the version and sandbox_name"
            ) from error
        if error.status == HTTPStatus.FORBIDDEN:
            raise MappingSetError(
                f"mapping: the credential may not read the mapping set {reference.id}: give its "
                f"technical account a role that may view sources, or export the set to a file "
                f"({error})"
            ) from error
        raise
    return parse_mapping_set(document, reference.id)
