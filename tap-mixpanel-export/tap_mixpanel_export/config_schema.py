"""The settings as users see them: names, types, defaults and what each does."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

COLUMNS = "columns"
"""The choice of ``properties_layout`` that is not the default."""

_NUMBER_OR_DIGITS = th.CustomType({"type": ["integer", "string", "null"]})

_CREDENTIALS = (
    th.Property(
        "service_account_username",
        th.StringType,
        secret=True,
        title="Service account username",
        description="Username of a Mixpanel service account; needs `service_account_secret` "
        "and `project_id`.",
    ),
    th.Property(
        "service_account_secret",
        th.StringType,
        secret=True,
        title="Service account secret",
        description="Secret of the service account.",
    ),
    th.Property(
        "project_id",
        _NUMBER_OR_DIGITS,
        title="Project id",
        description="Number of the Mixpanel project; required with a service account.",
    ),
    th.Property(
        "api_secret",
        th.StringType,
        secret=True,
        title="Project secret",
        description="The project's API secret. Mixpanel retires project secrets on 2027-03-03; "
        "prefer a service account.",
    ),
    th.Property(
        "oauth_token",
        th.StringType,
        secret=True,
        title="OAuth token",
        description="OAuth access token, sent as a Bearer token.",
    ),
)

_HOSTS = (
    th.Property(
        "region",
        th.StringType,
        default="US",
        allowed_values=["US", "EU", "IN"],
        title="Data residency",
        description="Where the project's data lives; picks the hosts.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="Export host",
        description="Overrides the export host, e.g. `http://127.0.0.1:8001` for an emulator or "
        "a proxy.",
    ),
    th.Property(
        "app_url",
        th.StringType,
        title="App host",
        description="Overrides the app host, which `--test` and discovery ask. Set it together "
        "with `api_url`.",
    ),
)

_EXPORT = (
    th.Property(
        "start_date",
        th.DateTimeType,
        required=True,
        examples=["2024-01-31"],
        title="First day",
        description="First project day to export. A date, or a date-time at midnight, is that "
        "day as written; any other instant is converted to `project_timezone` (without an "
        "offset it is taken to be in that zone).",
    ),
    th.Property(
        "end_date",
        th.DateTimeType,
        examples=["2024-01-31"],
        title="Last day",
        description="Last project day to export, inclusive; read as `start_date` is. "
        "Default: today.",
    ),
    th.Property(
        "project_timezone",
        th.StringType,
        default="UTC",
        title="Project time zone",
        description="Zone of the project's days, as an IANA or a Windows name "
        "(`America/Los_Angeles` or `Pacific Standard Time`). Projects made since 2023 have UTC "
        "days, whatever zone they show.",
    ),
    th.Property(
        "event_time_basis",
        th.StringType,
        default="utc",
        allowed_values=["utc", "project"],
        title="Event time basis",
        description="What the raw `time` means. `utc`: true UTC (projects made since 2023). "
        "`project`: the project's wall clock written as an epoch (older projects).",
    ),
    th.Property(
        "events",
        th.ArrayType(th.StringType),
        examples=[["Sign Up", "Purchase"]],
        title="Event names",
        description="Export only these events.",
    ),
    th.Property(
        "where",
        th.StringType,
        title="Filter expression",
        description="Export only events that this Mixpanel segmentation expression selects, "
        'e.g. `properties["$os"] == "iOS"`.',
    ),
)

_SWEEPS = (
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=5,
        title="Lookback",
        description="Days before the bookmark that are searched for late arrivals.",
    ),
    th.Property(
        "settle_minutes",
        th.IntegerType(minimum=0, maximum=525_600),
        default=60,
        title="Settling time",
        description="Arrivals younger than this many minutes are left for the next run; "
        "0 = freshest.",
    ),
    th.Property(
        "late_event_filter",
        th.StringType,
        default="server",
        allowed_values=["server", "client"],
        title="Late event filter",
        description="Where late arrivals of days that were exported before are selected: "
        "`server` asks Mixpanel for them alone, many days at once; `client` downloads the days "
        "again. The tap checks each event in both cases.",
    ),
    th.Property(
        "window_days",
        th.IntegerType(minimum=1, maximum=366),
        default=1,
        title="Days per request",
        description="Days of the first request. Later ones grow and shrink so that an answer has "
        "about a million events; a day that is too large is asked for in parts.",
    ),
    th.Property(
        "max_window_days",
        th.IntegerType(minimum=1, maximum=366),
        default=30,
        title="Most days per request",
        description="Most days of one request.",
    ),
)

_LIMITS = (
    th.Property(
        "max_requests_per_hour",
        th.IntegerType(minimum=1, maximum=60),
        default=60,
        title="Requests per hour",
        description="Requests in any sliding hour (Mixpanel allows a project 60), counted over "
        "all runs that share `state_dir`. Lower it to leave some to other tools.",
    ),
    th.Property(
        "max_concurrent_requests",
        th.IntegerType(minimum=1, maximum=100),
        default=4,
        title="Downloads in flight",
        description="Most downloads at once over all runs that share `state_dir`, and most "
        "windows that a run keeps on disk.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=86_400),
        default=600,
        title="Read timeout",
        description="Seconds to wait for the next byte of an answer. Mixpanel can take minutes "
        "before the first one.",
    ),
    th.Property(
        "workers",
        th.IntegerType(minimum=1, maximum=64),
        title="Processes for the work",
        description="Processes that share the work on large answers; 1 = the tap does it all "
        "itself. Default: 2, or 1 where there is a single core. More need memory, 35 MB each.",
    ),
)

_OUTPUT = (
    th.Property(
        "properties_layout",
        th.StringType,
        default="object",
        allowed_values=["object", COLUMNS],
        title="Layout of properties",
        description="`object`: all properties in the column `properties`. `columns`: those that "
        "discovery finds have typed columns; the rest, and values of other types, stay in "
        "`properties`.",
    ),
    th.Property(
        "exclude_properties",
        th.ArrayType(th.StringType),
        title="Properties to leave out",
        description="Raw names of properties that never leave the tap, in either layout, whatever "
        "the catalog says, e.g. `$email`. A fixed column that one fills is null, save `time`.",
    ),
    th.Property(
        "on_invalid_line",
        th.StringType,
        default="fail",
        allowed_values=["fail", "quarantine"],
        title="Malformed lines",
        description="What to do with a malformed line inside an otherwise complete answer. "
        "`fail`: try again, then end the run. `quarantine`: put the line under "
        "`state_dir/quarantine` and go on.",
    ),
    th.Property(
        "state_dir",
        th.StringType,
        title="Working directory",
        description="Directory for spool files, the ledger of requests, the names of columns and "
        "quarantined lines. Default: a per-user cache directory.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header of requests. Default: `tap-mixpanel-export/VERSION`.",
    ),
)


_SETTINGS = (*_CREDENTIALS, *_HOSTS, *_EXPORT, *_SWEEPS, *_LIMITS, *_OUTPUT)

DEFAULTS: dict[str, Any] = {
    setting.name: setting.default for setting in _SETTINGS if setting.default is not None
}


def config_schema() -> dict[str, Any]:
    """Return the JSON schema of the settings; keys it does not name are refused."""
    return th.PropertiesList(*_SETTINGS, additional_properties=False).to_dict()


def mend_choices(schema: Any) -> None:
    """Take the bare ``null`` out of each ``anyOf``, in place: it is no schema, and fails a check.

    The SDK's schema of ``stream_maps`` has it, by ``append_type`` of singer_sdk/helpers/_typing.py.
    """
    if isinstance(schema, dict) and isinstance(schema.get("anyOf"), list):
        schema["anyOf"] = [each for each in schema["anyOf"] if each != "null"]
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, (dict, list)):
            mend_choices(part)
