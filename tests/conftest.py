"""What every run of the suite prints besides the results of its tests.

It stands at the root because only this conftest is asked for its summary when workers
run the tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest
    from _pytest.terminal import TerminalReporter

_PARITY = "test_parity.py::test_scenario_agrees"
_LIBRARIES = Path(__file__).parent / "libraries"


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    def count(outcome: str) -> int:
        reports = terminalreporter.stats.get(outcome, [])
        return sum(_PARITY in getattr(report, "nodeid", "") for report in reports)

    agree, differ = count("passed"), count("failed")
    if agree or differ:
        terminalreporter.write_line(
            f"parity: {agree} scenarios agree between real sockets and the simulation"
            + (f", {differ} DIFFER" if differ else "")
        )
    for report in terminalreporter.stats.get("passed", []):
        for name, value in getattr(report, "user_properties", ()):
            if name.startswith("simulation: "):
                terminalreporter.write_line(f"{name} {value}")
    if left_out := flows_left_out(terminalreporter.config):
        terminalreporter.write_line(left_out)


def flows_left_out(config: pytest.Config) -> str:
    """Say how many flows of other people's libraries were in reach and not run."""
    places = [Path(str(arg).partition("::")[0]).resolve() for arg in config.args]
    is_in_reach = any(_LIBRARIES.is_relative_to(place) for place in places)
    if not is_in_reach or config.pluginmanager.has_plugin("tests.libraries.session"):
        return ""
    texts = [path.read_text("utf-8") for path in _LIBRARIES.glob("test_*.py")]
    flows = sum(len(re.findall(r"^async def test_", text, re.M)) for text in texts)
    return (
        f"libraries: {flows} flows of {len(texts)} modules not run: they need packages "
        "of others, and `make libraries` runs them"
    )
