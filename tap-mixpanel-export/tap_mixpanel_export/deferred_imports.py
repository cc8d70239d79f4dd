"""Libraries that are imported and seldom used: loaded at their first use, if there is one.

`import singer_sdk` loads joblib (with psutil, and numpy where that is installed) for one method of
targets, universal-pathlib (with fsspec) for BATCH files, and requests, jsonpath-ng and backoff for
streams of REST services: more than all the rest of a start. So stand-ins take the places of these
modules while the command is being imported. A stand-in loads its library as soon as anything of
it is used; later imports get the library itself.

`importlib.util.LazyLoader` would not do: `from joblib import Parallel` uses the module at once.
Only the command does this. Who imports the package as a library gets all as it is.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import typing as t
from types import ModuleType

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SDK = "singer_sdk"
LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "backoff": (),
    "joblib": ("Parallel", "delayed", "parallel_config"),
    "jsonpath_ng": ("Child", "Slice"),
    "jsonpath_ng.ext": ("parse",),
    "packaging.specifiers": ("SpecifierSet",),
    "packaging.version": ("Version",),
    "platformdirs": (),
    "requests": (),
    "requests.adapters": (),
    "requests.exceptions": (),
    "upath": ("UPath",),
    "urllib3": (),
}
"""The modules, and what singer-sdk 0.54.9 imports from them by name (`from … import …`)."""


@contextlib.contextmanager
def deferred(libraries: Mapping[str, tuple[str, ...]] = LIBRARIES) -> Iterator[None]:
    """Import the SDK, and what the body imports, without libraries that are used later or never.

    An SDK that uses one of them while it is imported, in a way that a stand-in can't serve, is
    left for an ordinary import, and so is all of the body.

    Args:
        libraries: The modules, and the names in them that stand for themselves until they are used.
            Libraries that are loaded already stay as they are, and ones that are not there too.
    """
    stand_ins = _put_in_place(libraries)
    try:
        try:
            importlib.import_module(SDK)
        except Exception:  # noqa: BLE001 - the ordinary import tells what is really wrong
            _take_away(stand_ins)
            for name in [name for name in sys.modules if _root(name) == SDK]:
                del sys.modules[name]
        yield
    finally:
        _take_away(stand_ins)


def _put_in_place(libraries: Mapping[str, tuple[str, ...]]) -> list[_StandIn]:
    roots = {_root(name) for name in libraries}
    put_off = {root for root in roots if root not in sys.modules and importlib.util.find_spec(root)}
    names = [name for name in libraries if _root(name) in put_off]
    made = [_StandIn(name, libraries[name], names) for name in names]
    for stand_in in made:
        sys.modules[stand_in.__name__] = stand_in
    return made


def _take_away(stand_ins: list[_StandIn]) -> None:
    for stand_in in stand_ins:
        if sys.modules.get(stand_in.__name__) is stand_in:
            del sys.modules[stand_in.__name__]


class _StandIn(ModuleType):
    """A module whose library is loaded when anything but the known names is asked for."""

    def __init__(self, name: str, names: Sequence[str], others: Sequence[str]) -> None:
        super().__init__(name)
        self.__others = others
        # `from … import …` asks for it; an import of a submodule that is not listed fails by it.
        self.__path__: list[str] = []
        for each in names:
            setattr(self, each, _DeferredName(name, each))

    def __getattr__(self, name: str) -> t.Any:
        library = _library(self.__name__)
        submodule = f"{self.__name__}.{name}"
        if submodule in self.__others:  # `import` has found a stand-in of it
            importlib.import_module(submodule)
        value = getattr(library, name)
        setattr(self, name, value)
        return value


class _DeferredName:
    """A class or function whose library is loaded when it is called, looked into or compared."""

    def __init__(self, module: str, name: str) -> None:
        self.__module = module
        self.__name = name

    def __call__(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return self.__value()(*args, **kwargs)

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self.__value(), name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self.__value())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self.__value())

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type]:
        return (self.__value(),)

    def __value(self) -> t.Any:
        return getattr(_library(self.__module), self.__name)


def _library(name: str) -> ModuleType:
    """Load a library itself, and what that imports: from here on nothing stands in any more."""
    _take_away([module for module in list(sys.modules.values()) if isinstance(module, _StandIn)])
    return importlib.import_module(name)


def _root(name: str) -> str:
    return name.partition(".")[0]
