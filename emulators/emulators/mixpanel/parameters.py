"""Query parameters of the export endpoint (mixpanel/docs `openapi/export.openapi.yaml`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from emulators.mixpanel.errors import Refused
from emulators.mixpanel.where import Filter
from emulators.mixpanel.where_rules import WhereError

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

MAX_LIMIT = 100_000

_KNOWN = frozenset({"project_id", "from_date", "to_date", "limit", "event", "where", "time_in_ms"})
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class ExportParameters:
    """What an export request asks for; days are inclusive."""

    from_date: date
    to_date: date
    events: tuple[str, ...] | None
    where: Filter | None
    limit: int | None
    time_in_ms: bool


def export_parameters(args: MultiDict[str, str]) -> ExportParameters:
    """Read and check the parameters.

    Raises:
        Refused: 400 naming the parameter.
    """
    for name, values in args.lists():
        if name not in _KNOWN or len(values) != 1:
            raise _invalid(name)
    from_date, to_date = _day(args, "from_date"), _day(args, "to_date")
    if from_date > to_date:
        raise Refused(400, "from_date cannot be later than to_date", as_json=True)
    return ExportParameters(
        from_date, to_date, _events(args), _where(args), _limit(args), _time_in_ms(args)
    )


def project_id(args: MultiDict[str, str]) -> int | None:
    """The `project_id` parameter, if given.

    Raises:
        Refused: 400 when it is not a number.
    """
    value = args.get("project_id")
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise _invalid("project_id")
    return int(value)


def _day(args: MultiDict[str, str], name: str) -> date:
    value = args.get(name, "")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise _invalid(name)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _invalid(name) from None


def _events(args: MultiDict[str, str]) -> tuple[str, ...] | None:
    if "event" not in args:
        return None
    try:
        names = json.loads(args["event"])
    except ValueError:
        raise _invalid("event") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _invalid("event")
    return tuple(names)


def _where(args: MultiDict[str, str]) -> Filter | None:
    if "where" not in args:
        return None
    try:
        return Filter(args["where"])
    except WhereError as error:
        raise Refused(400, f"invalid parameter: where: {error}", as_json=True) from error


def _limit(args: MultiDict[str, str]) -> int | None:
    if "limit" not in args:
        return None
    value = args["limit"]
    if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= MAX_LIMIT:
        raise _invalid("limit")
    return int(value)


def _time_in_ms(args: MultiDict[str, str]) -> bool:
    value = args.get("time_in_ms", "false").lower()
    if value not in _BOOLEANS:
        raise _invalid("time_in_ms")
    return _BOOLEANS[value]


def _invalid(name: str) -> Refused:
    return Refused(400, f"invalid parameter: {name}", as_json=True)
