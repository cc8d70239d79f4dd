"""Settings written into a configuration file: JSON, or the variables of a `.env`."""

from __future__ import annotations

import json
import typing as t

from dotenv import set_key

from target_aep.errors import TargetError

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def save_settings(path: Path, settings: Mapping[str, str], plugin: str) -> None:
    """Write settings into a file; all else in it stays.

    Args:
        path: A JSON object of settings, or a file that is called `.env` or ends in `.env`, which
            Meltano reads too. Either is made if it is not there.
        settings: Texts by setting.
        plugin: Whose settings they are; variables begin with its name.

    Raises:
        TargetError: The file can't be read or written, or is neither.
    """
    try:
        if path.name.endswith(".env"):
            _save_variables(path, settings, plugin)
        else:
            _save_json(path, settings)
    except OSError as error:
        raise TargetError(f"--save: can't write {path}: {error.strerror}") from error


def _save_variables(path: Path, settings: Mapping[str, str], plugin: str) -> None:
    for name, value in settings.items():
        variable = f"{plugin.upper().replace('-', '_')}_{name.upper()}"
        set_key(path, variable, value, quote_mode="never")


def _save_json(path: Path, settings: Mapping[str, str]) -> None:
    document: t.Any = {}
    if path.exists():
        try:
            document = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise TargetError(f"--save: {path} is not JSON ({error})") from error
        if not isinstance(document, dict):
            raise TargetError(f"--save: {path} is not a JSON object of settings")
    if "dataset_id" in settings:
        document.pop("dataset_name", None)
    document.update(settings)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    new.replace(path)
