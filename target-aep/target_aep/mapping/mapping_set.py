"""Mapping sets that are at hand: in the package, in a file, in the settings."""

from __future__ import annotations

import json
import typing as t
from importlib import resources
from pathlib import Path

from target_aep.errors import MappingSetError
from target_aep.mapping.generations import parse_mapping_set

if t.TYPE_CHECKING:
    from target_aep.mapping.model import MappingSet

PRESET: t.Final = "mixpanel"
BUILT_IN: t.Final = (PRESET, "adobe-source")


def load_mapping_set(setting: t.Any) -> MappingSet:
    """Load a mapping set that is at hand.

    Args:
        setting: `mixpanel`, `adobe-source`, the path of a JSON file, or a mapping set itself, as
            an object, a list of mappings or JSON text of either.

    Returns:
        The mapping set.

    Raises:
        MappingSetError: There is no such file, it is not JSON, or not a mapping set.
    """
    if not isinstance(setting, str):
        return parse_mapping_set(setting, "inline")
    if setting in BUILT_IN:
        package = resources.files("target_aep") / "mappings" / f"{setting}.json"
        return parse_mapping_set(json.loads(package.read_text("utf-8")), setting)
    if is_json_text(setting):
        return parse_mapping_set(decode(setting, "the text in it"), "inline")
    path = Path(setting)
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not the name of a file of UTF-8 text"
        raise MappingSetError(
            f"can't read the file {setting}: {reason}. Give a file, a mapping set, or one of "
            f"{', '.join(BUILT_IN)}"
        ) from error
    return parse_mapping_set(decode(text, f"the file {setting}"), path.name)


def is_json_text(setting: str) -> bool:
    """Whether a setting is a mapping set as JSON text, not the name of one."""
    return setting.lstrip().startswith(("{", "["))


def decode(text: str, what: str) -> t.Any:
    """Decode JSON text; `what` is how messages call it.

    Raises:
        MappingSetError: It is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MappingSetError(f"{what} is not JSON: {error}") from error
