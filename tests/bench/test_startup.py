"""Imports are measured in fresh interpreters, and held to their bound."""

from __future__ import annotations

import pytest

from tests.bench import processes, startup


def test_imports_are_measured_after_a_round_that_compiles() -> None:
    told: list[str] = []
    imports = {"nothing": "pass", "client": "import windtunnel"}
    seconds = startup.measure(1, told.append, imports)
    assert list(seconds) == ["nothing", "client"]
    assert 0 <= seconds["nothing"] < seconds["client"]
    assert told == ["imports, round 0 of 1", "imports, round 1 of 1"]


@pytest.mark.parametrize(("taken", "passed"), [(0.08, True), (0.081, False)])
def test_gate_holds_up_to_its_bound(taken: float, passed: bool) -> None:
    verdict = startup.gate({"import windtunnel": taken})
    assert verdict.passed is passed
    assert verdict.wanted == "at most 80 ms"


def test_import_that_fails_is_reported_with_its_last_line() -> None:
    with pytest.raises(processes.BenchError, match="No module named 'no_such_module'"):
        startup.measure(1, lambda text: None, {"x": "import no_such_module"})


def test_rows_are_milliseconds() -> None:
    assert startup.rows({"a": 0.0123}) == [("a", "12.3 ms")]
