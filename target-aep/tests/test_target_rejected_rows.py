"""Rows that a promoted batch left out: counted, read, and none of them forgotten."""

from __future__ import annotations

import json

import pytest
from target_aep.api.batch_outcome import failed_row_count
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response

MESSAGES = [EVENT_SCHEMA, *map(record, range(20)), state(1)]
SUMMARY = {"code": "INGEST-1212-400", "description": "Part was ingested", "recordCount": 3}
ROWS = {"code": "INGEST-1555-400", "description": "Missing", "recordCount": 2}


def error_line(number):
    errors = [{"code": "INGEST-1555-400", "message": "no such field"}]
    return json.dumps({"_id": f"id{number}", "_errors": errors, "_filename": "f"}) + "\n"


class LeftOut:
    """Answers for the emulator as if the batch had left rows out."""

    def __init__(self, document, files=None):
        self.document = document
        self.files = {"e0.json": error_line(0) + error_line(1)} if files is None else files
        self.asked = []

    def __call__(self, request, ask):
        if "/catalog/batches/" in request.path:
            return self.status(ask())
        if "/export/" not in request.path:
            return ask()
        path = request.args.get("path", "")
        self.asked.append(path)
        return self.file(path) if "/" in path else self.listing(request)

    def status(self, answer):
        shown = {
            batch: {**document, "metrics": {}, **self.document}
            for batch, document in json.loads(answer.get_data()).items()
        }
        return Response(json.dumps(shown))

    def listing(self, _request):
        return Response(json.dumps({"data": [{"name": name} for name in self.files]}))

    def file(self, path):
        return Response(self.files[path.removeprefix("row_errors/")])


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({}, 0),
        ({"metrics": None, "errors": None}, 0),
        ({"metrics": [], "errors": {}, "failedRecordCount": "n/a"}, 0),
        ({"metrics": {"failedRecordCount": "n/a"}, "errors": ["text", {}]}, 0),
        ({"metrics": {"failedRecordCount": -1}}, 0),
        ({"metrics": {"failedRecordCount": 2}}, 2),
        ({"metrics": {"failedRecordCount": "2"}}, 2),
        ({"failedRecordCount": 2}, 2),
        ({"errors": [{"code": "INGEST-1212-400", "recordCount": 2}]}, 2),
        ({"errors": [SUMMARY, ROWS, {**ROWS, "code": "INGEST-1401-400"}]}, 4),
        ({"metrics": {"failedRecordCount": 5}, "failedRecordCount": 1, "errors": [ROWS]}, 5),
    ],
)
def test_the_largest_count_that_catalog_gives_holds(document, count):
    assert failed_row_count(document) == count


@pytest.mark.parametrize(
    "document",
    [
        {"metrics": {"failedRecordCount": 2}},
        {"failedRecordCount": "2"},
        {"errors": [ROWS]},
        {"errors": [{"code": "INGEST-1212-400"}]},
    ],
)
def test_rows_are_read_wherever_catalog_tells_of_them(sandbox, letters, document):
    sandbox.front.alter = LeftOut(document)
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert [letter["xdm"] for letter in letters()] == [{"_id": "id0"}, {"_id": "id1"}]
    assert "Loaded 18 records in 1 batches, rejected 2" in outcome.log


def test_an_answer_that_breaks_off_is_read_again(sandbox, letters):
    class Cut(LeftOut):
        def file(self, path):
            whole = super().file(path)
            if self.asked.count(path) > 2:
                return whole
            return Response([error_line(0)], headers={"Content-Length": whole.content_length})

    sandbox.front.alter = Cut({"failedRecordCount": 2})
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.error is None
    assert [letter["xdm"]["_id"] for letter in letters()] == ["id0", "id1"]


class Unlisted(LeftOut):
    def listing(self, _request):
        return Response(json.dumps({"title": "path not found"}), status=404)


class Refused(LeftOut):
    def file(self, path):
        return Response("no", status=403) if path.endswith("e1.json") else super().file(path)


class Broken(LeftOut):
    def file(self, path):
        return Response("", status=503) if path.endswith("e1.json") else super().file(path)


class AlwaysCut(LeftOut):
    def file(self, path):
        whole = super().file(path)
        if not path.endswith("e1.json"):
            return whole
        return Response([b"{"], headers={"Content-Length": whole.content_length})


TWO_FILES = {"e0.json": error_line(0), "e1.json": error_line(1) + error_line(2)}


@pytest.mark.parametrize(
    ("kind", "listed", "reason"),
    [
        (Unlisted, 0, "404"),
        (Refused, 1, "403"),
        (Broken, 1, "gave up after 4 tries"),
        (AlwaysCut, 1, "broke off"),
    ],
)
def test_diagnostics_that_stay_unreadable_are_a_letter_and_an_error(
    sandbox, letters, kind, listed, reason
):
    sandbox.front.alter = kind({"failedRecordCount": 3}, TWO_FILES)
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.states == reached(1)
    assert "Loaded 17 records in 1 batches, rejected 3" in outcome.log
    *rows, last = letters()
    assert len(rows) == listed
    assert (last["code"], last["rows"]) == ("UNREADABLE", 3 - listed)
    assert reason in last["reason"]
    assert f"batch {last['batch']} is in without {3 - listed} rows" in str(outcome.error)
    assert "\n" not in str(outcome.error)


def test_errors_without_a_count_that_can_not_be_read_are_not_forgotten(sandbox, letters):
    sandbox.front.alter = Unlisted({"errors": [{"code": "INGEST-1211-400"}]})
    outcome = sandbox.run(MESSAGES)
    assert "an unknown number of rows" in str(outcome.error)
    assert outcome.states == reached(1)
    assert len(letters()) == 1


