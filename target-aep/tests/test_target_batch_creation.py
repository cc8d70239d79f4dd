"""The creation of a batch when answers are lost: one batch, and never another's."""

from __future__ import annotations

import json

import pytest
from emulators.faults import Fault
from target_messages import EVENT_SCHEMA, reached, record, state
from werkzeug.wrappers import Response

MESSAGES = [EVENT_SCHEMA, *map(record, range(20)), state(1)]
CREATE = {"method": "POST", "path": "/data/foundation/import/batches"}


class Creation:
    """Counts creations and look-ups; `create` and `find` may be given other answers."""

    def __init__(self, create=None, find=None):
        self.create, self.find = create, find
        self.creations = 0
        self.searches = 0

    def __call__(self, request, ask):
        if request.method == "POST" and request.path.endswith("/import/batches"):
            self.creations += 1
            return self.create(self.creations, ask) if self.create else ask()
        if request.path.endswith("/catalog/batches") and "externalId" in request.args:
            self.searches += 1
            return self.find(self.searches, ask) if self.find else ask()
        return ask()


def lost_at_first(number, ask, status=500):
    answer = ask()
    return Response("", status=status) if number == 1 else answer


def assert_loaded_in_one_batch(sandbox, outcome):
    assert outcome.error is None
    assert outcome.states == reached(1)
    assert sandbox.summary()["batches"] == {"success": 1}
    assert sandbox.summary()["duplicates"] == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}])
def test_any_5xx_may_have_created_the_batch(sandbox, status, headers):
    args = {"status": status, "headers": headers}
    sandbox.emulator.faults.add(Fault("status", match=CREATE, args=args, after_effect=True))
    assert_loaded_in_one_batch(sandbox, sandbox.run(MESSAGES))


def test_a_batch_of_another_is_never_adopted(sandbox):
    others = {"OTHER": {"status": "loading", "externalId": "someone else's"}, "ODD": None}
    front = Creation(
        create=lambda number, ask: Response("", status=500) if number == 1 else ask(),
        find=lambda _number, _ask: Response(json.dumps(others)),
    )
    sandbox.front.alter = front
    assert_loaded_in_one_batch(sandbox, sandbox.run(MESSAGES))
    assert front.creations == 2


@pytest.mark.parametrize(
    ("status", "title"), [(400, None), (409, "Conflict"), (400, "externalId is taken")]
)
def test_catalog_that_lists_the_batch_late_is_asked_again(sandbox, status, title):
    def create(number, ask):
        answer = lost_at_first(number, ask)
        if number == 1 or title is None:
            return answer
        return Response(json.dumps({"title": title}), status=status)

    front = Creation(create, lambda number, ask: Response("{}") if number < 4 else ask())
    sandbox.front.alter = front
    assert_loaded_in_one_batch(sandbox, sandbox.run(MESSAGES))
    assert (front.creations, front.searches) == (3, 4)


def test_a_conflict_that_stays_ends_the_run_with_the_words_of_the_platform(sandbox):
    front = Creation(lost_at_first, lambda _number, _ask: Response("{}"))
    sandbox.front.alter = front
    outcome = sandbox.run(MESSAGES)
    assert "externalId" in str(outcome.error)
    assert outcome.states == []
    assert front.creations == 4


def test_another_refusal_of_a_repeated_creation_is_final(sandbox):
    def create(number, _ask):
        return Response("", status=500) if number == 1 else Response("full", status=400)

    sandbox.front.alter = front = Creation(create)
    assert "400 full" in str(sandbox.run(MESSAGES).error)
    assert front.creations == 2


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": null}'])
def test_an_answer_without_the_id_leads_to_the_batch_all_the_same(sandbox, body):
    def create(number, ask):
        answer = ask()
        return Response(body, status=201) if number == 1 else answer

    sandbox.front.alter = Creation(create)
    assert_loaded_in_one_batch(sandbox, sandbox.run(MESSAGES))
