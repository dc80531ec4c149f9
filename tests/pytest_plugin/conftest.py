"""The downstream project is data for our tests, not tests of ours."""

from __future__ import annotations

import pytest

collect_ignore = ["downstream"]

# What pytest reads to choose how much it prints, and in what colours.
_OUTPUT_VARIABLES = ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PY_COLORS", "FORCE_COLOR")


@pytest.fixture(autouse=True)
def same_output_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest prints its summary in full on a CI machine; ours is judged alike."""
    for name in _OUTPUT_VARIABLES:
        monkeypatch.delenv(name, raising=False)
