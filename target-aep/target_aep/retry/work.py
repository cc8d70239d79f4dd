"""`target-aep retry`: rejected records again, with the mapping and the schema of today.

Exactly once: what is about to be loaded is a plan on disk with a commit's name in it, so a retry
that was killed is found by that name and brought to its end before anything else is tried. Only
then are letters marked, and only when they are is the plan removed.
"""

from __future__ import annotations

import logging
import typing as t
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from target_aep.errors import TargetError, UnfinishedRunError
from target_aep.loading.dead_letters import (
    DeadLetters,
    Letter,
    letter_digest,
    now_text,
    read_letters,
    rewrite_letters,
    stream_file_name,
)
from target_aep.loading.spool import BatchSpool
from target_aep.loading.stream_loading import StreamLoader
from target_aep.mapping.mapper import RejectedRecordError
from target_aep.nesting import DEEPEST, TOO_DEEP, is_deeper
from target_aep.retry.letters import change_letters, exclusively, survey, waiting_letters
from target_aep.retry.plan import SETTLED_NAME, PlannedRow, read_plan, write_plan

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from target_aep.loading.destination import Binding, Destination
    from target_aep.mapping.mapper import RecordMapper
    from target_aep.retry.letters import Survey
    from target_aep.retry.plan import RetryPlan
    from target_aep.settings import Settings
    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")

LETTERS_AT_ONCE = 100_000
"""Letters that go into one plan, which bounds the memory."""

_LETTER_FIELDS = ("reason", "code", "field", "batch", "xdm", "time")

Changes = dict[str, Letter]


def retry(target: TargetAEP) -> None:
    """Load all dead letters that can be loaded, and mark them.

    Args:
        target: Its settings and its destination are used.

    Raises:
        UnfinishedRunError: All was done, and something of it needs a look.
        TargetError: It can't go on; running it again goes on where it stopped.
    """
    folder = target.settings.dead_letter_path
    if not folder.exists():
        logger.info("There are no dead letters: %s does not exist", folder)
        return
    with exclusively(folder):
        # A letter is marked for good, so acceptance is not enough.
        load = replace(target.settings.load, wait_for="promoted")
        target.settings = replace(target.settings, load=load)
        Retry(target.settings, target.destination, target.mapper_of).run()


@dataclass
class _Outcome:
    """Letters that got in, and those that did not."""

    loaded: int = 0
    rejected: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, changes: Changes) -> None:
        marked = sum("retried" in change for change in changes.values())
        self.loaded += marked
        self.rejected += len(changes) - marked


