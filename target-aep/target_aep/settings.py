"""Checked settings, and the checks that a schema can't make."""

from __future__ import annotations

import difflib
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from target_aep.batch_commit import LoadOptions
from target_aep.config_schema import SECRETS
from target_aep.errors import TargetError
from target_aep.identities import DEFAULT_IDENTITIES, Identity, parse_identities
from target_aep.ims import Credential
from target_aep.local_destination import read_binding
from target_aep.mapping_check import complaints_about
from target_aep.mapping_set import MappingSet, load_mapping_set
from target_aep.platform_destination import DatasetChoice

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.destination import Binding

_LARGEST_UPLOAD = 256_000_000


@dataclass(frozen=True)
class Settings:
    """Checked settings, in the shapes that the parts of the target take."""

    credential: Credential | None
    sandbox_name: str
    ims_url: str
    platform_url: str
    dataset_choice: DatasetChoice
    mapping_set: MappingSet
    identities: tuple[Identity, ...]
    local_path: Path
    local_binding: Binding
    batch_max_bytes: int
    file_max_bytes: int
    dead_letter_path: Path
    run_summary_path: Path
    load: LoadOptions


def parse_settings(config: Mapping[str, t.Any]) -> tuple[Settings | None, list[str]]:
    """Check a configuration that already fits CONFIG_SCHEMA, with its defaults filled in.

    Args:
        config: The configuration.

    Returns:
        The settings and no errors, or None and one line per mistake, each naming its setting.
    """
    errors = [
        *_unavailable(config),
        *_platform_errors(config),
        *_size_errors(config),
        *_folder_errors(config),
    ]
    mapping_set = _collect(errors, "mapping", lambda: load_mapping_set(config["mapping"]))
    if mapping_set:
        errors.extend(f"mapping: {complaint}" for complaint in complaints_about(mapping_set))
    identities = _collect(errors, "", lambda: parse_identities(_identity_setting(config)))
    binding = _collect(
        errors, "", lambda: read_binding(config.get("schema_path"), config.get("tenant_id"))
    )
    if errors or mapping_set is None or identities is None or binding is None:
        return None, errors
    on_platform = config["destination"] == "platform"
    return (
        Settings(
            credential=_credential(config) if on_platform else None,
            sandbox_name=config["sandbox_name"],
            ims_url=config["ims_url"],
            platform_url=config["platform_url"],
            dataset_choice=DatasetChoice(
                config.get("dataset_id"), config.get("dataset_name"), config.get("datasets")
            ),
            mapping_set=mapping_set,
            identities=identities,
            local_path=Path(config["local_path"]),
            local_binding=binding,
            batch_max_bytes=config["batch_max_bytes"],
            file_max_bytes=config["file_max_bytes"],
            dead_letter_path=Path(config["dead_letter_path"]),
            run_summary_path=Path(config["run_summary_path"]),
            load=LoadOptions(
                wait_for=config["wait_for"],
                batch_timeout_seconds=config["batch_timeout_minutes"] * 60.0,
                max_rejected_percent=float(config["max_rejected_percent"]),
                max_concurrent_uploads=config["max_concurrent_uploads"],
            ),
        ),
        [],
    )


def secret_errors(config: Mapping[str, t.Any]) -> list[str]:
    """One line per secret setting that is no text; its value is not quoted."""
    return [
        f"{name}: must be a text, in quotes"
        for name in SECRETS
        if not isinstance(config.get(name, ""), str)
    ]


def unknown_errors(config: Mapping[str, t.Any], known: t.Iterable[str]) -> list[str]:
    """One line per setting that there is not, with the nearest one."""
    names = list(known)
    errors = []
    for name in config:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            advice = f"did you mean {near[0]}?" if near else "remove it (--about lists them)"
            errors.append(f"{name}: is not a setting of this target; {advice}")
    return errors


_T = t.TypeVar("_T")


def _collect(errors: list[str], setting: str, load: t.Callable[[], _T]) -> _T | None:
    try:
        return load()
    except TargetError as error:
        errors.append(f"{setting}: {error}" if setting else str(error))
        return None


def _identity_setting(config: Mapping[str, t.Any]) -> t.Sequence[dict[str, t.Any]]:
    default = DEFAULT_IDENTITIES if config["mapping"] == "mixpanel" else ()
    given = config.get("identities")
    return default if given is None else t.cast("list[dict[str, t.Any]]", given)


def _unavailable(config: Mapping[str, t.Any]) -> list[str]:
    errors = []
    if config["ingestion"] != "batch":
        errors.append("ingestion: streaming is not available in this version, use batch")
    if config["file_format"] != "json":
        errors.append("file_format: parquet is not available in this version, use json")
    return errors


def _platform_errors(config: Mapping[str, t.Any]) -> list[str]:
    if config["destination"] != "platform":
        return []
    errors = [
        f"{name}: needed to reach Experience Platform (or set destination to local)"
        for name in ("client_id", "client_secret", "org_id")
        if not config.get(name)
    ]
    if config.get("org_id") and not str(config["org_id"]).endswith("@AdobeOrg"):
        errors.append("org_id: must end in @AdobeOrg")
    if config["sandbox_name"] != config["sandbox_name"].lower():
        errors.append("sandbox_name: sandbox names are all lower case")
    if not any(config.get(name) for name in ("dataset_id", "dataset_name", "datasets")):
        errors.append("dataset_id: set dataset_id, dataset_name or datasets")
    if config.get("dataset_id") and config.get("dataset_name"):
        errors.append("dataset_name: set either dataset_id or dataset_name, not both")
    errors.extend(
        f"{name}: must be a URL such as https://host, without user or query"
        for name in ("ims_url", "platform_url")
        if not _is_base_url(config[name])
    )
    if config.get("schema_path"):
        errors.append("schema_path: only for destination=local; the dataset's schema is used")
    return errors


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _size_errors(config: Mapping[str, t.Any]) -> list[str]:
    if config["file_max_bytes"] < _LARGEST_UPLOAD:
        return []
    return [f"file_max_bytes: must stay under 256 MB ({_LARGEST_UPLOAD} bytes)"]


def _folder_errors(config: Mapping[str, t.Any]) -> list[str]:
    names = ["dead_letter_path"] + (["local_path"] if config["destination"] == "local" else [])
    folders = {name: Path(config[name]) for name in names}
    folders["run_summary_path"] = Path(config["run_summary_path"]).parent
    return [
        f"{name}: the folder {folder} can't be written: {complaint}"
        for name, folder in folders.items()
        if (complaint := _unwritable(folder))
    ]


def _unwritable(folder: Path) -> str | None:
    """Why a folder can't be written or made, judged without making it; None if it can."""
    for candidate in (folder.absolute(), *folder.absolute().parents):
        if not candidate.exists():
            continue
        if not candidate.is_dir():
            return f"{candidate} is not a folder"
        return None if os.access(candidate, os.W_OK | os.X_OK) else "permission denied"
    return "no such folder"


def _credential(config: Mapping[str, t.Any]) -> Credential:
    return Credential(
        client_id=config["client_id"],
        client_secret=config["client_secret"],
        org_id=config["org_id"],
        scopes=config["scopes"],
    )
