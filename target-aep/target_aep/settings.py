"""Checked settings, and the checks that a schema can't make."""

from __future__ import annotations

import difflib
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from target_aep.api.ims import Credential
from target_aep.config_schema import SECRETS
from target_aep.data_prep.policies import Policies
from target_aep.errors import TargetError
from target_aep.loading.batch_commit import LoadOptions
from target_aep.loading.file_format import NO_SCHEMA
from target_aep.loading.local_destination import read_binding
from target_aep.loading.platform_destination import DatasetChoice
from target_aep.mapping.choice import MappingChoice, choose_mappings
from target_aep.mapping.identities import Identity, parse_identities
from target_aep.mapping.model import MappingMistakesError, MappingSet

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.evolution import Mode as EvolutionMode
    from target_aep.loading.destination import Binding

_CREDENTIAL_SETTINGS = ("client_id", "client_secret", "org_id")
_LARGEST_UPLOAD = 256_000_000
_MOST_WORKERS = 4


@dataclass(frozen=True)
class Settings:
    """Checked settings, in the shapes that the parts of the target take."""

    credential: Credential | None
    mapping_credential: Credential | None
    sandbox_name: str
    ims_url: str
    platform_url: str
    dataset_choice: DatasetChoice
    mappings: MappingChoice
    identities: tuple[Identity, ...]
    identities_by_stream: Mapping[str, tuple[Identity, ...]]
    has_identity_map: bool
    file_format: str
    local_path: Path
    local_binding: Binding
    batch_max_bytes: int
    file_max_bytes: int
    dead_letter_path: Path
    run_summary_path: Path
    schema_evolution: EvolutionMode
    load: LoadOptions
    workers: int

    def identities_of(self, stream: str) -> tuple[Identity, ...]:
        """What goes into the identityMap of a stream."""
        return self.declared_identities_of(stream) if self.has_identity_map else ()

    def declared_identities_of(self, stream: str) -> tuple[Identity, ...]:
        """The identities of a stream, wherever they are put."""
        return self.identities_by_stream.get(stream, self.identities)

    @property
    def mapping_set(self) -> MappingSet:
        """The mapping set of streams that `mappings` does not list, which is at hand.

        Raises:
            TargetError: It has to be fetched.
        """
        if isinstance(self.mappings.default, MappingSet):
            return self.mappings.default
        raise TargetError("mapping: it has to be fetched first")


def parse_settings(
    config: Mapping[str, t.Any], *, requires_dataset: bool = True
) -> tuple[Settings | None, list[str]]:
    """Check a configuration that already fits CONFIG_SCHEMA, with its defaults filled in.

    Args:
        config: The configuration.
        requires_dataset: Whether it has to name a dataset of Experience Platform.

    Returns:
        The settings and no errors, or None and one line per mistake, each naming its setting.
    """
    errors = [
        *_unavailable(config),
        *_platform_errors(config, requires_dataset=requires_dataset),
        *_size_errors(config),
        *_folder_errors(config),
    ]
    mappings = _choose_mappings(config, errors)
    identities, identities_by_stream = _all_identities(config, mappings, errors)
    binding = _collect(
        errors, "", lambda: read_binding(config.get("schema_path"), config.get("tenant_id"))
    )
    if errors or mappings is None or binding is None:
        return None, errors
    on_platform = config["destination"] == "platform"
    return (
        Settings(
            credential=_credential(config) if on_platform else None,
            mapping_credential=_credential(config) if mappings.needs_platform else None,
            sandbox_name=config["sandbox_name"],
            ims_url=config["ims_url"],
            platform_url=config["platform_url"],
            dataset_choice=DatasetChoice(
                config.get("dataset_id"), config.get("dataset_name"), config.get("datasets")
            ),
            mappings=mappings,
            identities=identities,
            identities_by_stream=identities_by_stream,
            has_identity_map=config["identity_storage"] == "identity_map",
            file_format=config["file_format"],
            local_path=Path(config["local_path"]),
            local_binding=binding,
            batch_max_bytes=config["batch_max_bytes"],
            file_max_bytes=config["file_max_bytes"],
            dead_letter_path=Path(config["dead_letter_path"]),
            run_summary_path=Path(config["run_summary_path"]),
            schema_evolution=config["schema_evolution"],
            load=LoadOptions(
                wait_for=config["wait_for"],
                batch_timeout_seconds=config["batch_timeout_minutes"] * 60.0,
                max_rejected_percent=float(config["max_rejected_percent"]),
                max_concurrent_uploads=config["max_concurrent_uploads"],
            ),
            workers=config.get("workers") or _default_workers(),
        ),
        [],
    )


