"""Libraries whose loading is put off: with them all is as it is without, whatever an SDK does."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

PLUGINS = {
    "tap_mixpanel_export": "tap_mixpanel_export.tap:TapMixpanelExport",
    "target_aep": "target_aep.target:TargetAEP",
}
TEXTS = [["--version"], ["--help"], ["--about"]]
TEXTS += [["--about", f"--format={kind}"] for kind in ("json", "markdown")]


def python(code, *arguments, **environment):
    """What code prints in an interpreter of its own, which must end well."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(params=PLUGINS)
def plugin(request):
    return request.param


_CALLS = """
import json, sys
from {module} import {name}
for arguments in json.loads(sys.argv.pop()):
    sys.argv[:] = ["it", *arguments]
    try:
        {name}{call}()
    except SystemExit as end:
        print(end.code, "is the end of", *sys.argv)
"""


def test_texts_are_those_of_an_ordinary_import(plugin):
    module, _, name = PLUGINS[plugin].partition(":")
    ordinary = _CALLS.format(module=module, name=name, call=".cli")
    deferred = _CALLS.format(module=f"{plugin}.__main__", name="main", call="")
    text = python(deferred, json.dumps(TEXTS))
    assert text == python(ordinary, json.dumps(TEXTS))
    assert text.count("0 is the end of it") == len(TEXTS)


def test_every_library_of_the_list_would_be_loaded_else(plugin):
    """A library that is no longer imported, or not under these names, is to be taken out."""
    module = PLUGINS[plugin].partition(":")[0]
    listed = import_module(f"{plugin}.deferred_imports").LIBRARIES
    code = f"""
import json, sys
import {module}
listed = json.loads(sys.argv[1])
print(json.dumps({{name: [n for n in names if not hasattr(sys.modules[name], n)]
                  for name, names in listed.items()}}))
"""
    assert json.loads(python(code, json.dumps(listed))) == {name: [] for name in listed}


def test_both_packages_do_it_in_the_same_way():
    tap, target = (import_module(f"{name}.deferred_imports") for name in PLUGINS)
    for name, function in inspect.getmembers(tap, inspect.isroutine):
        assert inspect.getsource(getattr(target, name)) == inspect.getsource(function)
    for name in ("_StandIn", "_DeferredName"):
        assert inspect.getsource(getattr(target, name)) == inspect.getsource(getattr(tap, name))


USES = {
    "threads of the SDK": """
from singer_sdk import target_base
with target_base.parallel_config(backend="threading", n_jobs=2):
    done = target_base.Parallel()(target_base.delayed(str.upper)(each) for each in "abc")
assert done == ["A", "B", "C"]
""",
    "files of BATCH messages": """
import tempfile
from singer_sdk.helpers._batch import StorageTarget
with tempfile.TemporaryDirectory() as folder:
    storage = StorageTarget(root=folder)
    with storage.open("it", "wb") as file:
        file.write(b"x")
    assert storage.get_url("it") == f"file://{folder}/it"
    assert StorageTarget.split_url(f"{folder}/it") == (f"file://{folder}", "it")
""",
    "paths in JSON": """
from singer_sdk.helpers.jsonpath import extract_jsonpath
assert list(extract_jsonpath("$.a[0:2].b", {"a": [{"b": 1}, {"b": 2}, {"b": 3}]})) == [1, 2]
""",
    "streams of REST services": """
import backoff, requests, urllib3
from singer_sdk.streams import rest
from singer_sdk import authenticators
assert rest.requests.Session is requests.Session
assert rest.requests.exceptions.ConnectionError is requests.exceptions.ConnectionError
assert rest.backoff.on_exception is backoff.on_exception
assert authenticators.requests.adapters.HTTPAdapter is requests.adapters.HTTPAdapter
assert authenticators.urllib3.Retry is urllib3.Retry
try:
    raise requests.HTTPError("it")
except authenticators.requests.RequestException as error:
    assert str(error) == "it"
""",
    "versions": """
from singer_sdk import about
assert list(about.get_supported_pythons(">=3.10,<3.12")) == ["3.10", "3.11"]
""",
    "databases": """
import singer_sdk, sqlalchemy
from singer_sdk.sql import SQLConnector, SQLTarget
assert issubclass(SQLTarget, singer_sdk.Target)
connector = SQLConnector({"sqlalchemy_url": "sqlite://"})
assert isinstance(connector.to_sql_type({"type": "string"}), sqlalchemy.types.VARCHAR)
""",
    "what is imported later": """
import joblib, requests.adapters, upath
from jsonpath_ng.ext import parse
from urllib3.util import Retry
for module in (joblib, requests, requests.adapters, upath):
    assert module.__spec__ is not None and module.__file__
""",
}


