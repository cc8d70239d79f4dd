"""What a retry is about to load, on disk before it is loaded: a killed one is brought to its end.

The plan holds the mapped rows themselves, so that what is found under its commit's name is exactly
what it says, also if the mapping has been changed since.
"""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass, replace
from itertools import chain

from singer_sdk.singerlib.json import deserialize_json

from target_aep.errors import TargetError
from target_aep.loading.commit_key import commit_key
from target_aep.loading.dead_letters import sync_folder, write_durably
from target_aep.loading.json_lines import encode_line

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from target_aep.loading.commit_key import CommitKey

PLAN_NAME = "retry.plan"
SETTLED_NAME = "retry.settled"


class PlannedRow(t.NamedTuple):
    """A row with the letter it comes from."""

    letter: str
    identifier: str
    record: dict[str, t.Any]
    xdm: dict[str, t.Any]


@dataclass(frozen=True)
class RetryPlan:
    """Rows of one stream that are to be loaded in one commit.

    Attributes:
        path: Its file.
        stream: The stream.
        dataset: What tells its dataset from others.
        state: Stands in for the STATE in the commit's name.
    """

    path: Path
    stream: str
    dataset: str
    state: dict[str, str]

    def rows(self) -> Iterator[PlannedRow]:
        """The rows, read from the disk.

        Raises:
            TargetError: The file can't be read.
        """
        try:
            with self.path.open("rb") as lines:
                next(lines)
                yield from map(_row, lines)
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(self.path, error) from error

    @property
    def key(self) -> CommitKey:
        """The name of its commit."""
        return commit_key(self.dataset, self.stream, self.state)

    def settle(self) -> RetryPlan:
        """Note, for good, that its letters are marked; what is left is to tidy up.

        Raises:
            TargetError: The disk refuses.
        """
        settled = self.path.with_name(SETTLED_NAME)
        try:
            self.path.replace(settled)
            sync_folder(settled.parent)
        except OSError as error:
            raise TargetError(
                f"dead_letter_path: can't rename {self.path}: {error.strerror}"
            ) from error
        return replace(self, path=settled)

    def remove(self) -> None:
        """Delete it, for good.

        Raises:
            TargetError: The disk refuses.
        """
        try:
            self.path.unlink()
            sync_folder(self.path.parent)
        except OSError as error:
            raise TargetError(
                f"dead_letter_path: can't delete {self.path}: {error.strerror}"
            ) from error


def write_plan(folder: Path, stream: str, dataset: str, rows: Iterable[PlannedRow]) -> RetryPlan:
    """Make a plan that survives the end of the process and of the machine.

    Args:
        folder: The folder of the dead letters.
        stream: The stream.
        dataset: What tells its dataset from others.
        rows: The rows.

    Raises:
        TargetError: It can't be written.
    """
    state = {"retry": uuid.uuid4().hex}
    plan = RetryPlan(folder / PLAN_NAME, stream, dataset, state)
    head = encode_line({"stream": stream, "dataset": dataset, "state": state})
    try:
        write_durably(plan.path, chain([head], (encode_line(list(row)) for row in rows)))
    except OSError as error:
        raise TargetError(f"dead_letter_path: can't write {plan.path}: {error.strerror}") from error
    return plan


def read_plan(folder: Path, name: str = PLAN_NAME) -> RetryPlan | None:
    """The plan that an earlier retry could not bring to its end.

    Args:
        folder: The folder of the dead letters.
        name: `SETTLED_NAME` for one whose letters are marked.

    Raises:
        TargetError: There is a file that is not one.
    """
    path = folder / name
    try:
        with path.open("rb") as lines:
            return _plan(path, lines.readline())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(path, error) from error


def planned_ids(folder: Path, stream: str, dataset: str | None = None) -> set[str]:
    """The `_id`s of rows that an unfinished retry may have loaded, or is yet to load.

    A retry marks its letters before it deletes its plan. So who asks for both asks for the plan
    first, or misses the rows of a retry that ends in between.

    Args:
        folder: The folder of the dead letters.
        stream: The stream; a plan of another one has none of its rows.
        dataset: What tells its dataset from others; None takes a plan into any.

    Raises:
        TargetError: There is a file that is not a plan.
    """
    path = folder / PLAN_NAME
    try:
        with path.open("rb") as lines:  # once: a retry that ends meanwhile deletes it
            plan = _plan(path, lines.readline())
            if plan.stream != stream or dataset not in (None, plan.dataset):
                return set()
            return {row.identifier for row in map(_row, lines)}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(path, error) from error


def _plan(path: Path, line: bytes) -> RetryPlan:
    head = deserialize_json(line)
    return RetryPlan(path, head["stream"], head["dataset"], head["state"])


def _row(line: bytes) -> PlannedRow:
    row = PlannedRow(*deserialize_json(line))
    if not isinstance(row.identifier, str):
        raise ValueError("a row has no _id")  # noqa: TRY004 - input, not a bug
    return row


def _unreadable(path: Path, error: Exception) -> TargetError:
    return TargetError(
        f"{path} can't be read as the plan of a retry: {type(error).__name__} {error}. It says "
        "what an earlier retry may have loaded: restore it from a copy"
    )
