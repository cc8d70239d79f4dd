"""The work of `target-aep status`."""

from __future__ import annotations

import shutil
import typing as t
from dataclasses import dataclass

from target_aep.api.catalog_batches import list_batches
from target_aep.api.catalog_datasets import find_datasets, read_document
from target_aep.batch_status.rejected_rows import read_rejected_rows
from target_aep.batch_status.summary import summarise
from target_aep.batch_status.table import as_json, indented, row_as_json, row_lines, table
from target_aep.errors import TargetError
from target_aep.loading.destinations import make_client
from target_aep.loading.work_folder import WorkFolder, temporary_folder
from target_aep.preview.table import printable
from target_aep.subcommand_running import say

if t.TYPE_CHECKING:
    from target_aep.api.client import PlatformClient
    from target_aep.batch_status.rejected_rows import RejectedRows
    from target_aep.loading.platform_destination import DatasetChoice
    from target_aep.target import TargetAEP

_NARROWEST = 40


@dataclass(frozen=True)
class StatusOptions:
    """What is asked for.

    Attributes:
        dataset: Id of the only dataset that is looked at; None for those of the settings.
        rows_of: A batch whose rejected rows are shown, in place of batches.
        limit: The most batches of each dataset, or the most rows.
        as_lines: Whether to write JSON lines.
    """

    dataset: str | None
    rows_of: str | None
    limit: int
    as_lines: bool


def report(target: TargetAEP, options: StatusOptions) -> int:
    """Write what was asked for.

    Args:
        target: Its settings are used.
        options: What is asked for.

    Returns:
        The exit code: 0 unless something could not be had.

    Raises:
        TargetError: Nothing can be had.
    """
    settings = target.settings
    if settings.credential is None:
        raise TargetError(
            "status is about batches in Experience Platform: set destination to platform, or look "
            f"into local_path ({settings.local_path}), which has a folder for each batch"
        )
    client = make_client(settings, settings.credential, target.rules)
    if options.rows_of is not None:
        return _report_rows(client, options.rows_of, options)
    for dataset_id, name in _datasets(client, settings.dataset_choice, options.dataset).items():
        _report_batches(client, dataset_id, name, options)
    return 0


def _report_batches(
    client: PlatformClient, dataset_id: str, name: str, options: StatusOptions
) -> None:
    listed = list_batches(client, options.limit, {"dataSet": dataset_id})
    batches = [summarise(document, client.rules.redact) for document in listed]
    batches.sort(key=lambda batch: batch.created or 0, reverse=True)  # objects have no order
    if options.as_lines:
        for batch in batches:
            say(as_json(dataset_id, batch))
        return
    say(printable(f"Dataset {name} ({dataset_id})"))
    if not batches:
        say("  no batches yet")
        return
    for line in table(batches, _width()):
        say(line)


def _report_rows(client: PlatformClient, batch_id: str, options: StatusOptions) -> int:
    work = WorkFolder(temporary_folder(), "target-aep-")
    try:
        found = read_rejected_rows(client, batch_id, options.limit, work.subfolder("status"))
    finally:
        work.remove()
    if options.as_lines:
        for row in found.rows:
            say(row_as_json(batch_id, row))
    else:
        _write_rows(found)
    if found.problem:
        raise TargetError(f"batch {batch_id}: {found.problem}")
    return 0


def _write_rows(found: RejectedRows) -> None:
    batch, width = found.batch, _width()
    meaning = f": {batch.meaning}" if batch.meaning else ""
    for line in indented(f"Batch {batch.id} is {batch.status}{meaning}", width, first=""):
        say(line)
    for error in batch.errors:
        for line in indented(str(error), width, first="  "):
            say(line)
    if not batch.failed and not found.rows and not found.problem:
        say("  no rejected rows" if batch.is_in else "  no rejected rows are listed")
    elif batch.failed:
        say(f"  {batch.failed} rejected rows")
    for line in row_lines(found.rows, width):
        say(line)
    if found.has_more:
        say(f"There are more than these {len(found.rows)}: --limit shows them")


def _datasets(client: PlatformClient, choice: DatasetChoice, wanted: str | None) -> dict[str, str]:
    """The names of the datasets that are looked at, by id.

    Raises:
        TargetError: None is named, or one is not there.
    """
    ids = [wanted] if wanted else [choice.dataset_id, *(choice.datasets or {}).values()]
    found = {each: _name(client, each, wanted) for each in dict.fromkeys(filter(None, ids))}
    if choice.dataset_name and not wanted:
        named = find_datasets(client, choice.dataset_name)
        if not named:
            raise TargetError(
                f"dataset_name: no dataset of the sandbox is called {choice.dataset_name!r}: "
                "`target-aep provision` makes it"
            )
        found.update(dict.fromkeys(named, choice.dataset_name))
    if not found:
        raise TargetError("no dataset is named: set dataset_id or dataset_name, or give --dataset")
    return found


def _name(client: PlatformClient, dataset_id: str, wanted: str | None) -> str:
    document = read_document(client, dataset_id)
    if document is None:
        setting = "--dataset" if wanted else "dataset_id (or datasets)"
        raise TargetError(
            f"dataset {dataset_id} does not exist in this sandbox: check {setting} and sandbox_name"
        )
    return str(document.get("name", dataset_id))


def _width() -> int:
    """Of the terminal, 80 where there is none."""
    return max(_NARROWEST, shutil.get_terminal_size().columns)
