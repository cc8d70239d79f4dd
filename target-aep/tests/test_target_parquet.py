"""Rows as Parquet: every value, in the type that the dataset's schema gives it."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime, timezone
from pathlib import Path
from unittest import mock

import pyarrow.parquet as pq
import pytest
from emulators.aep.parquet_input import read_parquet
from emulators.aep.xdm_schema import (
    array_of,
    boolean,
    date_time,
    event_schema,
    integer,
    long,
    map_of,
    number,
    string,
    struct,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from target_aep.errors import DiskError
from target_aep.loading import parquet_blocks, parquet_files
from target_aep.loading.destination import RowsRefusedError
from target_aep.loading.json_lines import encode_line
from target_aep.loading.parquet_files import write_parquet
from target_aep.xdm.schema import parse_schema
from target_aep.xdm.timestamps import format_date_time

LARGE = 200 << 20
DAY = {"type": "string", "format": "date", "meta:xdmType": "date"}
SHORT = {"type": "integer", "meta:xdmType": "short", "minimum": -32768, "maximum": 32768}
BYTE = {"type": "integer", "meta:xdmType": "byte", "minimum": -128, "maximum": 128}


def convert(folder, document, rows, *, file_max_bytes=LARGE, files=1):
    """The files that rows become, which come from so many files of a spool."""
    paths = []
    for place in range(files):
        path = folder / f"events-{place + 1:05d}.json"
        path.write_bytes(b"".join(map(encode_line, rows[place::files])))
        paths.append(path)
    return write_parquet(paths, parse_schema(document), folder, file_max_bytes)


def read_back(paths, document):
    return [row for path in paths for row in read_parquet(path, path.name, document)]


def only_slowly():
    """Makes every block go row by row."""
    return mock.patch.object(parquet_blocks.BlockReader, "read", return_value=None)


def only_quickly():
    """Makes a block that would go row by row fail."""
    return mock.patch.object(parquet_files, "columns_of_rows", None)


SCHEMA = event_schema(
    "All types",
    {
        "text": string(),
        "double": number(),
        "long": long(),
        "int": integer(),
        "short": SHORT,
        "byte": BYTE,
        "unnamed": {"type": "integer", "minimum": 0, "maximum": 100},
        "plain": {"type": "integer"},
        "flag": boolean(),
        "day": DAY,
        "moment": date_time(),
        "map": map_of(string()),
        "lists": map_of(array_of(struct({"n": number(), "when": date_time()}))),
        "maps": map_of(map_of(long())),
        "items": array_of(struct({"sku": string(), "tags": array_of(string()), "at": DAY})),
        "deep": struct({"er": struct({"est": string(), "other": map_of(boolean())})}),
    },
)
ROW = {
    "_id": "1",
    "timestamp": "2026-01-01T00:00:00.001Z",
    "identityMap": {"N": [{"id": "x", "authenticatedState": "ambiguous", "primary": True}]},
    "text": 'a\x00"\\é\U0001f600 ',
    "double": 0.1,
    "long": -(2**53) + 1,
    "int": 2**31 - 1,
    "short": -32768,
    "byte": 127,
    "unnamed": 7,
    "plain": 2**40,
    "flag": False,
    "day": "1969-12-31",
    "moment": "1969-12-31T23:59:59.999Z",
    "map": {"a": "b", "": "c", "c.d": "e"},
    "lists": {"k": [{"n": 1}, {"when": "9999-12-31T23:59:59.999Z"}], "l": [{"n": 2.5}]},
    "maps": {"m": {"n": 1}, "o": {"p": 2, "q": 3}},
    "items": [{"sku": "s", "tags": ["x", "y"]}, {"at": "2024-02-29"}],
    "deep": {"er": {"est": "z", "other": {"t": True}}},
}


@pytest.mark.parametrize(("way", "leaves_out"), [(only_slowly, None), (only_quickly, "maps")])
def test_each_type_is_that_of_adobes_table(tmp_path, way, leaves_out):
    row = {name: value for name, value in ROW.items() if name != leaves_out}
    with way():  # maps in a map always go row by row
        (path,) = convert(tmp_path, SCHEMA, [row, {"_id": "2", "double": 3}])
    columns = pq.ParquetFile(path).schema
    types = {
        columns.column(n).path: (columns.column(n).physical_type, columns.column(n).converted_type)
        for n in range(len(columns))
    }
    text, moment = ("BYTE_ARRAY", "UTF8"), ("INT64", "TIMESTAMP_MILLIS")
    expected = {
        "_id": text,
        "timestamp": moment,
        "identityMap.key_value.key": text,
        "identityMap.key_value.value.list.element.id": text,
        "identityMap.key_value.value.list.element.authenticatedState": text,
        "identityMap.key_value.value.list.element.primary": ("BOOLEAN", "NONE"),
        "text": text,
        "double": ("DOUBLE", "NONE"),
        "long": ("INT64", "NONE"),
        "int": ("INT32", "NONE"),
        "short": ("INT32", "INT_16"),
        "byte": ("INT32", "INT_8"),
        "unnamed": ("INT32", "INT_8"),
        "plain": ("INT64", "NONE"),
        "flag": ("BOOLEAN", "NONE"),
        "day": ("INT32", "DATE"),
        "moment": moment,
        "map.key_value.key": text,
        "map.key_value.value": text,
        "lists.key_value.key": text,
        "lists.key_value.value.list.element.n": ("DOUBLE", "NONE"),
        "lists.key_value.value.list.element.when": moment,
        "maps.key_value.key": text,
        "maps.key_value.value.key_value.key": text,
        "maps.key_value.value.key_value.value": ("INT64", "NONE"),
        "items.list.element.sku": text,
        "items.list.element.tags.list.element": text,
        "items.list.element.at": ("INT32", "DATE"),
        "deep.er.est": text,
        "deep.er.other.key_value.key": text,
        "deep.er.other.key_value.value": ("BOOLEAN", "NONE"),
    }
    assert types == {
        name: kind for name, kind in expected.items() if name.split(".")[0] != leaves_out
    }
    assert read_back([path], SCHEMA) == [row, {"_id": "2", "double": 3}]
    second = pq.read_table(path).slice(1).to_pylist()[0]
    assert {name for name, value in second.items() if value is not None} == {"_id", "double"}
    group = pq.ParquetFile(path).metadata.row_group(0)
    chunks = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    assert {chunk.compression for chunk in chunks.values()} == {"SNAPPY"}
    without_dictionary = {name for name, chunk in chunks.items() if not chunk.has_dictionary_page}
    plain = {name for name, kind in types.items() if kind == moment or kind[0] == "BOOLEAN"}
    assert without_dictionary == {"_id", *plain}


def test_digits_of_a_second_beyond_milliseconds_are_cut(tmp_path):
    fine = ["2026-01-01T00:00:00.001999Z", "1969-12-31T23:59:59.999001Z"]
    rows = [{"_id": str(number), "moment": text} for number, text in enumerate(fine)]
    for way in (only_slowly, only_quickly):
        with way():
            paths = convert(tmp_path, SCHEMA, rows)
        found = [row["moment"] for row in read_back(paths, SCHEMA)]
        assert found == ["2026-01-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z"]


def test_a_map_of_very_many_keys_is_read_without_python_for_each_row(tmp_path):
    own = {"_t": struct({"m": map_of(string()), "n": map_of(array_of(long()))})}
    document = event_schema("Maps", own)
    rows = [
        {"_id": str(n), "_t": {"m": {f"k{n}": "v", f"l{n % 7}": "w"}, "n": {f"k{n}": [n]}}}
        for n in range(600)
    ] + [{"_id": "last"}, {"_id": "one", "_t": {"m": {"k": "v"}}}]
    with only_quickly():
        assert read_back(convert(tmp_path, document, rows), document) == rows
    # In a list, such a map goes row by row.
    rows = [{"_id": "1", "_t": [{"m": {f"k{n}": "v"}} for n in range(600)]}]
    document = event_schema("Lists", {"_t": array_of(own["_t"])})
    assert read_back(convert(tmp_path, document, rows), document) == rows


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"unknown": 1}, "unknown: the schema has no such field"),
        ({"deep": {"er": {"no": 1}}}, "deep.er.no: the schema has no such field"),
        ({"items": [{"sku": "a"}, {"sku": 1}]}, "items[1].sku: a number where"),
        ({"text": ["a"]}, "text: a list where the schema has a text"),
        ({"deep": "x"}, "deep: a text where the schema has an object"),
        ({"map": ["a"]}, "map: a list where the schema has a map"),
        ({"items": []}, "items: an array without items"),
        ({"items": [None]}, "items: an array without items, or with null"),
        ({"items": {"sku": "a"}}, "items: an object where the schema has an array"),
        ({"flag": "true"}, "flag: a text where the schema has a boolean"),
        ({"double": True}, "double: a boolean where the schema has a number"),
        ({"double": 10**400}, "double: the number is too large"),
        ({"long": 1.5}, "long: a number where the schema has an integer"),
        ({"long": 2**63}, "long: the number does not fit 64 bits"),
        ({"int": 2**31}, "int: the number does not fit 32 bits"),
        ({"short": 32768}, "short: the number does not fit 16 bits"),
        ({"byte": -129}, "byte: the number does not fit 8 bits"),
        ({"moment": 5}, "moment: a number where the schema has a date-time"),
        ({"moment": "soon"}, "moment: not a date-time"),
        ({"day": "2025-02-29"}, "day: not a date"),
    ],
)
def test_what_does_not_fit_is_told_and_never_left_out(tmp_path, row, complaint):
    used = {name: value for name, value in ROW.items() if name != "items"}
    rows = [used, {"_id": "bad", **row}, {"_id": "3", "flag": True}]
    with pytest.raises(RowsRefusedError) as caught:
        convert(tmp_path, SCHEMA, rows)
    assert caught.value.batch is None
    assert complaint in str(caught.value)
    (error,) = caught.value.row_errors
    assert error.message.startswith(complaint)
    assert error.row["_id"] == "bad"
    assert list(tmp_path.glob("*.parquet")) == []


def test_a_free_form_object_has_no_type(tmp_path):
    document = event_schema("Free", {"free": {"type": "object"}, "holds": map_of({})})
    for row in ({"free": {"a": 1}}, {"holds": {"a": 1}}):
        with pytest.raises(RowsRefusedError, match="the schema has no such field with a type"):
            convert(tmp_path, document, [{"_id": "1", **row}])


def test_a_column_that_comes_late_begins_a_file(tmp_path):
    rows = [{"_id": str(n), "text": "x" * 300} for n in range(100)]
    late = [{"_id": f"late {n}", "deep": {"er": {"est": "y"}}} for n in range(3)]
    with mock.patch.object(parquet_files, "GROUP_BYTES", 2000), _small_blocks():
        paths = convert(tmp_path, SCHEMA, [*rows, *late, *rows[:50]])
    assert [path.name for path in paths] == ["events-00001.parquet", "events-00002.parquet"]
    assert read_back(paths, SCHEMA) == [*rows, *late, *rows[:50]]
    assert pq.ParquetFile(paths[0]).metadata.num_row_groups > 5


def test_files_of_a_spool_are_put_together_up_to_the_limit(tmp_path):
    rows = [{"_id": str(n), "text": f"{n:0500d}"} for n in range(400)]
    for limit, expected in ((LARGE, 1), (40_000, 20)):
        with _small_blocks():
            paths = convert(tmp_path, SCHEMA, rows, file_max_bytes=limit, files=5)
        assert 1 <= len(paths) <= expected
        assert all(path.stat().st_size <= limit for path in paths)
        found = sorted(read_back(paths, SCHEMA), key=lambda row: int(row["_id"]))
        assert found == rows
    assert len(paths) > 1


def test_a_disk_that_refuses_is_told(tmp_path):
    spool = tmp_path / "events-00001.json"
    spool.write_bytes(encode_line(ROW))
    with pytest.raises(DiskError, match="can't write Parquet files: No such file"):
        write_parquet([spool], parse_schema(SCHEMA), tmp_path / "none", LARGE)
    spool.write_bytes(b"".join(encode_line({"_id": str(number)}) for number in range(9000)))
    full = tmp_path / "events-00001.parquet"
    full.symlink_to("/dev/full")
    with pytest.raises(DiskError, match="can't write Parquet files: No space left"):
        write_parquet([spool], parse_schema(SCHEMA), tmp_path, LARGE)
    assert not full.is_symlink()


def _small_blocks():
    return mock.patch.object(parquet_files, "_BLOCK_BYTES", 700)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001
LEAVES = [string(), number(), long(), integer(), SHORT, BYTE, boolean(), DAY, date_time()]


def _containers(parts):
    objects = st.dictionaries(TEXT, parts, min_size=1, max_size=4).map(struct)
    return st.one_of(objects, parts.map(array_of), parts.map(map_of))


FIELDS = st.recursive(st.sampled_from(LEAVES), _containers, max_leaves=12)
SCHEMAS = st.dictionaries(TEXT, FIELDS, min_size=1, max_size=6).map(
    lambda fields: struct({**fields, "_id": string()})
)


def _whole(least, most):
    return st.integers(least, most)


def _moment_text(moment):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return format_date_time(moment.replace(tzinfo=timezone.utc))


VALUES = {
    "string": TEXT,
    "number": st.one_of(st.floats(allow_nan=False, allow_infinity=False), _whole(-(2**70), 2**70)),
    "long": _whole(-(2**53) + 1, 2**53 - 1),
    "int": _whole(-(2**31), 2**31 - 1),
    "short": _whole(-(2**15), 2**15 - 1),
    "byte": _whole(-128, 127),
    "boolean": st.booleans(),
    "date": st.dates(date(1, 1, 1)).map(date.isoformat),
    "date-time": MOMENTS.map(_moment_text),
}


def values(schema):
    """Values without anything empty, as the mapper makes them."""
    kind = schema["meta:xdmType"]
    if kind == "object":
        parts = {name: values(part) for name, part in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional=parts).filter(bool)
    if kind == "array":
        return st.lists(values(schema["items"]), min_size=1, max_size=4)
    if kind == "map":
        items = values(schema["additionalProperties"])
        return st.dictionaries(TEXT, items, min_size=1, max_size=4)
    return VALUES[kind]


@given(st.data())
@settings(max_examples=80)
def test_any_rows_of_any_schema_come_back_whichever_way_they_went(data):
    document = data.draw(SCHEMAS)
    rows = data.draw(st.lists(values(document), min_size=1, max_size=8))
    with tempfile.TemporaryDirectory() as name, _small_blocks():
        folder = Path(name)
        quick = [*map(dict, read_back(convert(folder, document, rows), document))]
        with only_slowly():
            slow = read_back(convert(folder, document, rows), document)
    assert json.dumps(quick, sort_keys=True) == json.dumps(slow, sort_keys=True)
    assert quick == [_as_doubles(row, document) for row in rows]


def _as_doubles(value, schema):
    kind = schema["meta:xdmType"]
    if kind == "object":
        return {name: _as_doubles(part, schema["properties"][name]) for name, part in value.items()}
    if kind == "array":
        return [_as_doubles(item, schema["items"]) for item in value]
    if kind == "map":
        items = schema["additionalProperties"]
        return {key: _as_doubles(item, items) for key, item in value.items()}
    return float(value) if kind == "number" else value
