"""Settings from the environment (`--config ENV`) and `.env`, each in the type of its setting."""

from __future__ import annotations

import contextlib
import difflib
import json
import logging
import math
import os
import typing as t

from dotenv import find_dotenv
from singer_sdk.configuration._dict_config import parse_environment_config

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

logger = logging.getLogger("target-aep")


def read_environment(
    schema: Mapping[str, t.Any], prefix: str
) -> tuple[dict[str, t.Any], list[str]]:
    """Read the variables that settings have, such as `TARGET_AEP_DATASET_ID`.

    A `.env` file of the working directory, or of a folder above it, adds variables that are not set
    (the SDK by itself would look for one where it is installed).

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
    variables = find_dotenv(usecwd=True) or os.devnull
    for name, text in parse_environment_config(as_texts, prefix, variables).items():
        if not text:
            continue
        try:
            settings[name] = _parser(properties[name])(text)
        except ValueError as error:
            errors.append(f"{name}: the variable {prefix}{name.upper()} is not {error}")
    _warn_of_others(properties, prefix)
    return settings, errors


def _warn_of_others(names: Iterable[str], prefix: str) -> None:
    """Warn of variables that look like a setting's and are none.

    Meltano's own of a plugin have a second underscore; the SDK reads `…_LOGLEVEL`.
    """
    known = [prefix + name.upper() for name in names]
    for variable in sorted(os.environ):
        is_others = variable.startswith(f"{prefix}_") or variable.endswith("LOGLEVEL")
        if variable.startswith(prefix) and variable not in known and not is_others:
            near = difflib.get_close_matches(variable, known, n=1)
            advice = f"; did you mean {near[0]}?" if near else ""
            logger.warning(
                "The environment variable %s names no setting of this target%s", variable, advice
            )


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
