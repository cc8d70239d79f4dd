"""docs/mapping.md is in step with the code: `python target-aep/tests/mapping_docs.py` mends it."""

from __future__ import annotations

from mapping_docs import PAGE, unknown_methods, with_outputs, with_table
from target_aep.data_prep.functions import FUNCTIONS


def test_the_table_of_functions_is_that_of_the_registry():
    page = PAGE.read_text("utf-8")
    assert with_table(page) == page
    for name in FUNCTIONS:
        assert f"| `{name}(" in page


def test_the_commands_of_the_page_print_what_it_shows():
    page = PAGE.read_text("utf-8")
    assert page.count("$ target-aep") >= 4
    assert with_outputs(page) == page


def test_the_page_names_every_method():
    assert not unknown_methods(PAGE.read_text("utf-8"))
