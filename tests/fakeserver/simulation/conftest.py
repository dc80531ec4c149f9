"""What the tests of the simulation share, and the parity count in the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakeserver.simulation.certificates import Certificates

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_PARITY = "test_parity.py::test_scenario_agrees"


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates()


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
