"""The settings of target-aep: their schema, and the checks that a schema can't make."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from singer_sdk import typing as th

from target_aep.errors import TargetError
from target_aep.identities import DEFAULT_IDENTITIES, Identity, parse_identities
from target_aep.ims import DEFAULT_SCOPES, Credential
from target_aep.local_destination import read_binding
from target_aep.mapping_set import MappingSet, load_mapping_set
from target_aep.platform_destination import DatasetChoice, LoadOptions

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.destination import Binding

MEBIBYTE = 1 << 20
_LARGEST_UPLOAD = 256_000_000

CONFIG_SCHEMA: t.Final[dict[str, t.Any]] = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        secret=True,
        title="Client ID",
        description="Client ID of the OAuth server-to-server credential (Developer Console)",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Client secret of the credential",
    ),
    th.Property(
        "org_id",
        th.StringType,
        secret=True,
        title="Organisation ID",
        description="IMS organisation, `...@AdobeOrg`",
    ),
    th.Property(
        "sandbox_name",
        th.StringType,
        default="prod",
        title="Sandbox",
        description="Name of the sandbox, all lower case",
    ),
    th.Property(
        "scopes",
        th.StringType,
        default=DEFAULT_SCOPES,
        title="Scopes",
        description="Scopes of the credential, separated by commas",
    ),
    th.Property(
        "ims_url",
        th.StringType,
        default="https://ims-na1.adobelogin.com",
        title="IMS URL",
        description="Where access tokens are minted; another one for stage or the emulator",
    ),
    th.Property(
        "platform_url",
        th.StringType,
        default="https://platform.adobe.io",
        title="Platform URL",
        description="Gateway of Experience Platform; another one for stage or the emulator",
    ),
    th.Property(
        "dataset_id",
        th.StringType,
        title="Dataset ID",
        description="Dataset that all streams go to which `datasets` does not list",
    ),
    th.Property(
        "dataset_name",
        th.StringType,
        title="Dataset name",
        description="Instead of `dataset_id`: the dataset's name, unique in the sandbox",
    ),
    th.Property(
        "datasets",
        th.ObjectType(additional_properties=th.StringType),
        title="Datasets",
        description='Dataset ID by stream: `{"events": "5c8c3c555033b814b69f947f"}`',
    ),
    th.Property(
        "mapping",
        th.CustomType({"type": ["string", "object", "array"]}),
        default="mixpanel",
        title="Mapping",
        description=(
            "How records become XDM: `mixpanel`, `adobe-source` (the eleven fields of Adobe's own "
            "Mixpanel source), the path of a mapping set as JSON, or a mapping set itself"
        ),
    ),
    th.Property(
        "identities",
        th.ArrayType(
            th.ObjectType(
                th.Property("field", th.StringType, required=True),
                th.Property("namespace", th.StringType, required=True),
                th.Property("primary", th.BooleanType),
                th.Property("authenticated_state", th.StringType),
            )
        ),
        title="Identities",
        description=(
            "What goes into identityMap: `{field, namespace, primary, authenticated_state}`. "
            "With the mapping `mixpanel` the default is `distinct_id` (primary, "
            "MixpanelDistinctID), `$user_id` (MixpanelUserID) and `$device_id` "
            "(MixpanelDeviceID); with others none"
        ),
    ),
    th.Property(
        "destination",
        th.StringType,
        default="platform",
        allowed_values=["platform", "local"],
        title="Destination",
        description="`local` writes the files that would be uploaded, without any credential",
    ),
    th.Property(
        "local_path",
        th.StringType,
        default="./aep-output",
        title="Local path",
        description="Folder of `destination=local`",
    ),
    th.Property(
        "schema_path",
        th.StringType,
        title="Schema file",
        description=(
            "With `destination=local`: the dataset's XDM schema as the Schema Registry gives it "
            "for `application/vnd.adobe.xed-full+json; version=1`. Without it values stay as they "
            "are"
        ),
    ),
    th.Property(
        "tenant_id",
        th.StringType,
        title="Tenant ID",
        description=(
            "With `destination=local`: tenant of the custom fields, without underscore; default: "
            "from the schema file, else `tenant`"
        ),
    ),
    th.Property(
        "ingestion",
        th.StringType,
        default="batch",
        allowed_values=["batch", "streaming"],
        title="Ingestion",
        description="`batch`; `streaming` is not available in this version",
    ),
    th.Property(
        "file_format",
        th.StringType,
        default="json",
        allowed_values=["json", "parquet"],
        title="File format",
        description="`json`; `parquet` is not available in this version",
    ),
    th.Property(
        "batch_max_bytes",
        th.IntegerType(minimum=1),
        default=1024 * MEBIBYTE,
        title="Batch size",
        description=(
            "A batch closes at the first STATE after this many bytes, and at the end of the pipe"
        ),
    ),
    th.Property(
        "file_max_bytes",
        th.IntegerType(minimum=1),
        default=200 * MEBIBYTE,
        title="File size",
        description="Largest file of a batch, in bytes; Adobe takes less than 256 MB",
    ),
    th.Property(
        "wait_for",
        th.StringType,
        default="promoted",
        allowed_values=["promoted", "accepted"],
        title="Wait for",
        description=(
            "When a batch counts as loaded: `promoted` to the data lake, or `accepted` by the API "
            "(faster, but a later failure is not seen)"
        ),
    ),
    th.Property(
        "batch_timeout_minutes",
        th.IntegerType(minimum=1),
        default=120,
        title="Batch timeout",
        description="How long the promotion of a batch may take, in minutes",
    ),
    th.Property(
        "max_rejected_percent",
        th.NumberType(minimum=0, maximum=100),
        default=5,
        title="Rejected records",
        description=(
            "Share of a run's records that may be rejected, in percent. Above it the run ends "
            "with an error, after loading the good records and keeping the bad ones. Also the "
            "partial-ingestion threshold of batches"
        ),
    ),
    th.Property(
        "dead_letter_path",
        th.StringType,
        default="./dead-letters",
        title="Dead letters",
        description="Folder for rejected records with their reasons",
    ),
    th.Property(
        "max_concurrent_uploads",
        th.IntegerType(minimum=1, maximum=64),
        default=4,
        title="Uploads at once",
        description="Files that are uploaded at the same time",
    ),
    additional_properties=False,
).to_dict()


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
            load=LoadOptions(
                wait_for=config["wait_for"],
                batch_timeout_seconds=config["batch_timeout_minutes"] * 60.0,
                max_rejected_percent=float(config["max_rejected_percent"]),
                max_concurrent_uploads=config["max_concurrent_uploads"],
            ),
        ),
        [],
    )


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
    return [
        f"{name}: the folder {config[name]} can't be written: {complaint}"
        for name in names
        if (complaint := _unwritable(Path(config[name])))
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
