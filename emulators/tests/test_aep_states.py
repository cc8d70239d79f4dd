"""Whatever a client does in whatever order: the dataset holds the rows of its good batches."""

from __future__ import annotations

import contextlib

from emulators.aep import AepEmulator, Promotion
from emulators.aep.creation import BatchFactory
from emulators.aep.errors import ApiError
from emulators.aep.gateway import Caller
from emulators.aep.model import StoredFile
from emulators.aep.testing import ManualClock
from emulators.aep.xdm_schema import event_schema
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

ROWS = b'{"_id": "a", "timestamp": "2022-05-18T05:05:48Z"}\n{"_id": "b"}\n'
ALLOWED = {
    "loading": {"COMPLETE", "ABORT", "FAIL"},
    "walking": {"COMPLETE"},
    "success": {"COMPLETE", "REVERT"},
    "failed": {"COMPLETE", "FAIL"},
    "aborted": {"ABORT"},
    "abandoned": set(),
    "inactive": {"REVERT"},
}


class BatchLife(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.clock = ManualClock()
        promotion = Promotion(seconds_per_status=100, abandon_seconds=1000)
        self.emulator = AepEmulator(promotion=promotion, now=self.clock)
        self.lifecycle = self.emulator.lifecycle
        self.lake = self.emulator._lake
        schema = self.emulator.provisioning.add_schema(event_schema("events"))
        self.dataset = self.emulator.provisioning.add_dataset("events", schema.id).id
        self.factory = BatchFactory(self.lake, "org", ["partialIngestionPercent"], self.clock)
        self.batches = []

    def state(self, batch):
        shown = self.lifecycle.status(batch)
        return "walking" if shown in ("loaded", "staging") else shown

    @rule(percent=st.sampled_from([0, 50]), replaces=st.integers(0, 3))
    def create(self, percent, replaces):
        body = {
            "datasetId": self.dataset,
            "inputFormat": {"format": "json"},
            "partialIngestionPercent": percent,
        }
        if replaces < len(self.batches):
            body["replay"] = {"predecessors": [self.batches[replaces].id]}
        batch = self.factory.create(body, Caller("client", "prod"))
        folder = self.lake.files_folder(batch.id)
        folder.mkdir()
        (folder / "rows").write_bytes(ROWS)
        batch.files["rows.json"] = StoredFile("rows", len(ROWS))
        self.batches.append(batch)

    @rule(which=st.integers(0, 5), action=st.sampled_from(["COMPLETE", "ABORT", "FAIL", "REVERT"]))
    def act(self, which, action):
        if which >= len(self.batches):
            return
        batch = self.batches[which]
        before = self.state(batch)
        refused = True
        with contextlib.suppress(ApiError):
            if action == "COMPLETE":
                self.lifecycle.complete(batch, [])
            else:
                getattr(self.lifecycle, action.lower())(batch)
            refused = False
        assert refused == (action not in ALLOWED[before])

    @rule(which=st.integers(0, 5))
    def poll(self, which):
        if which < len(self.batches):
            self.lifecycle.status(self.batches[which], poll=True)

    @rule(seconds=st.sampled_from([1, 100, 1001]))
    def wait(self, seconds):
        self.clock.time += seconds

    @invariant()
    def the_dataset_holds_the_rows_of_successful_batches(self):
        for batch in self.batches:
            self.lifecycle.status(batch)
        successful = [batch for batch in self.batches if batch.state == "success"]
        assert all(batch.allowed_percent == 50 for batch in successful)
        rows = list(self.emulator.inspection.rows(self.dataset))
        assert [row["_id"] for row in rows] == ["a"] * len(successful)


BatchLife.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestBatchLife = BatchLife.TestCase
