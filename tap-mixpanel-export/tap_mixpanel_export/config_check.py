"""Checks a configuration against its schema, one line per mistake, secrets never shown."""

from __future__ import annotations

import difflib
import json
import os
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.plugin_base import JSONSchemaValidator

from tap_mixpanel_export.credentials import SECRET_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError


def schema_mistakes(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, str]:
    """Return what the schema finds wrong; defaults are filled into ``config``.

    Returns:
        One line for each wrong setting, by the setting's name, with which the line begins.
    """
    known = list(schema["properties"])
    mistakes: dict[str, str] = {}
    # A value of the wrong type is often out of bounds as well: its type is what to say.
    errors = sorted(
        JSONSchemaValidator(schema).iter_errors(config), key=lambda error: error.validator != "type"
    )
    for error in errors:
        if error.validator == "additionalProperties" and not error.path:
            mistakes |= {name: _unknown(name, known) for name in config if name not in known}
        elif error.validator == "required" and not error.path:
            mistakes |= {
                name: f"{name}: is missing; it is required"
                for name in error.validator_value
                if name not in config and name in error.message
            }
        else:
            setting = str(error.path[0]) if error.path else "config"
            mistakes.setdefault(setting, _wrong_value(error))
    return mistakes


def _unknown(name: str, known: list[str]) -> str:
    advice = _hint(name, known) or "; remove it (--about lists the settings)"
    return f"{name}: is not a setting of this tap{advice}"


def _wrong_value(error: ValidationError) -> str:
    setting = ".".join(str(part) for part in error.path) or "config"
    if error.path and error.path[0] in SECRET_SETTINGS:
        return f"{setting}: must be text"
    # A config file's decimals are read as Decimal.
    line = f"{setting}: {error.message.replace(repr(error.instance), _written(error.instance))}"
    schema = cast("Mapping[str, Any]", error.schema)
    examples = schema.get("examples") if error.validator == "type" else None
    return f"{line}; write it as {json.dumps(examples[0])}" if examples else line


def _written(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else repr(value)


def environment_mistakes(schema: dict[str, Any], prefix: str) -> list[str]:
    """Return the environment variables that should hold an integer and do not.

    Args:
        schema: The settings' schema.
        prefix: What the variables' names begin with.
    """
    mistakes = []
    for name, definition in schema["properties"].items():
        variable = prefix + name.upper()
        if not _wants_integer(definition) or variable not in os.environ:
            continue
        try:
            int(os.environ[variable])
        except ValueError:
            mistakes.append(f"{name}: the environment variable {variable} is not a whole number")
    return mistakes


def unknown_variables(schema: dict[str, Any], prefix: str) -> list[str]:
    """Return a line for each environment variable that looks like a setting and is none.

    Meltano's own variables of a plugin have a second underscore after the prefix, and the SDK
    reads ``..._LOGLEVEL``.

    Args:
        schema: The settings' schema.
        prefix: What the variables' names begin with.
    """
    known = [prefix + name.upper() for name in schema["properties"]]
    return [
        f"the environment variable {name} names no setting of this tap{_hint(name, known)}"
        for name in sorted(os.environ)
        if name.startswith(prefix)
        and not name.startswith(f"{prefix}_")
        and not name.endswith("LOGLEVEL")
        and name not in known
    ]


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _wants_integer(definition: Mapping[str, Any]) -> bool:
    types = definition.get("type", [])
    return "integer" in ([types] if isinstance(types, str) else types)
