"""Lists of the Schema Registry: which resources, in which order, page by page.

Sources: AdobeDocs/experience-platform.en `help/xdm/api/appendix.md` (query parameters) and the
parameters of `schema-registry.yaml` in AdobeDocs/experience-platform-apis: `start` is not an offset
but the value of the ordering attribute that the last page ended with, and a page is longer than
`limit` where several resources have that value.
"""

from __future__ import annotations

import re
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from emulators.aep.errors import registry_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from werkzeug.wrappers import Request

    from emulators.aep.model import JsonObject

_FILTER = re.compile(r"([^=!<>~]+?)(?:(==|!=|<=|>=|<|>|~)(.*))?", re.DOTALL)
_COMPARISON = re.compile("[=!<>~]")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": eq, "!=": ne, "<=": le, ">=": ge, "<": lt, ">": gt,
}  # fmt: skip
_MOST = 300
_MOST_ORDERED = 500
_METADATA = {"created": "repo:createdDate", "updated": "repo:lastModifiedDate"}


def page_of(
    request: Request, resources: Iterable[JsonObject]
) -> tuple[list[JsonObject], JsonObject]:
    """The page that was asked for.

    Args:
        request: With `property`, `orderby`, `start`, `limit`.
        resources: All, in their full form.

    Returns:
        The resources of the page, and `_page` with `_links` of the answer.

    Raises:
        ApiError: 400 for a malformed parameter.
    """
    found = filtered(request, resources)
    names = [name for name in request.args.get("orderby", "updated").split(",") if name]
    for name in reversed(names):
        found.sort(key=_key(name), reverse=name.startswith("-"))
    first = names[0] if names else "updated"
    found = _after(found, first, request.args.get("start"))
    limit = _limit(request)
    end = limit
    while 0 < end < len(found) and _key(first)(found[end]) == _key(first)(found[end - 1]):
        end += 1
    page = found[:end]
    following = _next(request, first, page) if end < len(found) and page else None
    links = {
        "_page": {"orderby": ",".join(names), "next": following, "count": len(page)},
        "_links": {"next": following},
    }
    return page, links


def filtered(request: Request, resources: Iterable[JsonObject]) -> list[JsonObject]:
    """The resources that fit every `property` of the query: a comparison, or names to have."""
    found = list(resources)
    for text in request.args.getlist("property"):
        names = [text] if _COMPARISON.search(text) else text.split(",")
        for name in names:
            found = [resource for resource in found if _fits(resource, name)]
    return found


def _fits(resource: JsonObject, text: str) -> bool:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise _bad(f"The property filter {text!r} is not understood.")
    name, operator, wanted = match.groups()
    value = resource.get(name)
    if operator is None:
        return value is not None
    values = value if isinstance(value, list) else [value]
    if operator == "~":
        try:
            return any(re.search(wanted, str(item)) for item in values if item is not None)
        except re.error as error:
            raise _bad(f"The property filter {text!r} is no regular expression.") from error
    compare = _COMPARISONS[operator]
    results = [bool(compare(_text(item), wanted)) for item in values]
    return all(results) if operator == "!=" else any(results)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _key(name: str) -> Callable[[JsonObject], tuple[int, float, str]]:
    attribute = name.removeprefix("-")

    def key(resource: JsonObject) -> tuple[int, float, str]:
        value = resource.get("meta:registryMetadata", {}).get(_METADATA.get(attribute, ""))
        value = resource.get(attribute) if value is None else value
        if isinstance(value, (int, float)):
            return (0, float(value), "")
        return (1, 0.0, _text(value))

    return key


def _after(resources: list[JsonObject], name: str, start: str | None) -> list[JsonObject]:
    """What comes strictly after the value that `start` names."""
    if start is None:
        return resources
    numeric = bool(resources) and _key(name)(resources[0])[0] == 0
    try:
        mark = (0, float(start), "") if numeric else (1, 0.0, start)
    except ValueError as error:
        raise _bad(f"start must be a value of {name}, not {start!r}.") from error
    compare = lt if name.startswith("-") else gt
    return [resource for resource in resources if compare(_key(name)(resource), mark)]


def _limit(request: Request) -> int:
    most = _MOST_ORDERED if "orderby" in request.args else _MOST
    text = request.args.get("limit", str(_MOST))
    if not text.isdecimal() or int(text) > most:
        raise _bad(f"limit must be a whole number up to {most}, not {text!r}.")
    return int(text)


def _next(request: Request, name: str, page: list[JsonObject]) -> str:
    kind, number, text = _key(name)(page[-1])
    start = text if kind else str(int(number))
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "start"]
    return f"{request.path}?{urlencode([*query, ('start', start)])}"


def _bad(detail: str) -> Exception:
    return registry_error("EMULATOR-XDM-400", "Bad Request", detail)
