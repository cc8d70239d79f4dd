"""Checks settings against their JSON schema: a line for each that is wrong, in plain words."""

from __future__ import annotations

import difflib
import typing as t

from singer_sdk.plugin_base import JSONSchemaValidator

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError

_LONGEST: t.Final = 60

_KINDS: t.Final = {
    "string": "text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}


def schema_errors(config: dict[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    """Check a configuration, and fill its defaults in.

    Args:
        config: The configuration; its secrets are known to be text.
        schema: The JSON schema of it.

    Returns:
        One line per setting that is wrong, which begins with its name.
    """
    lines: dict[str, str] = {}
    for error in JSONSchemaValidator(schema).iter_errors(config):
        lines.setdefault(_place(error), _complaint(error))
    return [f"{place}: {complaint}" for place, complaint in lines.items()]


def _place(error: ValidationError) -> str:
    """The setting, with the way to the part of it that is wrong."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.path)
    return "".join(steps).removeprefix(".") or "config"


def _complaint(error: ValidationError) -> str:
    wanted = t.cast("Mapping[str, t.Any]", error.schema)
    value = t.cast("t.Any", error.instance)
    if error.validator == "required":
        missing = [name for name in wanted["required"] if name not in value]
        return f"{', '.join(missing)} must be given"
    written = _written(value)
    if "enum" in wanted:
        values = wanted["enum"]
        return f"{written} is not one of {', '.join(values)}{_nearest(value, values)}"
    if "type" in wanted:
        return f"{written} is not {_kinds(wanted['type'])}{_limits(wanted)}"
    return f"{written} has a form that is not known (--about shows the forms)"


def _kinds(declared: str | list[str]) -> str:
    """What a value may be; that it may be null needs no word: then it is not set."""
    types = [declared] if isinstance(declared, str) else declared
    return " or ".join(words for kind, words in _KINDS.items() if kind in types)


def _limits(wanted: Mapping[str, t.Any]) -> str:
    least, most = wanted.get("minimum"), wanted.get("maximum")
    if least is None:
        return ""
    return f" of at least {least}" if most is None else f" from {least} to {most}"


def _nearest(value: object, values: list[str]) -> str:
    near = difflib.get_close_matches(value, values, n=1) if isinstance(value, str) else []
    return f"; did you mean {near[0]}?" if near else ""


def _written(value: object) -> str:
    """A value as a user would write it; not what is within objects and lists."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (dict, list)):
        return "this object" if isinstance(value, dict) else "this list"
    # A config file's decimals are read as Decimal.
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
