"""`target-aep check` within a test's process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from emulators.aep.demo import mixpanel_schema
from werkzeug.wrappers import Response

CATALOG = "/data/foundation/catalog"
REGISTRY = "/data/foundation/schemaregistry"
NAMESPACES = "/data/core/idnamespace/identities"
REST = ("dataset", "schema", "mapping", "identity", "namespace", "limits")
"""What is looked at after token, headers, sandbox and permissions."""


class Lines(list[tuple[str, str, str]]):
    """Findings as `(level, topic, text)`."""

    def of(self, topic: str) -> list[tuple[str, str]]:
        return [(level, text) for level, each, text in self if each == topic]

    def levels(self, *topics: str) -> set[str]:
        return {level for level, topic, _ in self if topic in topics}

    def failures(self) -> list[tuple[str, str]]:
        return [(topic, text) for level, topic, text in self if level == "FAIL"]


@dataclass
class Check:
    """Runs the command with a sandbox's settings; it must change nothing.

    Attributes:
        sandbox: The sandbox.
        run: What `make_runner` gives.
        posts: How many calls of the test itself have changed something.
    """

    sandbox: Any
    run: Any
    posts: int = field(default=0)

    def __call__(self, *args: str, **settings: Any) -> Lines:
        """The findings with some settings changed, None taking one away."""
        config = {**self.sandbox.config, **settings}
        given = {key: value for key, value in config.items() if value is not None}
        result = self.run("check", *args, config=given)
        lines = Lines(
            (line[:4].strip(), line[6:21].strip(), line[23:]) for line in result.lines[:-1]
        )
        assert result.status == bool(lines.failures())
        assert self.sandbox.calls("POST", "/data/") == self.posts
        assert self.sandbox.calls("PATCH", "/data/") == 0
        return lines


def refuse(sandbox: Any, *prefixes: str, status: int = 403, body: Any = None) -> None:
    """Let calls under some paths be refused."""

    def alter(request: Any, ask: Any) -> Any:
        if request.path.startswith(prefixes):
            return Response(json.dumps(body or {}), status=status)
        return ask()

    sandbox.front.alter = alter


def gateway(code: str) -> dict[str, str]:
    return {"error_code": code, "message": "no"}


def make_namespaces(check: Check, client: Any) -> None:
    """Those of the settings' default."""
    for code in ("MixpanelDistinctID", "MixpanelUserID", "MixpanelDeviceID"):
        body = {"name": code, "code": code, "idType": "CROSS_DEVICE"}
        client.call("POST", NAMESPACES, json=body).raise_for_status()
        check.posts += 1


def orders(sandbox: Any, name: str, **dataset: Any) -> str:
    """A dataset of orders, in a sandbox with the demo's."""
    schema = sandbox.emulator.provisioning.add_schema(
        {**mixpanel_schema("_acmeretail"), "title": name}
    )
    return str(sandbox.emulator.provisioning.add_dataset(name, schema.id, **dataset).id)
