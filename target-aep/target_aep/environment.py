"""Settings from the environment (`--config ENV`) and `.env`, each in the type of its setting."""

from __future__ import annotations

import contextlib
import json
import math
import typing as t

from singer_sdk.configuration._dict_config import parse_environment_config

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def read_environment(
    schema: Mapping[str, t.Any], prefix: str
) -> tuple[dict[str, t.Any], list[str]]:
    """Read the variables that settings have, such as `TARGET_AEP_DATASET_ID`.

    Texts are taken as they are (also for `mapping`, which reads JSON text itself), objects and
    lists are JSON text. An empty variable is one that is not set.

    Args:
        schema: The JSON schema of the configuration.
        prefix: What the variables begin with.

    Returns:
        The settings, and one line per variable whose text is none of its setting's values.
    """
    properties = schema["properties"]
    as_texts = {"properties": {name: {"type": "string"} for name in properties}}
    settings: dict[str, t.Any] = {}
    errors = []
    for name, text in parse_environment_config(as_texts, prefix).items():
        if not text:
            continue
        try:
            settings[name] = _parser(properties[name])(text)
        except ValueError as error:
            errors.append(f"{name}: the variable {prefix}{name.upper()} is not {error}")
    return settings, errors


def with_numbers(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A configuration with numbers for the texts that stand for one.

    Meltano writes a decimal that it has from its own environment as text.

    Args:
        config: The configuration.
        schema: The JSON schema of it.
    """
    typed = dict(config)
    for name, text in config.items():
        if isinstance(text, str) and "number" in schema["properties"].get(name, {}).get("type", ()):
            with contextlib.suppress(ValueError):  # the schema's check names it
                typed[name] = _number(text)
    return typed


def _parser(schema: Mapping[str, t.Any]) -> Callable[[str], t.Any]:
    declared = schema["type"]
    types = {declared} if isinstance(declared, str) else set(declared)
    if "string" in types:
        return str
    return next(parser for kind, parser in _PARSERS.items() if kind in types)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("a number")
    return number


def _json(kind: type, words: str) -> Callable[[str], t.Any]:
    def parse(text: str) -> t.Any:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, kind):
            raise ValueError(words) from None  # noqa: TRY004 - text of the wrong content
        return value

    return parse


_PARSERS: dict[str, Callable[[str], t.Any]] = {
    "integer": _integer,
    "number": _number,
    "array": _json(list, "a list as JSON"),
    "object": _json(dict, "an object as JSON"),
}
