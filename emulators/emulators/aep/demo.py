"""The demo sandbox: three datasets that the tap's and the target's demo load into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.xdm_groups import standard_groups
from emulators.aep.xdm_schema import (
    array_of,
    boolean,
    date_time,
    event_schema,
    integer,
    long,
    map_of,
    number,
    string,
    struct,
)

if TYPE_CHECKING:
    from emulators.aep.app import AepEmulator
    from emulators.aep.model import JsonObject

MIXPANEL_DATASET = "Mixpanel events"
ADOBE_SOURCE_DATASET = "Mixpanel (Adobe source)"
ORDERS_DATASET = "Orders"


def install_demo(emulator: AepEmulator, sandbox: str = "prod") -> dict[str, str]:
    """Install the demo's schemas and datasets.

    Returns:
        The datasets' ids by their names; the same at every installation.
    """
    tenant = f"_{emulator.tenant}"
    schemas = {
        MIXPANEL_DATASET: mixpanel_schema(tenant),
        ADOBE_SOURCE_DATASET: adobe_source_schema(tenant),
        ORDERS_DATASET: orders_schema(tenant),
    }
    ids = {}
    for name, body in schemas.items():
        schema = emulator.provisioning.add_schema(body, sandbox=sandbox)
        ids[name] = emulator.provisioning.add_dataset(name, schema.id, sandbox=sandbox).id
    return ids


def mixpanel_schema(tenant: str) -> JsonObject:
    """An ExperienceEvent with the standard groups and `{tenant}.mixpanel`.

    Args:
        tenant: The tenant's namespace with its underscore, such as `_acmeretail`.
    """
    mixpanel = struct(
        {
            "eventName": string(),
            "distinctId": string(),
            "insertId": string(),
            "deviceId": string(),
            "userId": string(),
            "import": boolean(),
            "apiEndpoint": string(),
            "apiTimestampMs": long(),
            "processingTimeMs": long(),
            "properties": _properties(),
            "otherProperties": map_of(string()),
        }
    )
    own = {tenant: struct({"mixpanel": mixpanel})}
    return event_schema(MIXPANEL_DATASET, standard_groups(), own)


def adobe_source_schema(tenant: str) -> JsonObject:
    """The eleven fields of Adobe's own Mixpanel source, under the tenant.

    Source: AdobeDocs/experience-platform.en `help/sources/tutorials/api/create/analytics/
    mixpanel.md`.
    """
    fields = struct(
        {
            "distinct_id": string(),
            "event_name": string(),
            "import": boolean(),
            "insert_id": string(),
            "item_id": string(),
            "item_name": string(),
            "item_price": string(),
            "mp_api_endpoint": string(),
            "mp_api_timestamp_ms": long(),
            "mp_processing_time_ms": long(),
            "time": date_time(),
        }
    )
    return event_schema(ADOBE_SOURCE_DATASET, {tenant: fields})


def orders_schema(tenant: str) -> JsonObject:
    """A stream that has nothing to do with Mixpanel."""
    line = struct({"sku": string(), "price": number(), "qty": integer()})
    orders = struct(
        {
            "id": string(),
            "total": number(),
            "placedAt": date_time(),
            "lines": array_of(line),
        }
    )
    return event_schema(ORDERS_DATASET, {tenant: struct({"orders": orders})})


def _properties() -> JsonObject:
    item = struct({"sku": string(), "name": string(), "price": number(), "quantity": integer()})
    place = struct({"lat": number(), "lon": number()})
    return struct(
        {
            "plan": string(),
            "item_id": string(),
            "item_name": string(),
            "item_price": number(),
            "quantity": integer(),
            "cart_value": number(),
            "currency": string(),
            "is_member": boolean(),
            "items": array_of(item),
            "tags": array_of(string()),
            "address": struct({"street": string(), "zip": string(), "geo": place}),
            "note": string(),
            "city": string(),
            "sourceAmount": number(),
            "Plan_Name": string(),
            "referring_domain": string(),
        }
    )
