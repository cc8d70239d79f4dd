"""A worker process: maps the blocks that it is given, until nobody gives it any more."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import sys
import typing as t
from dataclasses import replace

from target_aep.loading.record_copies import pack
from target_aep.workers.frames import (
    ASSIGNMENT,
    AT_ONCE,
    BLOCK,
    BLOCK_IN_SLOT,
    DROP,
    FAILED,
    HEAD,
    PLACE,
    READY,
    head,
)
from target_aep.workers.shared_slots import SharedSlots

if t.TYPE_CHECKING:
    from target_aep.loading.mapped_block import MappedBlock
    from target_aep.mapping.mapper import RecordMapper
    from target_aep.workers.block_mapping import BlockMapper
    from target_aep.workers.recipe import Assignment

Work = tuple["RecordMapper", "BlockMapper"]


def main() -> None:
    """Work for the process at the other end of stdin and stdout; its end is this one's.

    The signals that end it are sent to this one too, from a terminal. The argument is the
    descriptor of the shared memory, if there is any.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    importlib.import_module("target_aep.workers.recipe")  # before it is waited for
    slots = None
    if sys.argv[1:]:
        descriptor = int(sys.argv[1])
        slots = SharedSlots(descriptor, AT_ONCE)
        os.close(descriptor)
    with contextlib.suppress(BrokenPipeError):
        answers.write(head(READY))
        answers.flush()
        _work(tasks, answers, slots)


def _work(tasks: t.BinaryIO, answers: t.BinaryIO, slots: SharedSlots | None) -> None:
    assigned: dict[int, Work] = {}
    while len(start := tasks.read(HEAD.size)) == HEAD.size:
        kind, number, size = HEAD.unpack(start)
        body = tasks.read(size)
        if len(body) < size:
            return
        if kind == ASSIGNMENT:
            with contextlib.suppress(Exception):  # its blocks are then answered as failed
                assigned[number] = _begin(body)
            continue
        if kind == DROP:
            assigned.pop(number, None)
            continue
        work = assigned.get(number)
        try:
            if kind == BLOCK_IN_SLOT and slots:
                kind, answer = _answer_in_slot(work, slots, *PLACE.unpack(body))
            else:
                kind, answer = BLOCK, _answer(work, body)
        except Exception:  # noqa: BLE001 - the target maps the block itself, and knows what to say
            kind, answer = FAILED, b""
        answers.write(head(kind, number, len(answer)))
        answers.write(answer)
        answers.flush()


def _begin(body: bytes) -> Work:
    assignment: Assignment = pickle.loads(body)  # noqa: S301 - from the target itself
    mapper = assignment.mapper()
    return mapper, assignment.block_mapper(mapper)


def _answer(work: Work | None, body: bytes) -> bytes:
    """What a block became.

    Raises:
        Exception: It can't be told; the target maps the block itself, and knows what to say.
    """
    return pickle.dumps(_block_of(work, body), pickle.HIGHEST_PROTOCOL)


def _answer_in_slot(
    work: Work | None, slots: SharedSlots, slot: int, size: int, _copies: int
) -> tuple[int, bytes]:
    """The same of a block in a slot, and its kind: the rows are left there if they fit."""
    block = _block_of(work, bytes(slots.view(slot, 0, size)))
    rows, copies = block.rows, block.copies or b""
    if not slots.put(slot, rows, copies):
        return BLOCK, pickle.dumps(block, pickle.HIGHEST_PROTOCOL)
    place = PLACE.pack(slot, len(rows), len(copies))
    rest = replace(block, rows=b"", copies=None)
    return BLOCK_IN_SLOT, place + pickle.dumps(rest, pickle.HIGHEST_PROTOCOL)


def _block_of(work: Work | None, body: bytes) -> MappedBlock:
    """What lines became."""
    if work is None:
        raise ValueError("no work was assigned")
    mapper, block_mapper = work
    lines = body.split(b"\n")
    try:
        block = block_mapper.map(lines)
    finally:
        counts = mapper.take_counts()
    if not counts.is_whole:
        raise ValueError("more was counted than a block may tell of")
    is_whole = len(block.ids) == len(lines) and not block.respelled
    text = body if is_whole else b"\n".join(block.sources(lines[: block.taken]))
    copies = pack(block.ids, text) if block.ids else None
    return replace(block, counts=counts, copies=copies, respelled={})
