"""Templates of the code of one mapping: take a value, convert it, place it, note what fails.

Names in capitals stand for what `program.py` puts there.
"""

from __future__ import annotations

import typing as t


class Statements(t.NamedTuple):
    """What the code does with a value, as templates of statements.

    Attributes:
        place: Puts it into the row.
        place_plain: The same for a value that is no object.
        not_placed: For where there is nothing to put there.
        absent: The same for where a plain source has no value.
    """

    place: str
    place_plain: str
    not_placed: str
    absent: str


def plain_source_template(as_it_is: str | None, does: Statements) -> str:
    """The code for a source that can't fail; records without it are passed over soonest.

    Args:
        as_it_is: The test of values that need no conversion; None if there is none.
        does: What becomes of them.
    """
    converting = _guarded(
        f"if (x := COERCE(x)) is not OMITTED:\n    {does.place}\nelse:\n    {does.not_placed}", does
    )
    taking = (
        f"if {as_it_is}:\n    {does.place_plain}\nelse:\n{_indented(converting)}"
        if as_it_is
        else converting
    )
    absent = "" if does.absent == "pass" else f"\nelse:\n    {does.absent}"
    return f"x = VALUE\nif x is not None:\n{_indented(taking)}{absent}"


def any_source_template(as_it_is: str | None, does: Statements, *, is_expression: bool) -> str:
    """The code for a source that may fail; for the other arguments see above.

    Args:
        as_it_is: The test of values that need no conversion.
        does: What becomes of them.
        is_expression: Whether it may also raise what Python itself raises.
    """
    plain = f"if {as_it_is}:\n    {does.place_plain}\nel" if as_it_is else ""
    taking = (
        f"x = VALUE\n{plain}if x is not None and (x := COERCE(x)) is not OMITTED:\n"
        f"    {does.place}\nelse:\n    {does.not_placed}"
    )
    faults = (
        "\nexcept PYTHON_ERRORS as error:\n"
        f"    failures.append((NUMBER, FAILURE_OF(error)))\n    {does.not_placed}"
    )
    return _guarded(taking, does) + (faults if is_expression else "")


def _guarded(code: str, does: Statements) -> str:
    return (
        f"try:\n{_indented(code)}\n"
        f"except FAILURES as error:\n    failures.append((NUMBER, error))\n    {does.not_placed}"
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
