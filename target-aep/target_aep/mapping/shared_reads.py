"""Code that reads the paths of a mapping set: walks and values that several need are read once.

Keys that are spelled like several names of a path, `"a.b"` for `a.b`, come before a walk. Few
records have any, so there are two ways to read: one that looks for such keys at each step, and one
for records in which a single test per object has found none.
"""

from __future__ import annotations

import ast
import typing as t
from collections import Counter

from target_aep.data_prep.namespace import RECORD, constant, load
from target_aep.mapping.code_templates import expression, statements
from target_aep.mapping.paths import compile_value_reader, joined_names

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from target_aep.data_prep.namespace import Namespace
    from target_aep.mapping.paths import Path

IS_PLAIN: t.Final = "is_plain"
"""The variable that tells whether the record is known to have no column of `odd_columns`."""

_NOTHING: t.Final[dict[str, t.Any]] = {}


class SharedReads:
    """Makes code that reads paths of the record, and what has to run before it."""

    def __init__(self, namespace: Namespace, paths: Iterable[Path], *, literal_keys: bool) -> None:
        """Prepare for paths.

        Args:
            namespace: Where the code will run.
            paths: All that will be read, as often as they will be.
            literal_keys: Whether to look for keys that are spelled like a path; else there must be
                none, which `no_literal_keys` tests.
        """
        self._namespace = namespace
        self._uses = Counter(paths)
        self._literal_keys = literal_keys
        self._walks: dict[Path, str] = {(): RECORD}
        self._values: dict[Path, str] = {}
        self.walking: list[ast.stmt] = []
        """Walks to objects, which come first."""
        self.reading: list[ast.stmt] = []
        """Reads of values that several need, which come next."""
        self.odd_columns: frozenset[str] = frozenset()
        """Keys of records that `no_literal_keys` asks for."""

    def read(self, path: Path) -> ast.expr:
        """Code of the value at a path, None where there is none."""
        if self._uses[path] <= 1 and path not in self._values:
            return self._read(path)
        if path not in self._values:
            name = self._values[path] = f"value_{len(self._values)}"
            self.reading += statements(f"{name} = VALUE", {"VALUE": self._read(path)})
        return load(self._values[path])

    def know(self, path: Path, variable: str) -> None:
        """Take the value at a path from a variable that other code has set."""
        self._values[path] = variable

    def walked(self, path: Path) -> ast.expr:
        """Code of the object at a path, an empty one if there is none; not for literal keys."""
        return load(self._walk(path))

    def is_found(self, path: Path) -> ast.expr:
        """Code that tells whether there is an object at a path; as `walked`."""
        parts = {"NOTHING": self._namespace.bind(_NOTHING, "nothing"), "WALK": self.walked(path)}
        return expression("WALK is not NOTHING", parts)

    def no_literal_keys(self) -> ast.expr:
        """Code that tests whether no object has a key that is spelled like names below it."""
        keys: dict[Path, set[str]] = {}
        for path in self._uses:
            for length in range(len(path) - 1):
                for key, _, _ in joined_names(path[length:]):
                    keys.setdefault(path[:length], set()).add(key)
        self.odd_columns = frozenset(keys.get((), ()))
        tests = [
            expression(
                f"{'' if above else f'{IS_PLAIN} or '}OBJECT.keys().isdisjoint(KEYS)",
                {
                    "OBJECT": load(self._walk(above)),
                    "KEYS": self._namespace.bind(frozenset(found), "keys"),
                },
            )
            for above, found in keys.items()
        ]
        return ast.BoolOp(ast.And(), tests) if len(tests) > 1 else next(iter(tests), constant(True))

    def _read(self, path: Path) -> ast.expr:
        if not self._literal_keys or not any(map(joined_names, _rests(path))):
            return self._step(path)
        parts = {
            "READ": self._namespace.bind(compile_value_reader(path), "read"),
            "RECORD": load(RECORD),
            "KEY": constant(".".join(map(str, path))),
        }
        if all(isinstance(step, str) for step in path):  # the flat columns of an export
            return expression("RECORD[KEY] if KEY in RECORD else READ(RECORD)", parts)
        return expression("READ(RECORD)", parts)

    def _step(self, path: Path) -> ast.expr:
        """Code of a walk's last step, from the object or list above."""
        step = path[-1]
        if isinstance(step, str):
            parts = {"OBJECT": load(self._walk(path[:-1])), "KEY": constant(step)}
            return expression("OBJECT.get(KEY)", parts)
        parts = {
            "ELEMENT": self._namespace.bind(_element, "element"),
            "LIST": self._step(path[:-1]),
            "POSITION": constant(step),
        }
        return expression("ELEMENT(LIST, POSITION)", parts)

    def _walk(self, path: Path) -> str:
        """The variable that holds the object at a path; an empty one if there is none."""
        if path not in self._walks:
            value = self._step(path)
            name = self._walks[path] = f"walk_{len(self._walks)}"
            parts = {"VALUE": value, "NOTHING": self._namespace.bind(_NOTHING, "nothing")}
            self.walking += statements(
                f"{name} = VALUE\nif {name}.__class__ is not dict:\n    {name} = NOTHING", parts
            )
        return self._walks[path]


def _rests(path: Path) -> Iterable[Path]:
    return (path[length:] for length in range(len(path)))


def _element(value: t.Any, position: int) -> t.Any:
    return value[position] if isinstance(value, list) and position < len(value) else None
