"""Checks of texts, dates, numbers and booleans, with their conversions and constraints."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulators.aep import formats
from emulators.aep.findings import CONSTRAINT, EMPTY, ENUM, Findings

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject

Check = Callable[[Any, Findings], Any]
"""Takes a value and the row's findings, gives the value back, converted where that is needed."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_DATES: dict[str, Callable[[int], str | None]] = {
    "date-time": formats.date_time_of_ms,
    "date": formats.date_of_ms,
}
_RANGES = {
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "long": (-(2**63), 2**63 - 1),
}


def compile_boolean(path: str) -> Check:
    """The check of a boolean, which nothing converts to."""

    def check(value: Any, findings: Findings) -> Any:
        if type(value) is not bool:
            findings.mismatch(path, "boolean", value)
        return value

    return check


def compile_string(schema: JsonObject, path: str, *, in_array: bool) -> Check:
    """The check of a text or date; inside arrays its constraints don't count."""
    from_ms = _DATES.get(schema.get("format", ""))
    constrain = None if in_array else _string_constraints(schema, path)

    def check(value: Any, findings: Findings) -> Any:
        if type(value) is str:
            if value:
                if constrain is not None:
                    constrain(value, findings)
            elif not in_array:
                findings.add(EMPTY, path, "minLength", "an empty string is not accepted")
            return value
        if from_ms is not None and type(value) is int:
            text = from_ms(value)
            if text is not None:
                findings.coerced = True
                return text
        findings.mismatch(path, "string", value)
        return value

    return check


def _string_constraints(schema: JsonObject, path: str) -> Callable[[str, Findings], None] | None:
    checks: list[tuple[str, str, Callable[[str], bool], str]] = []
    if "enum" in schema:
        allowed = frozenset(schema["enum"])
        listed = ", ".join(schema["enum"])
        checks.append((ENUM, "enum", allowed.__contains__, f"not one of {listed}"))
    if "pattern" in schema:
        search = re.compile(schema["pattern"]).search
        message = f"does not match {schema['pattern']}"
        checks.append((CONSTRAINT, "pattern", lambda text: search(text) is not None, message))
    if schema.get("format") in formats.FORMATS:
        name = schema["format"]
        checks.append((CONSTRAINT, "format", formats.FORMATS[name], f"is not a valid {name}"))
    if schema.get("minLength", 1) > 1:
        least = schema["minLength"]
        message = f"is shorter than {least}"
        checks.append((CONSTRAINT, "minLength", lambda text: len(text) >= least, message))
    if "maxLength" in schema:
        most = schema["maxLength"]
        message = f"is longer than {most}"
        checks.append((CONSTRAINT, "maxLength", lambda text: len(text) <= most, message))
    if not checks:
        return None

    def constrain(text: str, findings: Findings) -> None:
        for code, keyword, is_good, message in checks:
            if not is_good(text):
                findings.add(code, path, keyword, f"[{text[:80]}] {message}")

    return constrain


def compile_number(schema: JsonObject, path: str, *, in_array: bool) -> Check:
    """The check of a number or integer; inside arrays its range doesn't count."""
    wanted = schema["type"]
    is_integer = wanted == "integer"
    of_text = _integer_of_text if is_integer else _number_of_text
    of_float = _integer_of_float if is_integer else _finite
    least, most = _range(schema) if not in_array else (None, None)

    def check(value: Any, findings: Findings) -> Any:
        number = value
        if type(value) is str:
            number = of_text(value)
            if number is not None:
                findings.coerced = True
        elif type(value) is float:
            number = of_float(value)
        elif type(value) is not int:
            number = None
        if number is None:
            findings.mismatch(path, wanted, value)
            return value
        if (least is not None and number < least) or (most is not None and number > most):
            findings.add(CONSTRAINT, path, "range", f"{number} is outside {least} to {most}")
        return number

    return check


def _range(schema: JsonObject) -> tuple[float | None, float | None]:
    typical = _RANGES.get(schema.get("meta:xdmType", ""), (None, None))
    return schema.get("minimum", typical[0]), schema.get("maximum", typical[1])


def _integer_of_text(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _integer_of_float(value: float) -> int | None:
    return int(value) if value.is_integer() else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number_of_text(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    return _finite(float(text))