@pytest.mark.parametrize("files", [{}, {"e0.json": error_line(0) + "{broken\n"}])
def test_rows_that_are_not_listed_are_one_letter(sandbox, letters, files):
    sandbox.front.alter = LeftOut({"failedRecordCount": 5}, files)
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.error is None
    assert "rejected 5" in outcome.log
    *rows, last = letters()
    assert (last["code"], last["rows"]) == ("UNLISTED", 5 - len(rows))


def corrupt_line(text):
    errors = [{"code": "INGEST-1401-400", "message": "corrupt row"}]
    return json.dumps({"_corrupt_record": text, "_errors": errors, "_filename": "f"}) + "\n"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('{"_id": "id3", "x": 1}', {"_id": "id3", "x": 1}),
        ('{"x": 1, "_id" : "id3", "y": "cu', {"_id": "id3", "_corrupt_record": ...}),
    ],
    ids=["whole", "cut"],
)
def test_a_row_that_was_not_parsed_is_found_by_the_id_in_its_text(sandbox, letters, text, row):
    sandbox.front.alter = LeftOut({"failedRecordCount": 1}, {"e0.json": corrupt_line(text)})
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert "Loaded 19 records in 1 batches, rejected 1" in outcome.log
    (letter,) = letters()
    assert letter["code"] == "INGEST-1401-400"
    assert letter["record"]["event_id"] == "id3"
    assert letter["xdm"] == {name: text if part is ... else part for name, part in row.items()}


@pytest.mark.parametrize("text", ["", "{", '{"_id": 5}', '{"_id": "nobody"}', '{"_id": "\\x"'])
def test_a_listed_row_that_no_record_is_found_for_counts(sandbox, letters, text):
    files = {"e0.json": error_line(0) + corrupt_line(text)}
    sandbox.front.alter = LeftOut({"failedRecordCount": 2}, files)
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert "was ingested without 2 rows; 2 of them" in outcome.log
    assert "Loaded 18 records in 1 batches, rejected 2" in outcome.log
    assert [letter["record"] is None for letter in letters()] == [False, True]


def test_rows_are_looked_for_where_catalog_gives_no_count(sandbox, letters):
    sandbox.front.alter = LeftOut({})
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.error is None
    assert "Loaded 18 records in 1 batches, rejected 2" in outcome.log
    assert len(letters()) == 2


def test_no_count_and_no_diagnostics_are_no_error(sandbox, letters):
    sandbox.front.alter = Unlisted({})
    outcome = sandbox.run(MESSAGES)
    assert outcome.error is None
    assert "Loaded 20 records in 1 batches" in outcome.log
    assert letters() == []


@pytest.mark.parametrize(("taken", "is_told"), [(18, False), (17, True), (0, True), (None, False)])
def test_fewer_rows_in_the_dataset_than_expected_are_told(sandbox, taken, is_told):
    metrics = {"failedRecordCount": 2, "outputRecordCount": taken}
    sandbox.front.alter = LeftOut({"metrics": metrics})
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.error is None
    assert (f"Catalog counts {taken} rows of batch" in outcome.log) is is_told


def test_more_listed_rows_than_counted_are_all_rejected(sandbox, letters):
    sandbox.front.alter = LeftOut({"failedRecordCount": 1})
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert "Loaded 18 records in 1 batches, rejected 2" in outcome.log
    assert len(letters()) == 2


def test_counts_of_a_batch_that_is_not_waited_for_say_nothing(sandbox):
    def alter(request, ask):
        answer = ask()
        if request.method != "POST" or not request.path.endswith("/batches"):
            return answer
        created = {**json.loads(answer.get_data()), "metrics": {"outputRecordCount": 0}}
        return Response(json.dumps(created), status=answer.status_code)

    sandbox.front.alter = alter
    outcome = sandbox.run(MESSAGES, wait_for="accepted")
    assert outcome.error is None
    assert "Loaded 20 records in 1 batches" in outcome.log
    assert "Catalog counts" not in outcome.log


NAMES = [f"e{number}.json" for number in range(5)]


class Paged(LeftOut):
    """Two files on a page; `more` says how a page tells of the next one."""

    def __init__(self, more):
        files = {name: error_line(number) for number, name in enumerate(NAMES)}
        super().__init__({"failedRecordCount": 5}, files)
        self.more = more

    def listing(self, request):
        start = int(request.args.get("page", request.args["start"]))
        items = [{"name": name} for name in NAMES[start : start + 2]]
        return Response(json.dumps({"data": [*items, {}, 5], **self.more(start)}))


@pytest.mark.parametrize(
    "more",
    [
        lambda _start: {"_page": {"limit": 2}},
        lambda _start: {"_page": {"limit": 100, "count": 5}},
        lambda start: {"_links": {"next": {"href": f"https://x/?start={start + 2}"}}},
        lambda start: {"_links": {"next": f"/y?page={start + 2}"}},
    ],
    ids=["limit", "count", "next", "cursor"],
)
def test_all_pages_of_the_diagnostics_are_read(sandbox, letters, more):
    sandbox.front.alter = Paged(more)
    outcome = sandbox.run(MESSAGES, max_rejected_percent=50)
    assert outcome.error is None
    assert [letter["xdm"]["_id"] for letter in letters()] == [f"id{n}" for n in range(5)]


def test_a_listing_that_does_not_page_is_read_once(sandbox, letters):
    class Same(LeftOut):
        def listing(self, _request):
            more = {"_links": {"next": {"href": "?start=7"}}}
            return Response(json.dumps({"data": [{"name": "e0.json"}], **more}))

    sandbox.front.alter = Same({"failedRecordCount": 2})
    assert sandbox.run(MESSAGES, max_rejected_percent=50).error is None
    assert len(letters()) == 2
