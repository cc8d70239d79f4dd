"""The tenant's fields whose type nothing in the sample tells."""

from __future__ import annotations

from target_aep.data_prep.policies import Policies
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.provisioning.tap_input import StreamSample
from target_aep.provisioning.tenant_fields import tenant_fields, untyped_columns

RECORD = {
    "event_id": "e1",
    "event_name": "Bought",
    "time": "2026-01-05T10:00:00Z",
    "import": None,
    "mp_api_timestamp_ms": None,
    "extra": None,
    "properties": {},
}
SAMPLE = StreamSample("events", {}, [RECORD])


def test_the_built_in_set_knows_its_columns():
    mapping_set = load_mapping_set("mixpanel").for_tenant("acme")
    fields = tenant_fields(SAMPLE, mapping_set, "acme", Policies())
    assert fields is not None
    types = {
        name: node["type"] for name, node in fields["properties"]["mixpanel"]["properties"].items()
    }
    assert types == {
        "eventName": "string",
        "distinctId": "string",
        "insertId": "string",
        "deviceId": "string",
        "userId": "string",
        "import": "boolean",
        "apiEndpoint": "string",
        "apiTimestampMs": "integer",
        "processingTimeMs": "integer",
    }
    assert untyped_columns(SAMPLE, mapping_set, Policies()) == []


def test_another_set_tells_what_it_takes_for_text():
    mapping_set = load_mapping_set(
        [
            {"source": "event_id", "destination": "_id"},
            {"source": "event_name", "destination": "_acme.name"},
            {"source": "extra", "destination": "_acme.extra"},
        ]
    )
    assert untyped_columns(SAMPLE, mapping_set, Policies()) == ["extra"]
    told = {"properties": {"extra": {"type": ["integer", "null"]}}}
    sample = StreamSample("events", told, [RECORD])
    assert untyped_columns(sample, mapping_set, Policies()) == []
    assert untyped_columns(StreamSample("events"), mapping_set, Policies()) == []
