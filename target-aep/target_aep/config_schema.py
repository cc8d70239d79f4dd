"""The settings of target-aep: names, types, defaults and descriptions."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

from target_aep.api.ims import DEFAULT_SCOPES

MEBIBYTE = 1 << 20

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
            "Mixpanel source), the path of a mapping set as JSON, a mapping set itself, or "
            '`{"id": …, "version": …}` of one in Experience Platform'
        ),
    ),
    th.Property(
        "mappings",
        th.ObjectType(additional_properties=th.CustomType({"type": ["string", "object", "array"]})),
        title="Mappings",
        description=(
            "Mapping by stream, each in any form that `mapping` takes; `mapping` is for streams "
            "that are not listed"
        ),
    ),
    th.Property(
        "variables",
        th.ObjectType(additional_properties=th.StringType),
        title="Variables",
        description=(
            'Texts for the placeholders of mapping sets: `{"CRM_ORG_ID": "00D…"}` fills '
            "`${CRM_ORG_ID}`. `TENANT_ID` is filled by itself"
        ),
    ),
    th.Property(
        "null_in_arithmetic",
        th.StringType,
        default="error",
        allowed_values=["error", "zero"],
        title="Null in arithmetic",
        description=(
            "What null is in `+`, `-`, `*`, `/`, `%` of an expression, which Adobe does not say: "
            "`error` leaves the field empty and warns, `zero` takes it for 0 or empty text"
        ),
    ),
    th.Property(
        "method_on_null",
        th.StringType,
        default="null",
        allowed_values=["null", "error"],
        title="Method on null",
        description=(
            "What `value.name(…)` gives in an expression where the value is null, which Adobe does "
            "not say: `null`, or `error`, which leaves the field empty and warns"
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
                th.Property("id_type", th.StringType),
            )
        ),
        title="Identities",
        description=(
            "What goes into identityMap: `{field, namespace, primary, authenticated_state}`, and "
            "`id_type` of a namespace that `provision` makes (`CROSS_DEVICE` by default). "
            "With the mapping `mixpanel` the default is `distinct_id` (primary, "
            "MixpanelDistinctID), `$user_id` (MixpanelUserID) and `$device_id` "
            "(MixpanelDeviceID); with others none"
        ),
    ),
    th.Property(
        "identity_storage",
        th.StringType,
        default="identity_map",
        allowed_values=["identity_map", "descriptors"],
        title="Identity storage",
        description=(
            "`identity_map`: identities go into identityMap. `descriptors`: they stay in the "
            "fields that the mapping gives them, which `provision` marks as identities"
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
        description=(
            "`json` (lines), or `parquet`: a tenth of the bytes, for more work on this machine"
        ),
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
        "run_summary_path",
        th.StringType,
        default="./target-aep-run-summary.json",
        title="Run summary",
        description=(
            "File that every run writes at its end, also a failed one: its counts, batches and "
            "errors, in the terms of Flow Service's run records"
        ),
    ),
    th.Property(
        "schema_evolution",
        th.StringType,
        default="off",
        allowed_values=["off", "plan", "apply"],
        title="Schema evolution",
        description=(
            "What becomes of properties without a typed field, beside going to the map: `plan` "
            "tells at the end of a run which fields the schema could be given, `apply` adds them"
        ),
    ),
    th.Property(
        "max_concurrent_uploads",
        th.IntegerType(minimum=1, maximum=64),
        default=4,
        title="Uploads at once",
        description="Files that are uploaded at the same time",
    ),
    th.Property(
        "workers",
        th.IntegerType(minimum=1, maximum=64),
        title="Worker processes",
        description=(
            "Processes that map records, once an input is long enough to gain by them, from 1 to "
            "64; 1 maps all in the target's own. Default: one for each processor there is, at most "
            "4"
        ),
    ),
    additional_properties=False,
).to_dict()

SECRETS: t.Final = tuple(
    name for name, setting in CONFIG_SCHEMA["properties"].items() if setting.get("writeOnly")
)


def mend_choices(schema: t.Any) -> None:
    """Take the bare `null` out of each `anyOf`, in place: it is no schema, and fails a check.

    The SDK's schema of `stream_maps` has it, by `append_type` of singer_sdk/helpers/_typing.py.
    """
    if isinstance(schema, dict) and isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [each for each in schema["anyOf"] if each != "null"]
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, (dict, list)):
            mend_choices(part)
