"""The folder that keeps generated events.

`python -m benchmarks.data_folder` removes the default one. It needs the standard library alone, so
that `make clean` can run it when nothing is installed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

DATA = Path(tempfile.gettempdir()) / "mixpanel-to-aep-benchmarks"
"""Where events are kept, if no other folder is given."""

_MEGABYTE = 1_000_000


def kept_data(folder: Path) -> str:
    """Tell where generated events are, how large they are, and how to be rid of them."""
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    remedy = "`make clean` removes them" if folder == DATA else "delete that folder when you like"
    return f"generated events are kept in {folder} ({size / _MEGABYTE:,.1f} MB): {remedy}"


if __name__ == "__main__" and DATA.exists():
    shutil.rmtree(DATA)
