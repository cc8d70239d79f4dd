"""The id of a dataset written into a configuration file: JSON, or the variables of a `.env`."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import typing as t
from pathlib import Path

from dotenv import dotenv_values, set_key, unset_key

from target_aep.errors import TargetError

_ID: t.Final = "dataset_id"
_NAME: t.Final = "dataset_name"
_NEW_MODE = 0o600


def save_dataset_id(path: Path, dataset_id: str, plugin: str) -> bool:
    """Write dataset_id into a file in place of dataset_name; all else in it stays.

    Links are followed, and the file keeps its mode; a new one is for its owner only.

    Args:
        path: A JSON object of settings, or a file that is called `.env` or ends in `.env`, which
            Meltano reads too. Either is made if it is not there.
        dataset_id: The id.
        plugin: Whose settings they are; variables begin with its name.

    Returns:
        Whether dataset_name was in the file.

    Raises:
        TargetError: The file can't be read or written, or is neither.
    """
    try:
        if path.name.endswith(".env"):
            return _save_variables(path, dataset_id, plugin.upper().replace("-", "_"))
        return _save_json(Path(os.path.realpath(path)), dataset_id)
    except OSError as error:
        raise TargetError(f"--save: can't write {path}: {error.strerror}") from error


def check_can_save(path: Path) -> None:
    """Make sure that a file can be read and written, before anything is made.

    Raises:
        TargetError: It can't be, or it is neither JSON settings nor a `.env`.
    """
    real = Path(os.path.realpath(path))
    if not path.name.endswith(".env"):
        _read_json(real)
    place = real if real.exists() else real.parent
    if not os.access(place, os.W_OK):
        why = "permission denied" if place.exists() else "no such folder"
        raise TargetError(f"--save: can't write {path}: {why}")


def _save_variables(path: Path, dataset_id: str, prefix: str) -> bool:
    name = f"{prefix}_{_NAME.upper()}"
    had_name = path.exists() and name in dotenv_values(path)
    if had_name:
        unset_key(path, name, follow_symlinks=True)
    variable = f"{prefix}_{_ID.upper()}"
    set_key(path, variable, dataset_id, quote_mode="never", follow_symlinks=True)
    return had_name


def _save_json(path: Path, dataset_id: str) -> bool:
    document = _read_json(path)
    had_name = document.pop(_NAME, None) is not None
    document[_ID] = dataset_id
    _replace(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return had_name


def _read_json(path: Path) -> dict[str, t.Any]:
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TargetError(f"--save: can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise TargetError(f"--save: {path} is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise TargetError(f"--save: {path} is not a JSON object of settings")
    return document


def _replace(path: Path, text: str) -> None:
    """Put a whole new content in the place of a file, with the mode that it has."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _NEW_MODE
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as new:
        try:
            new.write(text)
            new.flush()
            Path(new.name).chmod(mode)
            Path(new.name).replace(path)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
