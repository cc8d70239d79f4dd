"""What docs/mapping.md says of functions and commands, made of the code itself.

`python target-aep/tests/mapping_docs.py` writes the table of functions and the output of the
commands into the page; `test_target_mapping_commands_docs.py` looks whether they are still true.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from target_aep.data_prep.functions import FUNCTIONS
from target_aep.data_prep.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_aep.data_prep.function import Function

PAGE = Path(__file__).parents[2] / "docs" / "mapping.md"

_TABLE = re.compile(r"(?<=<!-- functions -->\n).*?(?=<!-- end of functions -->)", re.DOTALL)
_FILE = re.compile(r"^`([\w.]+)`:\n\n```\w*\n(.*?)```$", re.DOTALL | re.MULTILINE)
_CONSOLE = re.compile(
    r"(?<=^```console\n)\$ target-aep ([^\n]*)\n(.*?)(?=^```$)", re.DOTALL | re.MULTILINE
)


def with_table(page: str) -> str:
    """The page with a table of the functions that there are."""
    return _TABLE.sub(lambda _: "".join(f"{line}\n" for line in _table_lines()), page)


def with_outputs(page: str) -> str:
    """The page with what its commands print for the files that it shows."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in _FILE.findall(page):
            (Path(folder) / name).write_text(text, "utf-8")
        return _CONSOLE.sub(
            lambda found: f"$ target-aep {found[1]}\n{_output(found[1], folder)}", page
        )


def unknown_methods(page: str) -> set[str]:
    """Methods that there are and the page does not name."""
    return {name for name in METHODS if f"`{name}`" not in page}


def _output(arguments: str, folder: str) -> str:
    # The page's commands have no quotes but those around a path.
    args = [each.strip("'") for each in arguments.split()]
    done = subprocess.run(
        [sys.executable, "-m", "target_aep", *args],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.stdout


def _table_lines() -> Iterator[str]:
    yield "| Function | Gives | What it does |"
    yield "| --- | --- | --- |"
    category = ""
    for function in FUNCTIONS.values():
        if function.category != category:
            category = function.category
            yield f"| **{category}** | | |"
        yield f"| `{_signature(function)}` | {function.returns} | {_summary(function)} |"


def _signature(function: Function) -> str:
    texts = []
    for parameter in function.parameters:
        text = parameter.name.replace("?", "").lower() + ("…" if parameter.variadic else "")
        texts.append(text if parameter.required else f"[{text}]")
    return f"{function.name}({', '.join(texts)})"


def _summary(function: Function) -> str:
    # The registry puts the conversion of arguments before most implementations.
    inner = inspect.getclosurevars(function.call).nonlocals.get("implementation", function.call)
    summary = (inspect.getdoc(inner) or "").partition("\n")[0].replace("|", "\\|")
    assert summary, f"no summary of {function.name} is found"
    if function.refusal:
        return f"Refused: {function.refusal}."
    return f"{summary} †" if function.caveat else summary


if __name__ == "__main__":
    PAGE.write_text(with_outputs(with_table(PAGE.read_text("utf-8"))), "utf-8")
