"""The import contracts hold, and each of them is able to fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.repo.project import PACKAGES, ROOT, pyproject

if TYPE_CHECKING:
    from pathlib import Path

CONTRACTS: list[str] = [
    contract["name"] for contract in pyproject()["tool"]["importlinter"]["contracts"]
]

# One line that breaks each contract, and the file that it is added to.
VIOLATIONS = {
    "client and fake server share no code; plugin and corpus sit above them": (
        "windtunnel/hdrs.py",
        "import windtunnel_fakeserver",
    ),
    "inside the client, imports point down the data flow": (
        "windtunnel/_base/__init__.py",
        "import windtunnel._session",
    ),
    "inside the fake server, imports point down the data flow": (
        "windtunnel_fakeserver/_wire/__init__.py",
        "import windtunnel_fakeserver._journal",
    ),
    "only the tunnel knows both the simulation and the server": (
        "windtunnel_fakeserver/simulation/__init__.py",
        "import windtunnel_fakeserver._journal",
    ),
    "the server runs on any event loop: it never imports the simulation": (
        "windtunnel_fakeserver/_serve/__init__.py",
        "import windtunnel_fakeserver.simulation",
    ),
    "protocol and decision code does no I/O": (
        "windtunnel/_wire/__init__.py",
        "import socket",
    ),
    "only the client adapters of the corpus import a client": (
        "windtunnel_conformance/__init__.py",
        "import aiohttp",
    ),
}


def run_linter(folder: Path) -> str:
    """Check the packages below ``folder`` and return the report."""
    # A small program instead of the command, because the editable install would
    # otherwise win over the copies.
    program = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "from importlinter.cli import lint_imports_command as command\n"
        "command(['--no-cache'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four packages side by side, with the project's contracts."""
    folder = tmp_path_factory.mktemp("packages")
    for name, package in PACKAGES.items():
        shutil.copytree(
            package, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_each_contract_has_a_planted_violation() -> None:
    assert sorted(VIOLATIONS) == sorted(CONTRACTS)


def test_all_contracts_hold_as_the_code_stands(copies: Path) -> None:
    report = run_linter(copies)
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in report, report


def test_each_contract_breaks_on_its_planted_violation(
    copies: Path, tmp_path: Path
) -> None:
    planted = tmp_path / "planted"
    shutil.copytree(copies, planted)
    for file, line in VIOLATIONS.values():
        with (planted / file).open("a", encoding="utf-8") as handle:
            handle.write(f"\n{line}\n")
    report = run_linter(planted)
    broken = re.findall(r"^(.+?) BROKEN", report, re.MULTILINE)
    assert sorted(broken) == sorted(CONTRACTS), report
