"""What is large goes to workers and back through shared memory, or through pipes: all the same."""

from __future__ import annotations

import json
import os

import pytest
from run_comparison import LastingPool, run
from target_aep.workers import shared_slots as slots_module
from target_aep.workers.frames import AT_ONCE
from target_aep.workers.shared_slots import SharedSlots, shared_slots
from target_aep.workers.worker_process import Worker
from target_messages import EVENT_SCHEMA, record, state

CONTENT = "".join(
    json.dumps(message) + "\n"
    for message in (
        EVENT_SCHEMA,
        *(record(n, properties={"text": "x" * (n * 97 % 5_000)}) for n in range(300)),
        state(1),
        record(5),
        {**record(7), "time": "2924-05-18T05:05:48.000Z"},
        *map(record, range(290, 320)),
        state(2),
    )
).encode()


def no_memory(*_):
    raise OSError("no memory")


@pytest.fixture(params=["memory", "file", "none", "small slots"])
def slots(request, monkeypatch):
    """Ways in which slots come to be; True if the lines go through them."""
    if request.param == "file":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    if request.param == "none":
        monkeypatch.setattr(slots_module, "_memory_of", no_memory)
    if request.param == "small slots":
        monkeypatch.setattr(slots_module, "SLOT_BYTES", 4096)
    return request.param


@pytest.fixture
def counts(monkeypatch):
    """How many blocks were given, and how many of them in a slot."""
    given = []
    give = Worker.give
    monkeypatch.setattr(Worker, "give", lambda *args: given.append(task := give(*args)) or task)
    return lambda: (len(given), sum(task.slot is not None for task in given))


def test_whatever_way_blocks_go_the_run_is_the_same(slots, counts):
    pool = LastingPool(2)
    try:
        seen = run(CONTENT, pool)
    finally:
        pool.end_at_last()
    assert seen == run(CONTENT, is_ordinary=True)
    given, in_slots = counts()
    assert given > 10
    assert in_slots == 0 if slots == "none" else in_slots > 0
    if slots in {"memory", "file"}:
        assert in_slots == given


def test_slots_are_free_again_once_their_answer_was_read():
    pool = LastingPool(1)
    try:
        run(CONTENT, pool)
        (worker,) = pool._workers
        assert sorted(worker._free_slots) == [*range(AT_ONCE)]
    finally:
        pool.end_at_last()


def test_a_slot_takes_what_fits_and_nothing_of_another(monkeypatch):
    monkeypatch.setattr(slots_module, "SLOT_BYTES", 4096)
    with shared_slots(2) as slots:
        other = SharedSlots(slots.descriptor, 2)
        assert slots.put(0, b"a" * 4096)
        assert slots.put(1, b"b" * 4000, bytearray(b"c" * 96))
        assert not slots.put(0, b"d" * 4000, b"d" * 97)
        assert bytes(other.view(0, 0, 4096)) == b"a" * 4096
        assert bytes(other.view(1, 3999, 4001)) == b"bc"
        for place in ((0, 4097), (-1, 5), (5, 4)):
            with pytest.raises(ValueError, match="not within"):
                other.view(0, *place)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(slots.descriptor)