class Retry:
    """One retry of all letters of a folder."""

    def __init__(
        self,
        settings: Settings,
        destination: Destination,
        make_mapper: Callable[[str, Binding], RecordMapper],
    ) -> None:
        """Keep what it works with; nothing is read yet."""
        self._make_mapper = make_mapper
        self._settings = settings
        self._destination = destination
        self._folder: Path = settings.dead_letter_path
        self._outcome = _Outcome()

    def run(self) -> None:
        """Finish what an earlier retry has left, then try what is still waiting.

        Raises:
            UnfinishedRunError: All was done, and something of it needs a look.
            TargetError: It can't go on.
        """
        settled = read_plan(self._folder, SETTLED_NAME)
        if settled is not None:
            self._clear(settled)
        plan = read_plan(self._folder)
        found = survey(self._folder)
        if plan is not None:
            logger.info(
                "An earlier retry of the stream '%s' did not end; it is ended first", plan.stream
            )
            self._load(plan, {})
            found = survey(self._folder)
        for stream in found.waiting:
            self._retry_stream(stream, found)
        self._report(found.without_record)

    def _report(self, without_record: int) -> None:
        outcome, allowed = self._outcome, self._settings.load.max_rejected_percent
        logger.info(
            "Retry of %s: %d letters are in, %d still rejected, %d without a record",
            self._folder,
            outcome.loaded,
            outcome.rejected,
            without_record,
        )
        if 100 * outcome.rejected > allowed * (outcome.loaded + outcome.rejected):
            outcome.complaints.append(
                f"{outcome.rejected} letters were rejected again, more than max_rejected_percent "
                f"({allowed:g}): {self._folder} has their new reasons. Fix the mapping or the "
                "schema"
            )
        if outcome.complaints:
            raise UnfinishedRunError(". ".join(outcome.complaints))

    def _retry_stream(self, stream: str, found: Survey) -> None:
        binding = self._destination.bind(stream)
        for other in found.elsewhere(stream, binding.dataset):
            logger.warning(
                "%d letters of the stream '%s' are for the dataset %s and are left alone: run "
                "`retry` with the settings that name it",
                found.waiting[stream][other],
                stream,
                other,
            )
        mapper = self._make_mapper(stream, binding)
        marks = found.marks(stream, binding.dataset)
        letters = waiting_letters(self._folder, stream, binding.dataset)
        while some := list(islice(letters, 1)):
            changes: Changes = {}
            part = chain(some, islice(letters, LETTERS_AT_ONCE - 1))
            rows = _planned_rows(mapper, part, marks, changes)
            plan = write_plan(self._folder, stream, binding.dataset, rows)
            marks.update(self._load(plan, changes))

    def _load(self, plan: RetryPlan, changes: Changes) -> dict[str, Letter]:
        """Bring a plan to its end.

        Args:
            plan: The plan.
            changes: Of letters that are not in it.

        Returns:
            The marks of the rows that are in, by `_id`.

        Raises:
            TargetError: It can't be loaded; the plan stays for the next retry.
        """
        binding = self._destination.bind(plan.stream)
        if binding.dataset != plan.dataset:
            raise TargetError(
                f"{plan.path} is an unfinished retry into the dataset {plan.dataset}, and the "
                f"settings name {binding.dataset} for the stream {plan.stream!r}: run `retry` once "
                "with the settings of then"
            )
        letters = DeadLetters(self._folder, plan.stream, plan.dataset)
        loader = StreamLoader(self._destination, plan.stream, plan.dataset, letters)
        planned = self._commit(plan, loader)
        files = letters.files(plan.key)
        refused = {
            letter["xdm"]["_id"]: {name: letter.get(name) for name in _LETTER_FIELDS}
            for path in files
            for letter in read_letters(path)
            if letter.get("record") is not None
        }
        batch = loader.batches[-1].id if loader.batches else None
        marks = {
            identifier: {"batch": batch, "time": now_text(), "_id": identifier}
            for identifier in planned.values()
            if identifier not in refused
        }
        for letter, identifier in planned.items():
            changes[letter] = refused.get(identifier) or {"retried": marks[identifier]}
        change_letters(self._folder, plan.stream, plan.dataset, changes)
        self._clear(plan.settle())
        self._outcome.add(changes)
        unnamed = loader.rejected - len(refused)
        if unnamed > 0:
            self._outcome.complaints.append(
                f"batch {batch} is in without {unnamed} rows that Experience Platform does not "
                "name, so their letters are marked like the others: find them by the batch"
            )
        self._outcome.complaints.extend(loader.complaints)
        return marks

    def _clear(self, plan: RetryPlan) -> None:
        """Delete the letters of a plan's own commit: those that were there before say the same."""
        letters = DeadLetters(self._folder, plan.stream, plan.dataset)
        for path in letters.files(plan.key):
            rewrite_letters(path, lambda letter: letter if letter.get("record") is None else None)
        plan.remove()

    def _commit(self, plan: RetryPlan, loader: StreamLoader) -> dict[str, str]:
        """Load the rows of a plan; the `_id`s by letter."""
        spool = BatchSpool(
            self._destination.spool_folder(plan.stream),
            stream_file_name(plan.stream),
            self._settings.file_max_bytes,
        )
        planned = {}
        try:
            for row in plan.rows():
                planned[row.letter] = row.identifier
                spool.add_row(row.xdm, row.record)
            loader.commit(spool, plan.state)
        finally:
            spool.remove()
        return planned


def _planned_rows(
    mapper: RecordMapper, letters: Iterator[Letter], marks: dict[str, Letter], changes: Changes
) -> Iterator[PlannedRow]:
    """Map letters again; what becomes of those that are not to be loaded goes into `changes`."""
    for letter in letters:
        digest, record = letter_digest(letter), letter["record"]
        if is_deeper(record, DEEPEST):
            changes[digest] = _refusal(None, TOO_DEEP)
            continue
        try:
            xdm = mapper.map(record)
            identifier = _identifier(xdm)
        except RejectedRecordError as error:
            changes[digest] = _refusal(error.field_path, error.reason)
        except RecursionError:
            changes[digest] = _refusal(None, "nested too deeply")
        else:
            if identifier in marks:
                changes[digest] = {"retried": marks[identifier]}
            else:
                yield PlannedRow(digest, identifier, record, xdm)


def _identifier(xdm: dict[str, t.Any]) -> str:
    identifier = xdm.get("_id")
    if not isinstance(identifier, str):
        raise RejectedRecordError("_id", "without it, it can't be told whether the row got in")
    return identifier


def _refusal(field_path: str | None, reason: str) -> Letter:
    return {"reason": reason, "code": "LOCAL", "field": field_path, "time": now_text()}
