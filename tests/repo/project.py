"""Where things are in this repository, for the tests that look at it as a whole."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = {
    "windtunnel": ROOT / "client" / "windtunnel",
    "windtunnel_fakeserver": ROOT / "fakeserver" / "windtunnel_fakeserver",
    "pytest_windtunnel": ROOT / "pytest_plugin" / "pytest_windtunnel",
    "windtunnel_conformance": ROOT / "conformance" / "windtunnel_conformance",
}


def pyproject() -> dict[str, Any]:
    """Return the parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def package_modules() -> list[Path]:
    """Return every Python file of the four packages, sorted."""
    return sorted(path for folder in PACKAGES.values() for path in folder.rglob("*.py"))
