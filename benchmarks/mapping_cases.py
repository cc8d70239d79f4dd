"""The mapping sets that are measured, the schema they fill, and the records they map."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

from emulators.generator import generate
from emulators.jsonlines import encode_event
from tap_mixpanel_export.event import build_record, parse_event
from tap_mixpanel_export.event_time import EventTime
from target_aep.mapping.mapping_set import load_mapping_set

Record = dict[str, Any]

TENANT = "acme"
_RECORDS = 1000
_ATTRIBUTES = {
    "_id": ("event_id", "string"),
    "timestamp": ("time", "date-time"),
    "eventType": ("event_name", "string"),
    "environment.browserDetails.name": ("properties.$browser", "string"),
    "environment.browserDetails.version": ("properties.$browser_version", "string"),
    "environment.operatingSystem": ("properties.$os", "string"),
    "environment.operatingSystemVersion": ("properties.$os_version", "string"),
    "environment.carrier": ("properties.$carrier", "string"),
    "device.radio": ("properties.$radio", "string"),
    "device.model": ("properties.$model", "string"),
    "device.manufacturer": ("properties.$brand", "string"),
    "device.screenWidth": ("properties.$screen_width", "integer"),
    "device.screenHeight": ("properties.$screen_height", "integer"),
    "placeContext.geo.city": ("properties.$city", "string"),
    "placeContext.geo.region": ("properties.$region", "string"),
    "web.webPageDetails.URL": ("properties.$current_url", "string"),
    "web.webReferrer.URL": ("properties.$referrer", "string"),
    "marketing.campaignName": ("properties.utm_campaign", "string"),
    "marketing.source": ("properties.utm_source", "string"),
    "marketing.medium": ("properties.utm_medium", "string"),
    "marketing.content": ("properties.utm_content", "string"),
    "application.version": ("properties.$app_version_string", "string"),
    "application.build": ("properties.$app_build_number", "string"),
    "implementationDetails.version": ("properties.$lib_version", "string"),
    "implementationDetails.name": ("properties.mp_lib", "string"),
    "_acme.mixpanel.distinctId": ("distinct_id", "string"),
    "_acme.mixpanel.insertId": ("insert_id", "string"),
    "_acme.mixpanel.deviceId": ("device_id", "string"),
    "_acme.mixpanel.userId": ("user_id", "string"),
    "_acme.mixpanel.import": ("import", "boolean"),
    "_acme.mixpanel.apiEndpoint": ("mp_api_endpoint", "string"),
    "_acme.mixpanel.apiTimestampMs": ("mp_api_timestamp_ms", "integer"),
    "_acme.mixpanel.processingTimeMs": ("mp_processing_time_ms", "integer"),
    "_acme.customer.plan": ("properties.plan", "string"),
    "_acme.customer.isMember": ("properties.is_member", "boolean"),
    "_acme.customer.currency": ("properties.currency", "string"),
    "_acme.item.id": ("properties.item_id", "string"),
    "_acme.item.name": ("properties.item_name", "string"),
    "_acme.item.price": ("properties.item_price", "number"),
    "_acme.item.quantity": ("properties.quantity", "integer"),
}
_EXPRESSIONS = {
    "placeContext.geo.countryCode": ("upper(properties.mp_country_code)", "string"),
    "placeContext.label": (
        (
            '${properties.$city} != null ? concat(${properties.$city}, ", ", upper('
            "properties.mp_country_code)) : null"
        ),
        "string",
    ),
    "environment.connectionType": (
        'decode(${properties.$wifi}, true, "wireless_wifi", false, "mobile")',
        "string",
    ),
    "web.host": ("get_url_host(${properties.$current_url})", "string"),
    "_acme.computed.library": ("lower(properties.mp_lib)", "string"),
    "_acme.computed.tariff": ('concat(properties.plan, "-", properties.currency)', "string"),
    "_acme.computed.visitor": (
        'iif(user_id != null && user_id != "", "known", "anonymous")',
        "string",
    ),
    "_acme.computed.bestId": ("coalesce(user_id, device_id, distinct_id)", "string"),
    "_acme.computed.planName": (
        (
            'decode(properties.plan, "free", "Free", "growth", "Growth", "enterprise", '
            '"Enterprise", "Other")'
        ),
        "string",
    ),
    "_acme.computed.itemGroup": ("substr(properties.item_id, 0, 2)", "string"),
    "_acme.computed.day": ('format(date(time), "yyyy-MM-dd")', "string"),
    "_acme.computed.total": (
        (
            "properties.item_price != null && properties.quantity != null "
            "? properties.item_price * properties.quantity : null"
        ),
        "number",
    ),
    "_acme.computed.cartCents": (
        "properties.cart_value != null ? properties.cart_value * 100 : null",
        "number",
    ),
    "_acme.computed.mailUser": ('split(distinct_id, "@")[0]', "string"),
    "_acme.computed.mailDomain": ('split(distinct_id, "@").get(1)', "string"),
    "_acme.computed.slug": ('lower(replacestr(properties.item_name, " ", "-"))', "string"),
    "_acme.computed.product": (
        (
            "iif(properties.item_id != null, "
            'to_object("id", properties.item_id, "name", properties.item_name), null)'
        ),
        "product",
    ),
    "_acme.computed.hashedId": (
        'distinct_id != null && distinct_id != "" ? sha256(lower(distinct_id)) : null',
        "string",
    ),
    "_acme.computed.isEnterprise": ('properties.plan.equals("enterprise")', "boolean"),
    "_acme.computed.name": ("trim(event_name)", "string"),
}
_TYPES: dict[str, Record] = {
    "date-time": {"type": "string", "format": "date-time"},
    "product": {
        "type": "object",
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
    },
}


def wide_set() -> list[Record]:
    """60 mappings, 20 of them expressions."""
    return [
        {"sourceType": source_type, "source": source, "destination": destination}
        for source_type, fields in (("ATTRIBUTE", _ATTRIBUTES), ("EXPRESSION", _EXPRESSIONS))
        for destination, (source, _) in fields.items()
    ]


def wide_schema() -> Record:
    """The schema of those 60 fields."""
    kinds = {path: kind for path, (_, kind) in (_ATTRIBUTES | _EXPRESSIONS).items()}
    return _schema(kinds)


def adobe_set() -> list[Record]:
    """The mappings that Adobe publishes for its Mixpanel source, in the oldest spelling."""
    return [
        {
            "destinationXdmPath": each.destination,
            "sourceAttribute": each.source,
            "identity": False,
            "primaryIdentity": False,
            "version": 0,
        }
        for each in load_mapping_set("adobe-source").for_tenant(TENANT).mappings
    ]


def adobe_schema() -> Record:
    """The schema of Adobe's mappings: the types that its tutorial gives them."""
    kinds = dict.fromkeys((each["destinationXdmPath"] for each in adobe_set()), "string")
    kinds |= {"timestamp": "date-time", "_acme.time": "date-time", "_acme.import": "boolean"}
    kinds |= {"_acme.item_price": "number"}
    kinds |= dict.fromkeys(("_acme.mp_api_timestamp_ms", "_acme.mp_processing_time_ms"), "integer")
    return _schema(kinds)


def records() -> list[Record]:
    """Records as the tap makes them of generated events, oddities included."""
    now = datetime(2025, 3, 1, tzinfo=timezone.utc)
    events = generate(7, 1, _RECORDS, start=date(2025, 1, 7), now=now)
    event_time = EventTime(None)
    return [build_record(parse_event(encode_event(event)), event_time) for event in events]


def _schema(kinds: dict[str, str]) -> Record:
    root: Record = {"type": "object", "properties": {}}
    for path, kind in kinds.items():
        *above, name = path.split(".")
        node = root
        for step in above:
            node = node["properties"].setdefault(step, {"type": "object", "properties": {}})
        node["properties"][name] = _TYPES.get(kind, {"type": kind})
    return root
