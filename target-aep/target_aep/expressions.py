"""The few expressions that the built-in mapping sets need.

A deliberately small part of the Data Prep language (help/data-prep/functions.md in
AdobeDocs/experience-platform.en): one call, of a path and literals. Anything else is refused when
the mapping set is loaded, so that no field is silently empty.
"""

from __future__ import annotations

import json
import re
import typing as t

from target_aep.errors import MappingSetError
from target_aep.paths import MISSING, Path, Read, compile_reader, parse_path

if t.TYPE_CHECKING:
    from collections.abc import Callable

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*", re.DOTALL)
_ARGUMENT = re.compile(r'\s*(\$\{[^}]*\}|"(?:\\.|[^"\\])*"|[^,"]+?)\s*(?:,|$)')


def compile_expression(text: str) -> tuple[Path, Read]:
    """Compile `upper(path)` or `decode(path, key, value, ...)`.

    Args:
        text: The expression of a mapping.

    Returns:
        The path that it reads, and a function from record to value (MISSING where it has none).

    Raises:
        MappingSetError: Any other expression.
    """
    call = _CALL.fullmatch(text)
    arguments = [argument.strip() for argument in _ARGUMENT.findall(call[2])] if call else []
    compiler = _FUNCTIONS.get(call[1]) if call else None
    if compiler is None or not arguments:
        raise MappingSetError(
            f"expression {text!r} is not available in this version: use a path, or one of "
            f"{', '.join(f'{name}(...)' for name in _FUNCTIONS)}"
        )
    path = parse_path(arguments[0])
    read_path = compile_reader(path)
    compute = compiler([_literal(argument, text) for argument in arguments[1:]], text)

    def read(record: t.Any) -> t.Any:
        value = read_path(record)
        return value if value is MISSING else compute(value)

    return path, read


def _literal(argument: str, text: str) -> t.Any:
    try:
        return json.loads(argument)
    except ValueError as error:
        raise MappingSetError(f"expression {text!r}: {argument} is not a literal") from error


def _compile_upper(literals: list[t.Any], text: str) -> Read:
    if literals:
        raise MappingSetError(f"expression {text!r}: upper takes one argument")
    return lambda value: value.upper() if isinstance(value, str) else value


def _compile_decode(literals: list[t.Any], text: str) -> Read:
    if not literals or len(literals) % 2:
        raise MappingSetError(f"expression {text!r}: decode takes pairs of key and value")
    pairs = list(zip(literals[::2], literals[1::2], strict=True))

    def decode(value: t.Any) -> t.Any:
        for key, result in pairs:
            if type(key) is type(value) and key == value:
                return result
        return MISSING

    return decode


_FUNCTIONS: dict[str, Callable[[list[t.Any], str], Read]] = {
    "decode": _compile_decode,
    "upper": _compile_upper,
}