@pytest.mark.parametrize("use", USES)
def test_the_sdk_works_as_ever(use):
    code = f"""
import sys
from target_aep.deferred_imports import LIBRARIES, deferred
with deferred():
    import singer_sdk
assert not set(LIBRARIES) & set(sys.modules), "something was loaded by the SDK itself"
{USES[use]}
"""
    python(code)


def test_a_library_that_is_loaded_already_stays_as_it_is():
    code = """
import requests, sys
from target_aep.deferred_imports import deferred
with deferred():
    import requests.adapters
    from singer_sdk.streams import rest
assert rest.requests is requests and sys.modules["requests"] is requests
"""
    python(code)


OTHER_SDKS = {
    "a class of it is a base": "from upath import UPath\nclass Sub(UPath): pass\nkept = Sub",
    "a class of it is asked for": """
from upath import UPath
kept = UPath("/it")
assert isinstance(kept, UPath) and issubclass(type(kept), UPath) and UPath.cwd()
""",
    "another name of it": "from joblib import Memory, delayed\nkept = Memory",
    "the module itself": "import joblib\nkept = joblib.Parallel(n_jobs=1)",
    "a submodule of it": "import requests.sessions\nkept = requests.sessions.Session()",
    "a submodule of it by name": "from requests import auth\nkept = auth.AuthBase()",
    "a name of a submodule": "from requests.adapters import HTTPAdapter\nkept = HTTPAdapter()",
    "an error of it is caught": """
import requests
try:
    raise requests.Timeout
except requests.RequestException as error:
    kept = error
""",
    "a union of types": "from upath import UPath\nkept = UPath | None",
}
_SDK = """
import sys
if "deferred" in sys.argv:
    from target_aep.deferred_imports import deferred
    with deferred():
        import singer_sdk
else:
    import singer_sdk
print(type(singer_sdk.kept).__mro__, isinstance(singer_sdk.kept, type) and singer_sdk.kept.__mro__)
assert singer_sdk is sys.modules["singer_sdk"]
"""


@pytest.fixture
def make_sdk(tmp_path):
    """A function that makes another `singer_sdk`, and returns the path on which it is found."""

    def make(source):
        (tmp_path / "singer_sdk").mkdir()
        (tmp_path / "singer_sdk" / "__init__.py").write_text(source, "utf-8")
        return os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    return make


@pytest.mark.parametrize("use", OTHER_SDKS)
def test_a_later_sdk_may_use_them_in_any_way(use, make_sdk):
    path = make_sdk(OTHER_SDKS[use])
    assert python(_SDK, "deferred", PYTHONPATH=path) == python(_SDK, PYTHONPATH=path)


def test_a_library_that_is_not_installed_is_missed_at_once(make_sdk):
    path = make_sdk("try:\n    import not_there\nexcept ImportError as error:\n    kept = error")
    code = """
from target_aep.deferred_imports import deferred
with deferred({"not_there": ()}):
    import singer_sdk
print(singer_sdk.kept.name)
"""
    assert python(code, PYTHONPATH=path).strip() == "not_there"


def test_an_sdk_that_cannot_be_imported_says_why(make_sdk):
    code = """
from target_aep.deferred_imports import deferred
try:
    with deferred():
        import singer_sdk
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert python(code, PYTHONPATH=make_sdk("import nothing_such")).strip() == "nothing_such"


def test_the_package_as_a_library_puts_nothing_off(plugin):
    module = PLUGINS[plugin].partition(":")[0]
    python(f"import sys, {module}; assert sys.modules['joblib'].__file__")
