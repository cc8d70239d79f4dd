"""A worker process: maps the blocks that it is given, until nobody gives it any more."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import typing as t
from dataclasses import replace

from target_aep.loading.record_copies import pack
from target_aep.workers.frames import ASSIGNMENT, BLOCK, DROP, FAILED, HEAD, READY, head

if t.TYPE_CHECKING:
    from target_aep.mapping.mapper import RecordMapper
    from target_aep.workers.block_mapping import BlockMapper
    from target_aep.workers.recipe import Assignment

Work = tuple["RecordMapper", "BlockMapper"]


def main() -> None:
    """Work for the process at the other end of stdin and stdout; its end is this one's.

    The signals that end it are sent to this one too, from a terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    importlib.import_module("target_aep.workers.recipe")  # before it is waited for
    with contextlib.suppress(BrokenPipeError):
        answers.write(head(READY))
        answers.flush()
        _work(tasks, answers)


def _work(tasks: t.BinaryIO, answers: t.BinaryIO) -> None:
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
        answer = _answer(assigned.get(number), body)
        answers.write(head(FAILED if answer is None else BLOCK, number, len(answer or b"")))
        answers.write(answer or b"")
        answers.flush()


def _begin(body: bytes) -> Work:
    assignment: Assignment = pickle.loads(body)  # noqa: S301 - from the target itself
    mapper = assignment.mapper()
    return mapper, assignment.block_mapper(mapper)


def _answer(work: Work | None, body: bytes) -> bytes | None:
    """What a block became; None if it can't be told."""
    if work is None:
        return None
    mapper, block_mapper = work
    try:
        lines = body.split(b"\n")
        block = block_mapper.map(lines)
        copies = pack(block.ids, block.sources(lines[: block.taken])) if block.ids else None
        answer = replace(block, counts=mapper.take_counts(), copies=copies, respelled={})
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception:  # noqa: BLE001 - the target maps the block itself, and knows what to say
        mapper.take_counts()
        return None
