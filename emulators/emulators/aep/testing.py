"""A plain client for tests and benchmarks: the calls of a batch's life, nothing clever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests

from emulators.aep import catalog, data_access, ingestion, schema_registry
from emulators.aep.config import DEFAULT_SCOPES
from emulators.aep.ims import TOKEN_PATH
from emulators.aep.xdm_schema import EXPERIENCE_EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.aep.app import AepEmulator
    from emulators.aep.model import JsonObject

_TIMEOUT = 60.0


class ManualClock:
    """A clock for `AepEmulator(now=…)` that moves only when its `time` (epoch seconds) is set."""

    def __init__(self, time: float = 1_700_000_000.0) -> None:
        self.time = time

    def __call__(self) -> float:
        """The time that was set."""
        return self.time


class AepClient:
    """Calls a running emulator with its first credential and one token.

    Attributes:
        headers: Sent with every call; change them to be refused.
    """

    def __init__(self, url: str, emulator: AepEmulator, sandbox: str = "prod") -> None:
        """Mint a token."""
        self.url = url
        credential = next(iter(emulator.tokens.credentials.values()))
        form = {
            "grant_type": "client_credentials",
            "client_id": credential.client_id,
            "client_secret": credential.client_secrets[0],
            "scope": ",".join(sorted(DEFAULT_SCOPES)),
        }
        answer = requests.post(url + TOKEN_PATH, data=form, timeout=_TIMEOUT)
        self.headers = {
            "Authorization": f"Bearer {answer.json()['access_token']}",
            "x-api-key": credential.client_id,
            "x-gw-ims-org-id": emulator.org,
            "x-sandbox-name": sandbox,
        }

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """A request with the headers; `headers` adds to them."""
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return requests.request(
            method, self.url + path, headers=headers, timeout=_TIMEOUT, **kwargs
        )

    def create(self, dataset_id: str, **body: Any) -> requests.Response:
        """`POST /batches` for JSON lines; `body` adds to the request's body."""
        full = {"datasetId": dataset_id, "inputFormat": {"format": "json"}, **body}
        return self.call("POST", f"{ingestion.PREFIX}/batches", json=full)

    def file_path(self, batch_id: str, dataset_id: str, path: str) -> str:
        """The path of a file's URL."""
        return f"{ingestion.PREFIX}/batches/{batch_id}/datasets/{dataset_id}/files/{path}"

    def put(self, batch_id: str, dataset_id: str, path: str, content: bytes) -> requests.Response:
        """Upload a file."""
        return self.call(
            "PUT",
            self.file_path(batch_id, dataset_id, path),
            data=content,
            headers={"Content-Type": "application/octet-stream"},
        )

    def act(self, batch_id: str, action: str) -> requests.Response:
        """`POST /batches/{id}?action=…`."""
        path = f"{ingestion.PREFIX}/batches/{batch_id}"
        return self.call("POST", path, params={"action": action})

    def load(self, dataset_id: str, rows: Iterable[JsonObject | bytes], **body: Any) -> str:
        """Create a batch, upload rows (objects, or raw lines) as one file, complete it.

        Returns:
            The batch's id.
        """
        batch_id: str = self.create(dataset_id, **body).json()["id"]
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        self.put(batch_id, dataset_id, "rows.json", b"\n".join(lines)).raise_for_status()
        self.act(batch_id, "COMPLETE").raise_for_status()
        return batch_id

    def batch(self, batch_id: str) -> JsonObject:
        """One look at a batch in Catalog."""
        answer = self.call("GET", f"{catalog.PREFIX}/batches/{batch_id}")
        found: JsonObject = answer.json()[batch_id]
        return found

    def batches(self, **query: Any) -> dict[str, JsonObject]:
        """A list of batches from Catalog, by id."""
        answer = self.call("GET", f"{catalog.PREFIX}/batches", params=query)
        answer.raise_for_status()
        found: dict[str, JsonObject] = answer.json()
        return found

    def export(self, batch_id: str, what: str, **query: Any) -> requests.Response:
        """`GET /export/batches/{id}/{what}` (`meta` or `failed`)."""
        path = f"{data_access.PREFIX}/batches/{batch_id}/{what}"
        return self.call("GET", path, params=query)

    def schema(self, path: str, accept: str, **query: Any) -> requests.Response:
        """A Schema Registry read."""
        url = f"{schema_registry.PREFIX}/{path}"
        return self.call("GET", url, headers={"Accept": accept}, params=query)

    def registry(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A Schema Registry write, such as `POST` to `tenant/fieldgroups`."""
        return self.call(method, f"{schema_registry.PREFIX}/{path}", json=body)

    def full_schema(self, alt_id: str) -> JsonObject:
        """A schema with all its fields."""
        form = "application/vnd.adobe.xed-full+json; version=1"
        answer = self.schema(f"tenant/schemas/{alt_id}", form)
        answer.raise_for_status()
        found: JsonObject = answer.json()
        return found


def field_group_body(title: str, properties: JsonObject, tenant: str = "acmeretail") -> JsonObject:
    """What makes a field group for ExperienceEvents, as the documentation shows it."""
    own = {f"_{tenant}": {"type": "object", "properties": properties}}
    return {
        "title": title,
        "description": f"Fields of {title}",
        "type": "object",
        "meta:intendedToExtend": [EXPERIENCE_EVENT],
        "definitions": {"own": {"properties": own}},
        "allOf": [{"$ref": "#/definitions/own"}],
    }


def schema_body(title: str, *group_ids: str) -> JsonObject:
    """What makes a schema of class ExperienceEvent."""
    return {
        "title": title,
        "type": "object",
        "allOf": [{"$ref": identifier} for identifier in (EXPERIENCE_EVENT, *group_ids)],
    }
