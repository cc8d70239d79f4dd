"""Answers in the shapes of Adobe's OpenAPI files.

The shapes below are condensed by hand from AdobeDocs/experience-platform-apis
`static/swagger-specs/{schema-registry,identity-service,catalog,flow-service}.yaml` (commit
16c60cd7): the attributes that an answer always has, and their types. Where the environment variable
`OPENAPI_SPECS` names a folder with the files themselves (and adobe/xdm's fields as
`xdm-experienceevent.json`), answers are validated against them, too.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from emulators.aep import AepEmulator
from emulators.aep.testing import AepClient, field_group_body, schema_body
from emulators.aep.xdm_schema import EXPERIENCE_EVENT
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

REGISTRY = "/data/foundation/schemaregistry"
CATALOG = "/data/foundation/catalog"
CORE = "/data/core"
FLOW = "/data/foundation/flowservice"
ADD_UNION = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]
PLAIN = {"Accept": "application/vnd.adobe.xed+json; version=1"}
IDS = {"Accept": "application/vnd.adobe.xed-id+json"}
FULL_LIST = {"Accept": "application/vnd.adobe.xed+json"}

LINK = (str, type(None))
PAGE = {"results": [], "_page": {"orderby": str, "next": LINK, "count": int}, "_links": {}}
SUMMARY = {"$id": str, "meta:altId": str, "version": str, "title": str}
RESOURCE = {
    **SUMMARY,
    "meta:resourceType": str,
    "type": str,
    "allOf": [{"$ref": str}],
    "imsOrg": str,
    "meta:extensible": bool,
    "meta:abstract": bool,
    "meta:xdmType": str,
    "meta:registryMetadata": {
        "repo:createdDate": int,
        "repo:lastModifiedDate": int,
        "xdm:createdClientId": str,
        "xdm:lastModifiedClientId": str,
        "xdm:createdUserId": str,
        "xdm:lastModifiedUserId": str,
        "eTag": str,
    },
    "meta:containerId": str,
    "meta:tenantNamespace": str,
}
GROUP = {**RESOURCE, "definitions": {}, "meta:intendedToExtend": [str]}
SCHEMA = {**RESOURCE, "meta:class": str, "meta:extends": [str]}
DESCRIPTOR = {
    "@id": str,
    "@type": str,
    "xdm:sourceSchema": str,
    "xdm:sourceVersion": int,
    "xdm:sourceProperty": str,
    "imsOrg": str,
    "version": str,
    "xdm:namespace": str,
    "xdm:property": str,
    "xdm:isPrimary": bool,
    "meta:containerId": str,
    "meta:sandboxId": str,
    "meta:sandboxType": str,
}
REGISTRY_ERROR = {
    "type": str,
    "title": str,
    "status": int,
    "report": {
        "registryRequestId": str,
        "timestamp": str,
        "detailed-message": str,
        "sub-errors": [],
    },
    "detail": str,
}
NAMESPACE = {
    "updateTime": int,
    "code": str,
    "status": str,
    "createTime": int,
    "description": str,
    "idType": str,
    "name": str,
    "id": int,
    "custom": bool,
}
NAMESPACE_ERROR = {
    "timestamp": str,
    "type": str,
    "status": int,
    "title": str,
    "description": str,
    "report": {"code": str},
}
CONNECTION = {
    "id": str,
    "createdAt": int,
    "updatedAt": int,
    "name": str,
    "connectionSpec": {"id": str, "version": str},
    "state": str,
    "auth": {"specName": str, "params": {"inletUrl": str, "inletId": str}},
    "version": str,
    "etag": str,
}
STATS = {
    "imsOrg": str,
    "tenantId": str,
    "counts": {"schemas": int, "mixins": int, "datatypes": int, "classes": int, "unions": int},
    "recentlyCreatedResources": [SUMMARY],
    "recentlyUpdatedResources": [],
    "classUsage": [],
}
SHAPES = {
    "GET /stats": STATS,
    "POST /tenant/fieldgroups": GROUP,
    "GET /{CONTAINER_ID}/fieldgroups": {**PAGE, "results": [SUMMARY]},
    "GET /{CONTAINER_ID}/fieldgroups/{FIELD_GROUP_ID}": GROUP,
    "PATCH /tenant/fieldgroups/{FIELD_GROUP_ID}": GROUP,
    "PUT /tenant/fieldgroups/{FIELD_GROUP_ID}": GROUP,
    "GET /{CONTAINER_ID}/mixins": {**PAGE, "results": [GROUP]},
    "POST /tenant/schemas": SCHEMA,
    "GET /{CONTAINER_ID}/schemas": {**PAGE, "results": [SCHEMA]},
    "GET /{CONTAINER_ID}/schemas/{SCHEMA_ID}": SCHEMA,
    "PATCH /tenant/schemas/{SCHEMA_ID}": {**SCHEMA, "meta:immutableTags": [str]},
    "PUT /tenant/schemas/{SCHEMA_ID}": SCHEMA,
    "GET /{CONTAINER_ID}/classes": {**PAGE, "results": [SUMMARY]},
    "POST /tenant/descriptors": DESCRIPTOR,
    "GET /{CONTAINER_ID}/descriptors": {"xdm:descriptorIdentity": [DESCRIPTOR]},
    "GET /{CONTAINER_ID}/descriptors/{DESCRIPTOR_ID}": DESCRIPTOR,
    "PUT /tenant/descriptors/{DESCRIPTOR_ID}": DESCRIPTOR,
    "GET /tenant/unions": {**PAGE, "results": [SUMMARY]},
    "GET /idnamespace/identities": [NAMESPACE],
    "POST /idnamespace/identities": NAMESPACE,
    "GET /idnamespace/identities/{ID}": NAMESPACE,
    "PUT /idnamespace/identities/{ID}": [NAMESPACE],
    "POST /dataSets": [str],
    "PATCH /dataSets/{DATASET_ID}": [str],
    "PATCH /v2/dataSets/{DATASET_ID}": [str],
    "GET /connections": {"items": [CONNECTION]},
    "GET /connections/{BASE_CONNECTION_ID}": {"items": [CONNECTION]},
    "400 GET /{CONTAINER_ID}/fieldgroups": REGISTRY_ERROR,
    "400 GET /{CONTAINER_ID}/fieldgroups/{FIELD_GROUP_ID}": REGISTRY_ERROR,
    "400 GET /{CONTAINER_ID}/descriptors": REGISTRY_ERROR,
    "400 POST /tenant/fieldgroups": REGISTRY_ERROR,
    "400 POST /idnamespace/identities": NAMESPACE_ERROR,
    "409 POST /idnamespace/identities": NAMESPACE_ERROR,
    "404 GET /idnamespace/identities/{ID}": NAMESPACE_ERROR,
}

UNSOUND = {
    # The last page has null, as the file's own text and examples say.
    "_page.next: None is not of type 'string'",
    "_links.next: None is not of type 'string'",
    # The file's own examples are numbers.
    "xdm:sourceVersion: 1 is not of type 'string'",
    # The enum has one spelling here and another for lists; the description of errors a third.
    "idType: 'CROSS_DEVICE' is not one of",
    "idType: 'EMAIL' is not one of",
    "idType: 'PHONE' is not one of",
    "idType: 'DEVICE' is not one of",
}
"""Where the official files contradict themselves: beginnings of what is found against them."""


class Conversation:
    """Goes through the calls once and keeps the answers, those of a refusal with its status."""

    def __init__(self, client, emulator):
        self.client = client
        self.answers = {}
        self._registry()
        self._namespaces()
        self._catalog()
        made = emulator.connections.add_streaming("x", "https://dcs.adobedc.net/collection/0")
        self.call(FLOW, "GET /connections")
        self.call(FLOW, "GET /connections/{BASE_CONNECTION_ID}", made["id"])

    def call(self, prefix, name, *identifiers, status=None, container="tenant", **kwargs):
        method, template = name.split(" ")
        path = template.replace("{CONTAINER_ID}", container)
        for identifier in identifiers:
            start, end = path.index("{"), path.index("}")
            path = path[:start] + str(identifier) + path[end + 1 :]
        answer = self.client.call(method, prefix + path, **kwargs)
        assert answer.status_code == (status or answer.status_code)
        assert status or answer.ok, answer.text
        key = f"{status} {name}" if status else name
        self.answers[key] = (prefix, answer.status_code, answer.json())
        return answer.json()

    def _registry(self):
        fields = {"id": {"type": "string"}}
        body = field_group_body("Group", fields)
        group = self.call(REGISTRY, "POST /tenant/fieldgroups", json=body)["meta:altId"]
        one = "/{CONTAINER_ID}/fieldgroups/{FIELD_GROUP_ID}"
        own = "/tenant/fieldgroups/{FIELD_GROUP_ID}"
        groups = "GET /{CONTAINER_ID}/fieldgroups"
        self.call(REGISTRY, groups, headers=IDS)
        self.call(REGISTRY, groups, status=400, headers=PLAIN)
        self.call(REGISTRY, f"GET {one}", group, headers=PLAIN)
        self.call(REGISTRY, f"GET {one}", group, status=400, headers=FULL_LIST)
        self.call(REGISTRY, "POST /tenant/fieldgroups", status=400, json={})
        self.call(REGISTRY, f"PATCH {own}", group, json=[])
        self.call(REGISTRY, f"PUT {own}", group, json=body)
        group_id = self.call(REGISTRY, "GET /{CONTAINER_ID}/mixins", headers=FULL_LIST)
        group_id = group_id["results"][0]["$id"]
        wanted = schema_body("Schema", group_id)
        schema = self.call(REGISTRY, "POST /tenant/schemas", json=wanted)
        name = schema["meta:altId"]
        self.call(REGISTRY, "GET /{CONTAINER_ID}/schemas", headers=FULL_LIST)
        self.call(REGISTRY, "GET /{CONTAINER_ID}/schemas/{SCHEMA_ID}", name, headers=PLAIN)
        self.call(REGISTRY, "PUT /tenant/schemas/{SCHEMA_ID}", name, json=wanted)
        self.call(REGISTRY, "GET /{CONTAINER_ID}/classes", headers=IDS, container="global")
        self._descriptors(schema)
        self.call(REGISTRY, "PATCH /tenant/schemas/{SCHEMA_ID}", name, json=ADD_UNION)
        self.call(REGISTRY, "GET /tenant/unions", headers=IDS)
        self.call(REGISTRY, "GET /stats")
        self.schema_id = schema["$id"]

    def _descriptors(self, schema):
        body = {
            "@type": "xdm:descriptorIdentity",
            "xdm:sourceSchema": schema["$id"],
            "xdm:sourceVersion": 1,
            "xdm:sourceProperty": "/_acmeretail/id",
            "xdm:namespace": "Email",
            "xdm:property": "xdm:code",
            "xdm:isPrimary": True,
        }
        made = self.call(REGISTRY, "POST /tenant/descriptors", json=body)["@id"]
        forms = {"Accept": "application/vnd.adobe.xdm+json"}
        self.call(REGISTRY, "GET /{CONTAINER_ID}/descriptors", headers=forms)
        self.call(REGISTRY, "GET /{CONTAINER_ID}/descriptors", status=400, headers=FULL_LIST)
        self.call(REGISTRY, "GET /{CONTAINER_ID}/descriptors/{DESCRIPTOR_ID}", made)
        self.call(REGISTRY, "PUT /tenant/descriptors/{DESCRIPTOR_ID}", made, json=body)

    def _namespaces(self):
        body = {"name": "Space", "code": "Space", "idType": "CROSS_DEVICE", "description": "d"}
        made = self.call(CORE, "POST /idnamespace/identities", json=body)["id"]
        self.call(CORE, "POST /idnamespace/identities", status=409, json=body)
        self.call(CORE, "POST /idnamespace/identities", status=400, json={})
        self.call(CORE, "GET /idnamespace/identities")
        self.call(CORE, "GET /idnamespace/identities/{ID}", made)
        self.call(CORE, "GET /idnamespace/identities/{ID}", 1, status=404)
        self.call(CORE, "PUT /idnamespace/identities/{ID}", made, json=body)

    def _catalog(self):
        content_type = "application/vnd.adobe.xed+json;version=1"
        reference = {"id": self.schema_id, "contentType": content_type}
        body = {"name": "Data", "schemaRef": reference}
        (made,) = self.call(CATALOG, "POST /dataSets", json=body)
        made = made.rpartition("/")[2]
        self.call(CATALOG, "PATCH /dataSets/{DATASET_ID}", made, json={"description": "x"})
        self.call(CATALOG, "PATCH /v2/dataSets/{DATASET_ID}", made, json={"description": "y"})
        self.call(CATALOG, "GET /dataSets")
        self.call(CATALOG, "GET /dataSets/{DATASET_ID}", made)


@pytest.fixture
def emulator():
    return AepEmulator()


@pytest.fixture
def conversation(serve, emulator):
    return Conversation(AepClient(serve(emulator), emulator), emulator)


def misfits(value, shape, path):
    """Where a value is not of its shape."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield path
            return
        for key, inner in shape.items():
            if key in value:
                yield from misfits(value[key], inner, f"{path}.{key}")
            else:
                yield f"{path}.{key} is missing"
    elif isinstance(shape, list):
        if not isinstance(value, list) or (shape and not value):
            yield path
            return
        for index, item in enumerate(value if shape else ()):
            yield from misfits(item, shape[0], f"{path}[{index}]")
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        yield f"{path}: {value!r}"


