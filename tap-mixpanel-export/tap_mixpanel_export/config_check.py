"""Checks a configuration against its schema, one line per mistake, secrets never shown."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any

from singer_sdk.plugin_base import JSONSchemaValidator

from tap_mixpanel_export.credentials import SECRET_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema import ValidationError


def schema_mistakes(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Return what the schema finds wrong; defaults are filled into ``config``.

    Returns:
        Lines that each begin with the setting's name.
    """
    known = list(schema["properties"])
    mistakes: list[str] = []
    for error in JSONSchemaValidator(schema).iter_errors(config):
        if error.validator == "additionalProperties" and not error.path:
            mistakes += [_unknown(name, known) for name in config if name not in known]
        elif error.validator == "required" and not error.path:
            mistakes += [
                f"{name}: is missing; it is required"
                for name in error.validator_value
                if name not in config and name in error.message
            ]
        else:
            mistakes.append(_wrong_value(error))
    return mistakes


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else "remove it (--about lists the settings)"
    return f"{name}: is not a setting of this tap; {advice}"


def _wrong_value(error: ValidationError) -> str:
    setting = ".".join(str(part) for part in error.path) or "config"
    if error.path and error.path[0] in SECRET_SETTINGS:
        return f"{setting}: must be text"
    return f"{setting}: {error.message}"


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


def _wants_integer(definition: Mapping[str, Any]) -> bool:
    types = definition.get("type", [])
    return "integer" in ([types] if isinstance(types, str) else types)
