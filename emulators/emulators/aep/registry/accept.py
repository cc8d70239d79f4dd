"""The Accept header, which decides the form of a resource.

Sources: AdobeDocs/experience-platform.en `help/xdm/api/getting-started.md` (resources) and
`help/xdm/api/descriptors.md`; the codes of refusals: `help/xdm/troubleshooting-guide.md`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from emulators.aep.errors import problem, registry_error

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from emulators.aep.model import JsonObject

_RESOURCE = re.compile(
    r"application/vnd\.adobe\.(xed(?:-id|-full|-notext|-full-notext|-full-desc|-deprecatefield)?)"
    r"\+json(?:\s*;\s*version=(\d+)(?:\.\d+)?)?"
)
_DESCRIPTOR = re.compile(r"application/vnd\.adobe\.(xdm|xdm-id|xdm-link|xdm-v2)\+json")
_LISTS = frozenset({"xed", "xed-id"})
_TEXTS = frozenset({"title", "description"})
_INVALID = "Accept header invalid"


def form_of_list(request: Request) -> str:
    """`xed` or `xed-id`.

    Raises:
        ApiError: 406 for no such format, 400 for a version or a format of single resources.
    """
    accept, form, version = _parsed(request)
    if version or form not in _LISTS:
        raise registry_error(
            "XDM-1006-400",
            _INVALID,
            f"The supplied Accept header is not valid: {accept}; a listing takes "
            "application/vnd.adobe.xed+json or application/vnd.adobe.xed-id+json, no version",
        )
    return form


def form_of_resource(request: Request) -> str:
    """The form of a single resource, such as `xed-full-notext`.

    Raises:
        ApiError: 406 for no such format or version, 400 for a missing version.
    """
    accept, form, version = _parsed(request)
    if form == "xed-id":
        raise problem(406, _INVALID, f"No such Accept format: {accept}")
    if not version:
        raise registry_error(
            "XDM-1007-400",
            _INVALID,
            f"The supplied Accept header is not valid: {accept}; version should be specified",
        )
    if version != "1":
        raise problem(406, _INVALID, f"There is no version {version}.")
    return form


def form_of_descriptors(request: Request) -> str:
    """`xdm`, `xdm-id`, `xdm-link` or `xdm-v2`.

    Raises:
        ApiError: 406 for no Accept header, 400 for another one.
    """
    accept = request.headers.get("Accept", "").strip()
    match = _DESCRIPTOR.fullmatch(accept)
    if match is not None:
        return match[1]
    if not accept.startswith("application/vnd.adobe."):
        raise problem(406, _INVALID, f"No such Accept format: {accept or 'none'}")
    raise registry_error(
        "XDM-1008-400",
        _INVALID,
        f"The supplied Accept header is not valid: {accept}; "
        "descriptors take application/vnd.adobe.xdm-id+json",
    )


def without_texts(value: JsonObject) -> JsonObject:
    """Leave out titles and descriptions, but not fields that have such a name."""
    kept: JsonObject = {key: item for key, item in value.items() if key not in _TEXTS}
    for key in ("properties", "definitions"):
        if isinstance(kept.get(key), dict):
            kept[key] = {name: without_texts(field) for name, field in kept[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = without_texts(kept[key])
    return kept


def _parsed(request: Request) -> tuple[str, str, str | None]:
    accept = request.headers.get("Accept", "").strip()
    match = _RESOURCE.fullmatch(accept)
    if match is None:
        raise problem(406, _INVALID, f"No such Accept format: {accept or 'none'}")
    return accept, match[1], match[2]