def _default_workers() -> int:
    """As many as there are processors, as long as memory stays small and all have work."""
    available = getattr(os, "sched_getaffinity", None)
    processors = len(available(0)) if available else os.cpu_count() or 1
    return min(processors, _MOST_WORKERS)


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


def _choose_mappings(config: Mapping[str, t.Any], errors: list[str]) -> MappingChoice | None:
    policies = Policies(
        null_in_arithmetic=config["null_in_arithmetic"], method_on_null=config["method_on_null"]
    )
    try:
        mappings = choose_mappings(config, policies)
    except MappingMistakesError as error:
        errors.extend(error.complaints)
        return None
    if mappings.needs_platform and config["destination"] == "local":
        errors.extend(
            f"{name}: needed with destination=local too, to fetch the mapping set of this id (or "
            "export the set, and give the file as mapping)"
            for name in _CREDENTIAL_SETTINGS
            if not config.get(name)
        )
    return mappings


def _all_identities(
    config: Mapping[str, t.Any], mappings: MappingChoice | None, errors: list[str]
) -> tuple[tuple[Identity, ...], dict[str, tuple[Identity, ...]]]:
    """Identities of streams that have no mapping of their own, and of those that have."""
    before = len(errors)
    default = _identities(config, mappings and mappings.default, "mapping", errors)
    if len(errors) > before or mappings is None:
        return default, {}
    return default, {
        stream: _identities(config, chosen, f"mappings.{stream}", errors)
        for stream, chosen in mappings.by_stream.items()
    }


def _identities(
    config: Mapping[str, t.Any], mapping_set: object, where: str, errors: list[str]
) -> tuple[Identity, ...]:
    """Those of the setting, else those of the mapping set, if it is at hand and has some."""
    given = config.get("identities")
    if given is not None:
        found = _collect(errors, "", lambda: parse_identities(given))
    else:
        own = mapping_set.identities if isinstance(mapping_set, MappingSet) else ()
        found = _collect(errors, where, lambda: parse_identities(own))
    return found or ()


def _unavailable(config: Mapping[str, t.Any]) -> list[str]:
    errors = []
    if config["ingestion"] != "batch":
        errors.append("ingestion: streaming is not available in this version, use batch")
    is_local = config["destination"] == "local"
    if config["file_format"] == "parquet" and is_local and not config.get("schema_path"):
        errors.append(NO_SCHEMA)
    if config["schema_evolution"] == "apply" and is_local:
        errors.append(
            "schema_evolution: apply changes a schema in Experience Platform; with "
            "destination=local use plan"
        )
    return errors


def _platform_errors(config: Mapping[str, t.Any], *, requires_dataset: bool) -> list[str]:
    if config["destination"] != "platform":
        return []
    errors = [
        f"{name}: needed to reach Experience Platform (or set destination to local)"
        for name in _CREDENTIAL_SETTINGS
        if not config.get(name)
    ]
    if config.get("org_id") and not str(config["org_id"]).endswith("@AdobeOrg"):
        errors.append("org_id: must end in @AdobeOrg")
    if config["sandbox_name"] != config["sandbox_name"].lower():
        errors.append("sandbox_name: sandbox names are all lower case")
    names_dataset = any(config.get(name) for name in ("dataset_id", "dataset_name", "datasets"))
    if requires_dataset and not names_dataset:
        errors.append("dataset_id: set dataset_id, dataset_name or datasets")
    errors.extend(
        f"{name}: is blank"
        for name in ("dataset_id", "dataset_name")
        if _is_blank(config.get(name))
    )
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


def _is_blank(text: str | None) -> bool:
    return bool(text) and not str(text).strip()


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
