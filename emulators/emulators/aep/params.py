"""Reading and refusing request parameters and JSON bodies, the way the platform services do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from emulators.aep.errors import problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from werkzeug.wrappers import Request

    from emulators.aep.model import JsonObject


def integer(request: Request, name: str, default: int, most: int | None = None) -> int:
    """A query parameter that is a whole number of at least 0.

    Raises:
        ApiError: 400 for anything else, or more than `most`.
    """
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isdecimal() or (most is not None and int(text) > most):
        wanted = "a whole number" if most is None else f"a whole number up to {most}"
        raise problem(400, "BadRequestError", f"The parameter {name} must be {wanted}.")
    return int(text)


def chosen(request: Request) -> frozenset[str] | None:
    """The names in `properties`, an allow-list of top-level properties; None for all."""
    text = request.args.get("properties")
    return None if not text else frozenset(part.strip() for part in text.split(","))


def only(value: JsonObject, names: frozenset[str] | None) -> JsonObject:
    """The value with these properties alone."""
    return value if names is None else {name: value[name] for name in names if name in value}


def ordered(request: Request, values: Iterable[JsonObject], default: str) -> list[JsonObject]:
    """Values sorted by `orderBy`, written `asc:created,updated` or `desc:created`.

    Raises:
        ApiError: 400 for a malformed `orderBy`.
    """
    direction, _, fields = request.args.get("orderBy", default).partition(":")
    if not fields:
        direction, fields = "asc", direction
    if direction not in ("asc", "desc"):
        raise problem(400, "BadRequestError", "orderBy must be like desc:created.")
    names = fields.split(",")

    def key(value: JsonObject) -> list[tuple[int, float, str]]:
        return [_sort_key(value.get(name)) for name in names]

    return sorted(values, key=key, reverse=direction == "desc")


def json_body(request: Request) -> JsonObject:
    """A request body that is a JSON object.

    Raises:
        ApiError: 400 without the JSON content type, or for anything else than an object.
    """
    if request.mimetype != "application/json":
        raise problem(400, "BadRequestError", "A valid content-type must be specified")
    try:
        value = json.loads(request.get_data())
    except ValueError as error:
        raise problem(400, "BadRequestError", f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise problem(400, "BadRequestError", "The body must be a JSON object.")
    return value


def _sort_key(value: object) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (0, 0.0, "" if value is None else str(value))