def test_answers_have_their_shapes(conversation):
    found = []
    for name, shape in SHAPES.items():
        found += misfits(conversation.answers[name][2], shape, name)
    assert found == []


@pytest.fixture
def specs():
    folder = os.environ.get("OPENAPI_SPECS")
    if not folder:
        pytest.skip("OPENAPI_SPECS doesn't name the folder of Adobe's OpenAPI files")
    return Path(folder)


FILES = {
    REGISTRY: "schema-registry",
    CATALOG: "catalog",
    CORE: "identity-service",
    FLOW: "flow-service",
}


def absolute(schema, uri):
    """The schema with its references leading into the document."""
    if isinstance(schema, list):
        return [absolute(item, uri) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: absolute(value, uri) for key, value in schema.items()}
    reference = changed.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        changed["$ref"] = uri + reference
    return changed


def official_schema(document, name, status):
    method, template = name.rpartition(" ")[0].split(" ")[-1], name.split(" ")[-1]
    responses = document["paths"][template][method.lower()]["responses"]
    response = {str(code): value for code, value in responses.items()}[str(status)]
    if "swagger" in document:
        return response.get("schema")
    return response.get("content", {}).get("application/json", {}).get("schema")


def test_answers_fit_the_official_files(conversation, specs):
    yaml = pytest.importorskip("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the fast one, where it was built
    loaded = {
        prefix: yaml.load((specs / f"{name}.yaml").read_text("utf-8"), loader)
        for prefix, name in FILES.items()
    }
    contents = [(prefix, DRAFT4.create_resource(text)) for prefix, text in loaded.items()]
    registry = Registry().with_resources(contents)
    found, checked = [], 0
    for name, (prefix, status, answer) in conversation.answers.items():
        schema = official_schema(loaded[prefix], name, status)
        if schema is None:
            continue
        checked += 1
        validator = Draft4Validator(absolute(schema, prefix), registry=registry)
        for error in validator.iter_errors(answer):
            text = f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
            if not any(unsound in text for unsound in UNSOUND):
                found.append(f"{name} {text[:300]}")
    assert found == []
    assert checked > len(SHAPES) // 2


def fields_of(field, types, path=""):
    """The fields of adobe/xdm's condensed form by path, with type, format and enum."""
    field = types[field["r"]] if "r" in field else field
    yield path, (field["t"], field.get("f"), field.get("e"))
    for name, inner in field.get("p", {}).items():
        yield from fields_of(inner, types, f"{path}/{name}")
    if "i" in field:
        yield from fields_of(field["i"], types, f"{path}[]")


def own_fields_of(field, path=""):
    """The same of the emulator's form."""
    kind = "map" if field["meta:xdmType"] == "map" else field["type"]
    yield path, (kind, field.get("format"), field.get("enum"))
    for name, inner in field.get("properties", {}).items():
        yield from own_fields_of(inner, f"{path}/{name}")
    for key in ("items", "additionalProperties"):
        if key in field:
            yield from own_fields_of(field[key], f"{path}[]")


def test_adobes_fields_are_adobes(specs, serve):
    official = json.loads((specs / "xdm-experienceevent.json").read_text("utf-8"))
    emulator = AepEmulator()
    client = AepClient(serve(emulator), emulator)
    form = "application/vnd.adobe.xed-full+json; version=1"
    found = []
    for entry in client.schema("global/fieldgroups", "application/vnd.adobe.xed-id+json").json()[
        "results"
    ]:
        group = official["groups"][entry["$id"]]
        assert entry["title"] == group["title"]
        full = client.schema(f"global/fieldgroups/{entry['meta:altId']}", form).json()
        known = dict(fields_of({"t": "object", "p": group["props"]}, official["types"]))
        found += [
            f"{entry['$id']} {path}: {mine}, not {known.get(path)}"
            for path, mine in own_fields_of(full)
            if known.get(path) != mine
        ]
    core = dict(fields_of({"t": "object", "p": official["core"]}, official["types"]))
    event = client.schema("global/classes/_xdm.context.experienceevent", form).json()
    assert event["$id"] == EXPERIENCE_EVENT
    found += [path for path, mine in own_fields_of(event) if core.get(path) != mine]
    assert found == []
