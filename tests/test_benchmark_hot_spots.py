"""Which module a sampled stack counts for."""

from __future__ import annotations

import benchmark_root  # noqa: F401 - makes `benchmarks` importable
import pytest

from benchmarks.hot_spots import ELSEWHERE, IMPORTS, place_of, table

TARGET = "main (target_aep/__main__.py:3)"
MAPPER = "map (target_aep/mapping/mapper.py:99)"


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        (f"{TARGET};{MAPPER}", ("target_aep/mapping/mapper.py", "")),
        (
            f"{TARGET};{MAPPER};decode (msgspec/_core.so);memcpy (libc.so.6)",
            ("target_aep/mapping/mapper.py", "msgspec"),
        ),
        (f"{MAPPER};PyDict_SetItem (libpython3.11.so.1.0)", ("target_aep/mapping/mapper.py", "")),
        (f"{TARGET};_load (<frozen importlib._bootstrap>:241);{MAPPER}", IMPORTS),
        ("process 1:python;run (threading.py:5)", ELSEWHERE),
    ],
)
def test_a_stack_counts_for_the_innermost_module_of_ours(stack, place):
    assert place_of(stack) == place


def test_shares_are_told_largest_first():
    lines = ["process 1:python -c", f"x;{TARGET} 1", f"{TARGET};{MAPPER} 300", "idle (x.py:1) 99"]
    assert list(table(lines)) == ["  75.0 %  target_aep/mapping/mapper.py", "  24.8 %  elsewhere"]
