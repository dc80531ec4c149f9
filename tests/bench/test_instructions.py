"""Instruction counts are kept, compared with what is comparable, and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.bench import instructions

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = {"python": "P"}


def counts(source: str = "perf", **scenarios: float) -> dict[str, Any]:
    per_operation = {
        name.replace("_", "-"): {"windtunnel": number, "aiohttp": 2 * number}
        for name, number in scenarios.items()
    }
    return {"source": source, "per_operation": per_operation}


@pytest.mark.parametrize(
    ("now", "passed"), [(105.0, True), (106.0, False), (50.0, True)]
)
def test_instructions_may_grow_by_the_tolerance(now: float, passed: bool) -> None:
    before = {"get": {"windtunnel": 100, "aiohttp": 300}, "upload": {"windtunnel": 1}}
    (verdict,) = instructions.gates({"get": {"windtunnel": now}}, before)
    assert verdict.passed is passed
    assert verdict.wanted == "at most 5% more than 100"


@pytest.mark.parametrize(
    ("source", "python", "expected"),
    [
        pytest.param("perf", "P", True, id="same"),
        pytest.param("valgrind", "P", False, id="other-counter"),
        pytest.param("perf", "Q", False, id="other-python"),
    ],
)
def test_record_of_other_circumstances_says_nothing(
    source: str, python: str, expected: bool
) -> None:
    before = {"source": "perf", "python": "P"}
    found = instructions.comparable(before, source, {"python": python})
    assert found is expected
    assert not instructions.comparable({}, source, {"python": python})


def test_scenario_that_was_not_counted_keeps_its_record(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    assert instructions.recorded(file) == {}
    instructions.record(counts(post_json=10, get=1.6), VERSIONS, file)
    instructions.record(counts(get=5), VERSIONS, file)
    assert instructions.recorded(file)["instructions"] == {
        "get": {"windtunnel": 5, "aiohttp": 10},
        "post-json": {"windtunnel": 10, "aiohttp": 20},
    }


def test_record_of_another_counter_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    instructions.record(counts(post_json=10), VERSIONS, file)
    instructions.record(counts("valgrind", get=5), VERSIONS, file)
    assert list(instructions.recorded(file)["instructions"]) == ["get"]


def test_row_takes_from_the_record_what_was_not_counted_now() -> None:
    before = {"get": {"windtunnel": 100, "aiohttp": 300}}
    assert instructions.rows({"get": {"windtunnel": 50}}, before) == [
        ("small GET, one by one, per request", "50", "300", "6.00", "-50.0%")
    ]
    assert instructions.rows({"get": {"windtunnel": 50}}, {}) == [
        ("small GET, one by one, per request", "50", "", "", "")
    ]


def test_counting_can_be_left_out() -> None:
    counted = instructions.count("none", ["get"], "", [], print)
    assert counted == {"source": "not available", "per_operation": {}}


def test_scenario_without_a_count_is_not_counted() -> None:
    counted = instructions.count("valgrind", ["held"], "", [], print)
    assert counted["per_operation"] == {}
