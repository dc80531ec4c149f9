"""Put the downstream project into a pytester directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

_PROJECT: Final = Path(__file__).parent / "downstream"

ASYNC_PLUGINS: Final = {
    "strict": ["-o", "asyncio_mode=strict"],
    "auto": ["-o", "asyncio_mode=auto"],
    "none": ["-p", "no:asyncio", "-p", "no:anyio"],
}
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
    return [*ASYNC_PLUGINS[mode], *scope, "-p", "no:cacheprovider"]
