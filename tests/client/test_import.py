"""Importing the client costs little, and every public name is there when it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import windtunnel

PACKAGE = Path(windtunnel.__file__).parent

#: Modules that take long to import, and that a program may never need.
HEAVY = (
    "asyncio",
    "email",
    "http.client",
    "http.cookies",
    "json",
    "logging",
    "mimetypes",
    "multidict",
    "netrc",
    "ssl",
    "yarl",
    "zlib",
)


def fresh(code: str) -> Any:
    """Run code that prints the repr of a value in a new interpreter; give the value."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    return ast.literal_eval(done.stdout)


def test_import_alone_loads_nothing_heavy() -> None:
    loaded = fresh(
        "import sys\n"
        "before = set(sys.modules)\n"
        "import windtunnel\n"
        "print(sorted(set(sys.modules) - before))"
    )
    assert set(loaded) & set(HEAVY) == set()
    assert [name for name in loaded if name.startswith("windtunnel")] == [
        "windtunnel",
        "windtunnel._base",
        "windtunnel._base.version",
    ]


def test_star_import_finds_every_public_name_and_keeps_it() -> None:
    missing = fresh(
        "from windtunnel import *\n"
        "import windtunnel\n"
        "public = set(windtunnel.__all__)\n"
        "kept = set(globals()) & set(vars(windtunnel))\n"
        "print(sorted(public - kept))"
    )
    assert missing == []


def test_every_home_can_be_the_first_that_is_imported() -> None:
    failures = fresh(
        "import importlib, sys, windtunnel\n"
        "failures = {}\n"
        "for home in windtunnel._HOMES:\n"
        "    for loaded in [m for m in sys.modules if m.startswith('windtunnel')]:\n"
        "        del sys.modules[loaded]\n"
        "    try:\n"
        "        importlib.import_module(home)\n"
        "    except ImportError as exc:\n"
        "        failures[home] = str(exc)\n"
        "print(failures)"
    )
    assert failures == {}


def test_dir_lists_names_that_are_not_imported_yet() -> None:
    listed = fresh("import windtunnel\nprint(dir(windtunnel))")
    assert {*windtunnel.__all__, "abc", "errors", "hdrs"} <= set(listed)
    assert listed == sorted(listed)


def test_public_modules_are_attributes_without_an_import_of_their_own() -> None:
    found = fresh(
        "import windtunnel\n"
        "print([windtunnel.abc.__name__, windtunnel.errors.__name__])"
    )
    assert found == ["windtunnel.abc", "windtunnel.errors"]


def test_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'windtunnel' has no attribute 'Nope'"):
        getattr(windtunnel, "Nope")  # noqa: B009  # checkers know that it is not there
    with pytest.raises(ImportError, match="cannot import name 'Nope'"):
        exec("from windtunnel import Nope")


def test_type_checkers_see_the_names_that_the_interpreter_finds() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (checked,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    ]
    imports = [node for node in checked.body if isinstance(node, ast.ImportFrom)]
    homes = {
        alias.name: node.module
        for node in imports
        for alias in node.names
        if node.module != "windtunnel"
    }
    assert homes == windtunnel._HOME_OF
    assert set(windtunnel.__all__) == {*homes, "hdrs", "__version__"}
