"""The SDK's standard tests of a target, on the local destination."""

from __future__ import annotations

import pytest
from singer_sdk.testing import get_target_test_class
from target_aep.target import TargetAEP

MAPPING = [
    {"sourceType": "ATTRIBUTE", "source": name, "destination": f"_tenant.{name}"}
    for name in ("id", "Id", "metric", "fruits", "name", "info", "_id", "d", "e")
]
CONFIG = {"destination": "local", "mapping": MAPPING}

StandardTests = get_target_test_class(TargetAEP, config=CONFIG)


class TestTargetAEP(StandardTests):
    @pytest.fixture(scope="class")
    @classmethod
    def resource(cls):
        return None

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
