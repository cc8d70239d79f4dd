"""The pair with Parquet over a bare pipe: every event once, whatever breaks on its way."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from emulators.faults import Fault
from emulators.generator import Quirks, generate
from pair import PROJECT_ID, make_pair


@pytest.fixture
def pair(tmp_path, serve):
    made = make_pair(tmp_path, serve)
    yield made
    made.aep.close()


def test_every_event_comes_once_through_parquet(pair):
    today = datetime.now(timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)
    past = today - timedelta(days=20)
    events = list(generate(7, 3, 400, now=past, quirks=Quirks(duplicates=0.0)))
    pair.mixpanel.add_events(PROJECT_ID, events)
    pair.tap_config["start_date"] = (past - timedelta(days=2)).date().isoformat()
    complete = {"method": "POST", "query": {"action": "COMPLETE"}}
    pair.aep.faults.add(Fault("reset", match=complete, after_effect=True))
    upload = {"method": "PUT", "path": "/data/foundation/import/batches/"}
    pair.aep.faults.add(Fault("reset", match=upload))

    finished = pair.run(file_format="parquet")
    assert (finished.tap, finished.target) == (0, 0), finished.log
    accounted = Counter(row["_id"] for row in pair.rows)
    accounted.update(letter["record"]["event_id"] for letter in pair.dead_letters)
    assert accounted.total() == len(events)
    assert set(accounted.values()) == {1}
    summary = pair.aep.inspection.summary(pair.target_config["dataset_id"])
    assert (summary["files"], summary["duplicates"]) == (1, 0)
    uploads = [entry.path for entry in pair.aep.requests.entries() if entry.method == "PUT"]
    assert all(path.endswith("/files/events-00001.parquet") for path in uploads)

    again = pair.run(finished.states[-1], file_format="parquet")
    assert (again.tap, again.target) == (0, 0), again.log
    assert len(pair.rows) + len(pair.dead_letters) == len(events)
