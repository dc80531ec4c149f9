"""Each module of the client has a test file of its own.

``client/windtunnel/_room/x.py`` is tested by ``tests/client/room/test_x.py``. A module
whose behaviour is that of something larger is tested where that is, and listed here.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.repo.project import PACKAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

TESTS = ROOT / "tests" / "client"

ELSEWHERE: dict[str, str] = {}


def has_code(path: Path) -> bool:
    """Say whether a module does anything, rather than name things."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        isinstance(node, kinds) and node.name != "__getattr__"
        for node in ast.walk(tree)
    )


def modules_without_mirror() -> dict[str, str]:
    """Give the modules that do something and have no mirrored test file, and that."""
    client = PACKAGES["windtunnel"]
    missing: dict[str, str] = {}
    for path in sorted(client.rglob("*.py")):
        name = path.relative_to(client).with_suffix("").as_posix()
        folder, _, stem = name.rpartition("/")
        mirror = f"{folder.lstrip('_')}/test_{stem}.py".lstrip("/")
        if stem == "__init__" or (TESTS / mirror).exists() or not has_code(path):
            continue
        missing[name] = mirror
    return missing


def test_each_module_of_the_client_has_its_test_file_or_says_where_it_is_tested() -> (
    None
):
    assert sorted(modules_without_mirror()) == sorted(ELSEWHERE)


def test_the_files_that_test_other_modules_are_there() -> None:
    gone = {file for file in ELSEWHERE.values() if not (TESTS / file).exists()}
    assert gone == set()
