"""Put the downstream project into a pytester directory."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

# A run in this process forgets what it imported. Imported here, they are found again
# by the next run: that saves seconds, and the time shim is installed only once.
for _name in (
    "aiohttp",
    "anyio._backends._asyncio",
    "httpcore",
    "httpx",
    "hypothesis.strategies",
    "pytest_windtunnel.loops",
    "pytest_windtunnel.report",
    "trustme",
    "windtunnel",
):
    importlib.import_module(_name)

_PROJECT: Final = Path(__file__).parent / "downstream"

ASYNC_PLUGINS: Final = {
    "strict": ["-o", "asyncio_mode=strict"],
    "auto": ["-o", "asyncio_mode=auto"],
    "none": ["-p", "no:asyncio", "-p", "no:anyio"],
}
# Loading hypothesis takes longer than most of these runs, and none uses a cache.
_QUIET: Final = ["-p", "no:hypothesispytest", "-p", "no:cacheprovider"]
_IMPORTS: Final = """\
import asyncio
import time
import aiohttp
import httpx
import pytest
from windtunnel_fakeserver import Reply
"""
_FIXTURE_SCOPE: Final = ["-o", "asyncio_default_fixture_loop_scope=function"]


def copy_project(pytester: pytest.Pytester, mark: str, *tests: str) -> None:
    """Copy the package and the chosen test modules.

    Args:
        mark: What replaces MARK, for example ``pytest.mark.asyncio``; ``[]`` for none.
        tests: Names of test modules without ``test_``.
    """
    wanted = {"conftest.py", *(f"test_{name}.py" for name in tests)}
    for source in sorted(_PROJECT.rglob("*.txt")):
        place = source.relative_to(_PROJECT).with_suffix("")
        if place.parts[0] == "tests" and place.name not in wanted:
            continue
        target = pytester.path / place
        target.parent.mkdir(exist_ok=True)
        text = source.read_text().replace("pytestmark = MARK", f"pytestmark = {mark}")
        target.write_text(text)


def plugins(mode: str) -> list[str]:
    """Return the arguments that choose an async plugin; see ``ASYNC_PLUGINS``."""
    scope = [] if mode == "none" else _FIXTURE_SCOPE
    return [*ASYNC_PLUGINS[mode], *scope, *_QUIET]


def run_tests(
    pytester: pytest.Pytester, source: str, *arguments: str, mode: str = "none"
) -> pytest.RunResult:
    """Run ``test_it.py`` in this process; ``Reply`` and others are imported in it."""
    pytester.makepyfile(test_it=_IMPORTS + textwrap.dedent(source))
    return pytester.runpytest_inprocess(*plugins(mode), *arguments)
