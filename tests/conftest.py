"""What every run of the suite prints besides the results of its tests.

It stands at the root because only this conftest is asked for its summary when workers
run the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_PARITY = "test_parity.py::test_scenario_agrees"


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
