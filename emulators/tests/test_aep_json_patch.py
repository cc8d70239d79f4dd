"""JSON Patch: the examples of RFC 6902's appendix, and laws that hold for every document."""

from __future__ import annotations

import copy

import pytest
from emulators.aep.json_patch import PatchError, apply_patch
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.text(st.sampled_from("ab/~"), max_size=3)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


def pointers(value, prefix=""):
    """Every place in a document with its value."""
    yield prefix, value
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from pointers(item, f"{prefix}/{index}")
    elif isinstance(value, dict):
        for key, item in value.items():
            escaped = key.replace("~", "~0").replace("/", "~1")
            yield from pointers(item, f"{prefix}/{escaped}")


@pytest.mark.parametrize(
    ("document", "operation", "result"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": [2]}, {"a": [1, [2]]}),
        ({"a": 1, "b": 2}, {"op": "remove", "path": "/a"}, {"b": 2}),
        ({"a": [1, 2, 3]}, {"op": "remove", "path": "/a/1"}, {"a": [1, 3]}),
        ({"a": 1}, {"op": "replace", "path": "/a", "value": None}, {"a": None}),
        ({"a": [1, 2]}, {"op": "replace", "path": "/a/0", "value": 3}, {"a": [3, 2]}),
        ({"a": 1}, {"op": "replace", "path": "", "value": 3}, 3),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/c"}, {"a": {}, "c": 1}),
        ({"a": [1, 2, 3]}, {"op": "move", "from": "/a/0", "path": "/a/2"}, {"a": [2, 3, 1]}),
        ({"a": [1]}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": [1], "c": [1]}),
        ({"a/b": {"~": 1}}, {"op": "replace", "path": "/a~1b/~0", "value": 2}, {"a/b": {"~": 2}}),
        ({"": 1}, {"op": "test", "path": "/", "value": 1}, {"": 1}),
    ],
    ids=str,
)  # fmt: skip
def test_operations(document, operation, result):
    assert apply_patch(document, [operation]) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "add", "path": "/text/x", "value": 1},
        {"op": "remove", "path": "/list/-"},
        {"op": "remove", "path": "/x"},
        {"op": "replace", "path": "/x", "value": 1},
        {"op": "replace", "path": "/text"},
        {"op": "move", "from": "/x", "path": "/y"},
        {"op": "move", "from": "/map", "path": "/map/inner"},
        {"op": "copy", "path": "/y"},
        {"op": "test", "path": "/one", "value": True},
        {"op": "test", "path": "/list", "value": [1]},
        {"op": "add", "path": 5, "value": 1},
        {"path": "/x"},
    ],
    ids=str,
)
def test_operations_that_fail(operation):
    document = {"list": [1, 2], "text": "t", "map": {"a": 1}, "one": 1}
    before = copy.deepcopy(document)
    with pytest.raises(PatchError):
        apply_patch(document, [{"op": "add", "path": "/new", "value": 1}, operation])
    assert document == before


@given(DOCUMENTS)
def test_every_place_can_be_tested_and_replaced(document):
    for path, value in pointers(document):
        test = {"op": "test", "path": path, "value": value}
        assert apply_patch(document, [test]) == document
        mark = {"op": "replace", "path": path, "value": "marked"}
        assert ("marked", path) in [
            (item, place) for place, item in pointers(apply_patch(document, [mark]))
        ]


@given(DOCUMENTS)
def test_removing_and_adding_again_gives_the_same(document):
    for path, value in pointers(document):
        if not path:
            continue
        back = [{"op": "remove", "path": path}, {"op": "add", "path": path, "value": value}]
        assert apply_patch(document, back) == document
