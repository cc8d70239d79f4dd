"""Adobe's own evaluation of a mapping set: `POST /data/foundation/conversion/mappingSets/preview`.

The documents differ about the answer: a list of `{data, errors}`
(help/data-prep/api/mapping-set.md in AdobeDocs/experience-platform.en), a single such object
(data-prep.yaml in AdobeDocs/experience-platform-apis), and third-party code finds them below
`previewDataOutput`. All are read.
"""

from __future__ import annotations

import io
import typing as t
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from target_aep.api.client import CATALOG, Body
from target_aep.api.mapping_sets import CONVERSION
from target_aep.errors import PlatformError, TargetError
from target_aep.loading.json_lines import encode_line

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.api.client import PlatformClient
    from target_aep.mapping.model import MappingSet

Record = dict[str, t.Any]

_CONTENT_TYPE = "application/vnd.adobe.xed-full+json;version=1"
_NOT_ANSWERED = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)


@dataclass(frozen=True)
class AdobeResult:
    """What Adobe makes of a record.

    Attributes:
        data: The XDM; empty where there is none.
        errors: What it says is wrong, a line each.
    """

    data: Record
    errors: tuple[str, ...] = ()


def schema_id_of(client: PlatformClient, dataset_id: str) -> str:
    """The `$id` of a dataset's schema.

    Raises:
        TargetError: The dataset has none.
    """
    answer = client.get_json(f"{CATALOG}/dataSets/{quote(dataset_id, safe='')}")
    document = answer.get(dataset_id) if isinstance(answer, dict) else None
    reference = document.get("schemaRef") if isinstance(document, dict) else None
    if not isinstance(reference, dict) or not reference.get("id"):
        raise TargetError(f"dataset {dataset_id} has no XDM schema (schemaRef): choose another")
    return str(reference["id"])


def current_form(mapping_set: MappingSet, schema_id: str) -> Record:
    """A mapping set as the service takes it, without what this package adds.

    Args:
        mapping_set: With tenant and variables put in.
        schema_id: The `$id` of the schema that it maps to.
    """
    return {
        "name": mapping_set.name,
        "outputSchema": {"schemaRef": {"id": schema_id, "contentType": _CONTENT_TYPE}},
        "mappings": [
            {
                "sourceType": each.source_type,
                "source": each.source,
                "destination": each.destination,
            }
            for each in mapping_set.mappings
        ],
    }


def preview(client: PlatformClient, mapping_set: Record, record: Record) -> AdobeResult:
    """Let Adobe map a record.

    Args:
        client: The platform.
        mapping_set: As `current_form` gives it.
        record: What is to be mapped.

    Raises:
        PlatformError: The call was refused.
        TargetError: What came is not documented.
    """
    answer = _post(client, "preview", {"data": [record], "mappingSet": mapping_set})
    found = answer.get("previewDataOutput", answer) if isinstance(answer, dict) else answer
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else None
    if not isinstance(found, dict) or not ({"data", "errors"} & found.keys()):
        raise TargetError(
            "Adobe's preview answered in a form that is not known, so nothing can be compared"
        )
    data = found.get("data")
    return AdobeResult(
        data if isinstance(data, dict) else {}, tuple(_error_lines(found.get("errors")))
    )


def validate(client: PlatformClient, mapping_set: Record) -> list[str] | None:
    """Let Adobe validate a mapping set.

    Returns:
        A line for each mapping that fails; None where the service does not answer this.

    Raises:
        PlatformError: The call was refused.
    """
    try:
        answer = _post(client, "validate", mapping_set)
    except PlatformError as error:
        if error.status in _NOT_ANSWERED:
            return None
        raise
    results = answer.get("validationResponse") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        return None
    lines = []
    for number, result in enumerate(results, start=1):
        if isinstance(result, dict) and str(result.get("status")).upper() == "FAILED":
            reasons = "; ".join(_error_lines(result.get("errors"))) or "no reason is given"
            lines.append(f"mapping {number}: {reasons}")
    return lines


def _post(client: PlatformClient, what: str, document: Record) -> t.Any:
    path = f"{CONVERSION}/mappingSets/{what}"
    content = encode_line(document)
    try:
        response = client.call(
            "POST", path, body=Body("application/json", lambda: io.BytesIO(content))
        )
    except PlatformError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        raise PlatformError(
            f"the credential may not {what} mapping sets: give its technical account a role with "
            f"the permissions for sources and data preparation ({error})",
            status=error.status,
        ) from error
    try:
        return response.json()
    except ValueError as error:
        raise PlatformError(f"POST {path} answered without JSON: check platform_url") from error


def _error_lines(errors: t.Any) -> Iterator[str]:
    """Adobe's errors, `{destination, source, sourceType, columnName, exception}`, as lines."""
    for error in errors if isinstance(errors, list) else [errors] if errors else []:
        if not isinstance(error, dict):
            yield str(error)
            continue
        place = error.get("destination") or error.get("columnName") or error.get("source")
        reason = error.get("exception") or error.get("message") or "no reason is given"
        yield f"{place}: {reason}" if place else str(reason)
