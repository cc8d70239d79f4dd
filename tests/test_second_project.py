"""From an empty sandbox to two Mixpanel projects in one dataset, whose schema grows with them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from emulators.aep import AepEmulator, Promotion
from emulators.mixpanel import NO_LIMITS, MixpanelEmulator, Project
from pair import Pair

FIRST, SECOND = 7, 8
TENANT = "_acmeretail"


def exported(number, **properties):
    """An event of yesterday, as Mixpanel holds it."""
    moment = datetime.now(timezone.utc) - timedelta(days=1, minutes=number)
    milliseconds = int(moment.timestamp() * 1000)
    return {
        "event": "Opened",
        "properties": {
            "time": milliseconds,
            "distinct_id": f"user-{number}",
            "$insert_id": f"insert-{number}",
            "mp_processing_time_ms": milliseconds + 1000,
            **properties,
        },
    }


@pytest.fixture
def pair(tmp_path, serve):
    projects = [Project(number, service_accounts={"robot": "secret"}) for number in (FIRST, SECOND)]
    mixpanel = MixpanelEmulator(tmp_path / "mixpanel", projects=projects, limits=NO_LIMITS)
    aep = AepEmulator(tmp_path / "aep", promotion=Promotion(statuses=()))
    url, aep_url = serve(mixpanel), serve(aep)
    start = (datetime.now(timezone.utc) - timedelta(days=2)).date().isoformat()
    tap = {
        "service_account_username": "robot",
        "service_account_secret": "secret",
        "project_id": FIRST,
        "api_url": url,
        "app_url": url,
        "start_date": start,
        "settle_minutes": 0,
        "state_dir": str(tmp_path / "tap"),
    }
    target = {
        "client_id": "emulator-client",
        "client_secret": "emulator-secret",
        "org_id": aep.org,
        "ims_url": aep_url,
        "platform_url": aep_url,
        "dataset_name": "Mixpanel events",
        "dead_letter_path": str(tmp_path / "dead-letters"),
        "run_summary_path": str(tmp_path / "run-summary.json"),
    }
    yield Pair(tmp_path, mixpanel, aep, tap, target)
    aep.close()


def command(pair, name, *options, **settings):
    """Run a command of the target on what the tap sends."""
    tap, target = pair.arguments(**settings)
    from_tap = shlex.join([sys.executable, "-m", "tap_mixpanel_export", *tap])
    arguments = [name, *target, "--from-tap", from_tap, *options]
    return subprocess.run(
        [sys.executable, "-m", "target_aep", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def rows_of(pair):
    (dataset,) = pair.aep.resources.listing()["datasets"]
    rows = pair.aep.inspection.rows(dataset["id"])
    return {row["identityMap"]["MixpanelDistinctID"][0]["id"]: row for row in rows}


def placed(row):
    own = row[TENANT]["mixpanel"]
    return own.get("properties", {}), own.get("otherProperties", {})


def property_types(pair):
    (schema,) = pair.aep.resources.listing()["schemas"]
    own = schema["properties"][TENANT]["properties"]["mixpanel"]["properties"]
    return {name: node["type"] for name, node in own["properties"]["properties"].items()}


def test_a_second_project_with_other_types_makes_the_schema_grow(pair):
    pair.mixpanel.add_events(FIRST, [exported(1, plan="gold", price=3), exported(2, price=4)])
    made = command(pair, "provision", "--profile", "--yes")
    assert made.returncode == 0, made.stderr
    first = pair.run()
    assert (first.tap, first.target) == (0, 0), first.log
    assert placed(rows_of(pair)["user-1"]) == ({"plan": "gold", "price": 3}, {})
    before = property_types(pair)
    assert before == {"plan": "string", "price": "integer"}

    pair.mixpanel.add_events(SECOND, [exported(3, plan=7, price="a lot", colour="red")])
    pair.tap_config["project_id"] = SECOND
    second = pair.run(schema_evolution="apply")
    assert (second.tap, second.target) == (0, 0), second.log
    # Too new for ingestion to know them: the values of this run are in the map, as text.
    assert placed(rows_of(pair)["user-3"]) == ({"plan": "7"}, {"price": "a lot", "colour": "red"})
    after = property_types(pair)
    assert {name: after[name] for name in before} == before
    assert sorted(after[name] for name in after.keys() - before) == ["string", "string"]
    assert "colour" in after

    again = command(pair, "plan", "--profile")
    assert again.returncode == 0
    assert "Plan: 0 to create, 0 to change" in again.stdout

    breaking = {
        "name": "orders",
        "mappings": [
            {"sourceType": "ATTRIBUTE", "source": "event_id", "destination": "_id"},
            {"sourceType": "ATTRIBUTE", "source": "time", "destination": "timestamp"},
            {
                "sourceType": "ATTRIBUTE",
                "source": "properties",
                "destination": "_${TENANT_ID}.mixpanel.eventName",
            },
        ],
    }
    refused = command(pair, "provision", mapping=breaking)
    assert refused.returncode == 1
    assert f"{TENANT}.mixpanel.eventName is string in the schema, and the mapping gives object" in (
        refused.stdout
    )
    assert "proposal: map to a new field" in refused.stdout
