"""Keeps these tests out of sessions that did not ask for them: see ``__main__``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_asked_for = config.pluginmanager.has_plugin("tests.libraries.session")
    return None if is_asked_for or collection_path.is_dir() else True
