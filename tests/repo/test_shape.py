"""Sizes, markers and names that hold for the whole repository."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.repo.project import PACKAGES, ROOT, package_modules, pyproject

if TYPE_CHECKING:
    from pathlib import Path

MAX_LINES = 500
TEXT_SUFFIXES = {".py", ".toml", ".md", ".txt", ".sh", ".mjs", ".html", ".j2", ""}
# Which index packages come from is the user's choice, so no file names one. The names
# are spelled in halves, so that this file does not find itself.
REGISTRIES = ("pypi" + r"\.org", "python" + "hosted", "npm" + "js", "debian" + r"\.org")
FORBIDDEN = re.compile("|".join(REGISTRIES))


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_tells_type_checkers_that_it_is_typed(package: str) -> None:
    assert (PACKAGES[package] / "py.typed").exists()


def test_no_source_file_is_longer_than_the_limit() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in package_modules()
    }
    assert {name: n for name, n in lengths.items() if n > MAX_LINES} == {}


def test_each_module_says_in_its_first_line_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in package_modules()
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def tracked_texts() -> list[Path]:
    folders = [*PACKAGES.values(), ROOT / "tests", ROOT / "docs", ROOT / "tools"]
    found = [path for folder in folders for path in folder.rglob("*")]
    return [
        path
        for path in [*found, *ROOT.glob("*")]
        if path.is_file()
        and path.suffix in TEXT_SUFFIXES
        and "__pycache__" not in path.parts
        and not path.name.startswith(".coverage")
    ]


def test_no_file_names_a_package_registry() -> None:
    naming = [
        str(path.relative_to(ROOT))
        for path in tracked_texts()
        if FORBIDDEN.search(path.read_text(encoding="utf-8"))
    ]
    assert naming == []


def test_the_client_knows_the_version_of_the_distribution() -> None:
    assert windtunnel.__version__ == pyproject()["project"]["version"]
