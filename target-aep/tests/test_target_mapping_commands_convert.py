"""`target-aep mapping convert`: any generation and spelling as the current one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preview_running import make_runner
from target_aep.mapping.generations import parse_mapping_set
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping_tools.conversion import convert

OLDEST = {
    "id": None,
    "version": 0,
    "xdmSchema": "_acme.schemas.0123abcd",
    "xdmVersion": "1.0",
    "transformScript": "",
    "mappings": [
        {
            "sourceAttribute": "email",
            "destinationXdmPath": "personalEmail.address",
            "identity": True,
            "identityGroup": None,
            "namespaceCode": None,
            "version": 0,
        }
    ],
}
FULL = "application/vnd.adobe.xed-full+json;version=1"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys, caplog):
    return make_runner(tmp_path, monkeypatch, capsys, caplog)


def test_the_oldest_generation_becomes_the_current_one():
    assert convert(OLDEST, "old") == {
        "version": 0,
        "outputSchema": {
            "schemaRef": {"id": "https://ns.adobe.com/acme/schemas/0123abcd", "contentType": FULL}
        },
        "mappings": [
            {
                "sourceType": "ATTRIBUTE",
                "source": "email",
                "sourceAttribute": "email",
                "destination": "personalEmail.address",
                "destinationXdmPath": "personalEmail.address",
                "identity": True,
                "version": 0,
            }
        ],
    }


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"sourceType": "text/x.aep-xl", "sourceExpression": "f(a)"}, ("EXPRESSION", "f(a)")),
        ({"sourceType": "text/x.schema-path", "source": "a"}, ("ATTRIBUTE", "a")),
        ({"sourceType": "text/plain", "source": "a"}, ("STATIC", "a")),
        ({"sourceType": "expression", "source": "a", "sourceAttribute": "b"}, ("EXPRESSION", "a")),
    ],
)
def test_every_spelling_becomes_the_one_that_can_be_posted(entry, expected):
    (found,) = convert([{**entry, "destination": "x"}], "set")["mappings"]
    assert (found["sourceType"], found["source"]) == expected
    assert found["sourceAttribute"] == found["source"]
    assert "sourceExpression" not in found


@pytest.mark.parametrize(
    ("document", "identifier", "content_type"),
    [
        ({"xdmSchema": "https://ns.adobe.com/xdm/x"}, "https://ns.adobe.com/xdm/x", FULL),
        ({"schemaRef": {"id": "u", "contentType": "1.0"}}, "u", FULL),
        ({"outputSchema": {"schemaRef": {"id": "u", "contentType": "c/d"}}}, "u", "c/d"),
        ({"xdmSchema": "x", "outputSchema": {"schemaRef": {"id": "u"}}}, "u", FULL),
    ],
)
def test_the_schema_is_named_once(document, identifier, content_type):
    converted = convert({**document, "mappings": OLDEST["mappings"]}, "set")
    assert converted["outputSchema"]["schemaRef"] == {
        "id": identifier,
        "contentType": content_type,
    }
    assert not converted.keys() & {"xdmSchema", "schemaRef", "xdmVersion"}


@pytest.mark.parametrize("name", ["mixpanel", "adobe-source"])
def test_what_this_package_adds_stays(command, tmp_path, name):
    shown = json.loads(command("mapping", "show", name).out)
    (tmp_path / "set.json").write_text(json.dumps(shown), "utf-8")
    result = command("mapping", "convert", "set.json", "-o", "out.json")
    assert (result.status, result.out) == (0, "")
    found, built_in = load_mapping_set(str(tmp_path / "out.json")), load_mapping_set(name)
    assert found.mappings == built_in.mappings
    assert found.remainder == built_in.remainder
    assert found.missing_fields == built_in.missing_fields
    assert found.identities == built_in.identities


texts = st.text(max_size=5)
entries = st.fixed_dictionaries(
    {"destination": texts},
    optional={
        "sourceType": st.sampled_from(["ATTRIBUTE", "Static", "text/x.aep-xl", "text/plain", None]),
        "sourceExpression": texts,
        "sourceAttribute": texts,
        "destinationXdmPath": texts,
        "identity": st.booleans(),
        "namespaceCode": st.none() | texts,
        "replaces": st.booleans(),
    },
).flatmap(lambda entry: texts.map(lambda source: {**entry, "source": source}))
documents = st.fixed_dictionaries(
    {"mappings": st.lists(entries, min_size=1, max_size=3)},
    optional={
        "id": st.none() | texts,
        "version": st.none() | st.integers(0, 9) | texts,
        "name": texts,
        "xdmSchema": texts | st.just("_a.schemas.b1"),
        "xdmVersion": st.sampled_from(["1.0", "2", None]),
        "schemaRef": st.fixed_dictionaries({"id": texts}),
        "outputSchema": st.none() | st.fixed_dictionaries({"id": texts}),
        "missingFields": st.sampled_from(["error", "leave_out"]),
        "transformScript": texts,
        "other": texts,
    },
)
wrapped = (
    documents
    | documents.map(lambda each: {"data": [each]})
    | documents.map(lambda each: each["mappings"])
)


@given(wrapped)
def test_converting_twice_is_converting_once_and_means_the_same(document):
    once = convert(document, "set")
    assert convert(once, "set") == once
    assert json.loads(json.dumps(once)) == once
    assert parse_mapping_set(once, "set").mappings == parse_mapping_set(document, "set").mappings


def test_it_goes_to_stdout_without_an_output(command, tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(OLDEST), "utf-8")
    result = command("mapping", "convert", "old.json")
    assert result.status == 0
    assert json.loads(result.out) == convert(OLDEST, "old.json")


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        (None, ["can't read the file set.json: No such file or directory"]),
        ("{", ["the file set.json is not JSON"]),
        ("[]", ["mapping set set.json: expected an object with a non-empty list"]),
        (
            '[{"source": "a"}, {"sourceType": "x", "source": "b", "destination": "c"}]',
            ["mapping 1: 'destination' is missing", "mapping 2: unknown sourceType 'x'"],
        ),
    ],
)
def test_what_is_no_mapping_set_is_told(command, tmp_path, text, complaints):
    if text is not None:
        (tmp_path / "set.json").write_text(text, "utf-8")
    result = command("mapping", "convert", "set.json")
    assert (result.status, result.out) == (1, "")
    for complaint in complaints:
        assert complaint in result.log


def test_an_output_that_can_not_be_written_is_told(command, tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(OLDEST), "utf-8")
    result = command("mapping", "convert", "old.json", "-o", "none/out.json")
    assert result.status == 1
    assert "can't write none/out.json: No such file or directory" in result.log
