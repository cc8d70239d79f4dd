"""The settings `mapping`, `mappings` and `variables`, as far as no request is needed."""

from __future__ import annotations

import json

import pytest
from target_aep.api.mapping_sets import fetch_mapping_set
from target_aep.config_schema import CONFIG_SCHEMA
from target_aep.data_prep.policies import Policies
from target_aep.errors import MappingSetError, PlatformError
from target_aep.mapping.choice import MappingReference, choose_mappings
from target_aep.mapping.generations import parse_mapping_set
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.model import MappingMistakesError
from target_aep.settings import parse_settings

ONE = [{"source": "a", "destination": "b"}]
DEFAULTS = {
    name: setting["default"]
    for name, setting in CONFIG_SCHEMA["properties"].items()
    if "default" in setting
}


def choose(**config):
    return choose_mappings({"mapping": "mixpanel", **config}, Policies())


def settings(**config):
    found, errors = parse_settings({**DEFAULTS, "destination": "local", **config})
    assert errors == []
    return found


def fetch_nothing(_reference):
    raise AssertionError


@pytest.mark.parametrize(
    "setting", [{"id": "x"}, {"id": " x ", "version": 3}, '{"id": "x", "version": 3}']
)
def test_a_set_may_be_named_by_its_id(setting):
    choice = choose(mapping=setting)
    assert choice.needs_platform
    fetched = []

    def fetch(reference):
        fetched.append(reference)
        return parse_mapping_set(ONE, "x")

    assert choice.of("events", fetch) is choice.of("users", fetch)
    assert fetched == [MappingReference("x", 3 if "version" in setting else None)]


def test_an_exported_set_tells_its_id_and_is_not_fetched():
    choice = choose(mapping={"id": "x", "version": 0, "mappings": ONE})
    assert not choice.needs_platform
    assert choice.of("events", fetch_nothing).mappings


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"mapping": {"id": 5}}, "mapping: 'id' must be the id of a mapping set, as a text"),
        ({"mapping": {"id": ""}}, "mapping: 'id' must be the id"),
        ({"mapping": {"id": "x", "version": "1"}}, "mapping: 'version' must be a whole number"),
        ({"mapping": {"id": "x", "version": True}}, "mapping: 'version' must be a whole number"),
        ({"mapping": {"id": "x", "vers": 1}}, "mapping: 'vers' is unknown beside 'id'"),
        ({"mappings": {"users": "none.json"}}, "mappings.users: can't read the file none.json"),
        ({"mappings": {"users": []}}, "mappings.users: mapping set inline: expected"),
        ({"mappings": {"users": [{}]}}, "mappings.users: mapping set inline, mapping 1: 'source'"),
    ],
)
def test_a_mistake_names_its_setting(config, complaint):
    with pytest.raises(MappingMistakesError) as refusal:
        choose(**config)
    (line,) = refusal.value.complaints
    assert line.startswith(complaint)


def test_mistakes_of_all_sets_are_told_at_once():
    bad = [{"source": "a[", "destination": "b"}, {"source": "a", "destination": "b["}]
    with pytest.raises(MappingMistakesError) as refusal:
        choose(mapping=bad, mappings={"users": bad})
    assert [line.split(":")[0] for line in refusal.value.complaints] == [
        *["mapping"] * 2,
        *["mappings.users"] * 2,
    ]


def test_each_stream_has_its_set_and_its_identities():
    found = settings(mappings={"users": ONE, "events": "mixpanel"}, mapping=ONE)
    assert found.mappings.of("users", fetch_nothing).name == "inline"
    assert found.mappings.of("events", fetch_nothing).name == "mixpanel"
    assert found.mappings.of("others", fetch_nothing).name == "inline"
    assert [each.namespace for each in found.identities_of("events")] == [
        "MixpanelDistinctID", "MixpanelUserID", "MixpanelDeviceID",
    ]  # fmt: skip
    assert found.identities_of("users") == found.identities_of("others") == ()


def test_the_setting_of_identities_counts_for_all_streams():
    found = settings(identities=[{"field": "a", "namespace": "N"}], mappings={"users": ONE})
    assert [each.namespace for each in found.identities_of("users")] == ["N"]
    assert [each.namespace for each in found.identities_of("events")] == ["N"]


def test_variables_and_policies_reach_every_set():
    mapping = [
        {"sourceType": "EXPRESSION", "source": '"${ORG}" + x', "destination": "a"},
        {"sourceType": "EXPRESSION", "source": "x + 1", "destination": "b"},
    ]
    found = settings(mapping=mapping, variables={"ORG": "o"}, null_in_arithmetic="zero")
    mapper = RecordMapper(
        found.mappings.of("any", fetch_nothing), None, policies=found.mappings.policies
    )
    assert mapper.map({}) == {"a": "o", "b": 1}
    strict = RecordMapper(found.mappings.of("any", fetch_nothing), None)
    assert "b" not in strict.map({})


def test_what_is_fetched_gets_its_variables_and_is_checked():
    choice = choose(mapping={"id": "x"}, variables={"KIND": "k", "DEST": "d[1"})
    good = parse_mapping_set(
        [{"sourceType": "STATIC", "source": "${KIND}", "destination": "b"}], "x"
    )
    assert choice.of("events", lambda _: good).mappings[0].source == "k"
    bad = parse_mapping_set([{"source": "a", "destination": "${DEST}"}], "x")
    with pytest.raises(MappingSetError, match="mapping 1: path"):
        choose(mapping={"id": "y"}, variables={"DEST": "d[1"}).of("events", lambda _: bad)


class Client:
    def __init__(self, answer):
        self.answer = answer
        self.calls = []

    def get_json(self, path, *, params):
        self.calls.append((path, params))
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.loads(json.dumps(self.answer))


def test_asks_for_the_version_that_is_meant():
    client = Client({"mappings": ONE})
    assert fetch_mapping_set(client, MappingReference("a/b", 3)).name == "a/b"
    fetch_mapping_set(client, MappingReference("x"))
    assert client.calls == [
        ("/data/foundation/conversion/mappingSets/a%2Fb", {"version": "3"}),
        ("/data/foundation/conversion/mappingSets/x", {}),
    ]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (PlatformError("no", status=404), MappingSetError, r"no mapping set x \(version 3\)"),
        (PlatformError("no", status=403), MappingSetError, "may not read the mapping set x"),
        (PlatformError("no", status=500), PlatformError, "no"),
        ({"error": 1}, MappingSetError, "mapping set x: expected"),
        ([], MappingSetError, "mapping set x: expected"),
        (None, MappingSetError, "mapping set x: expected"),
    ],
)
def test_what_can_not_be_had_says_why(answer, error, words):
    with pytest.raises(error, match=words):
        fetch_mapping_set(Client(answer), MappingReference("x", 3))
