"""The benchmark runs, measures something, and judges what it measured."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench import __main__ as bench, counters, processes, report, results
from tests.bench.results import Figures, Verdict
from tests.bench.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


NOWHERE = '{"http": "http://127.0.0.1:1", "https": "", "authority": ""}'


def figures(cpu: float, rate: float = 1.0, growth: float = 0.0) -> Figures:
    return Figures(
        cpu=cpu, cpu_range=(cpu, cpu), rate=rate, page_faults=0.0, growth_kib=growth
    )


def run_of(entrant: str = "windtunnel", **changes: Any) -> dict[str, Any]:
    run = {
        "entrant": entrant,
        "scenario": "get",
        "operations": 10,
        "seconds": 2.0,
        "cpu_seconds": 1.0,
        "page_faults": 5,
        "instructions": None,
        "kib_after_import": 1000,
        "peak_kib": 1500,
    }
    return run | changes


def test_one_tiny_round_measures_both_clients_and_writes_complete_json(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    status = bench.main(
        [
            *("--scenario", "get-50", "--scenario", "download"),
            *("--quick", "--rounds", "1", "--amount", "50", "--instructions", "none"),
            *("--json", str(file)),
        ]
    )
    assert status in (0, 1)  # so small a round says nothing about speed
    data = json.loads(file.read_text(encoding="utf-8"))
    assert set(data["versions"]) == {
        "python", "windtunnel", "aiohttp", "multidict", "yarl", "websockets",
    }  # fmt: skip
    assert data["machine"]["processors"] >= 1
    assert data["settings"]["rounds"] == 1
    assert len(data["runs"]) == 4
    assert list(data["scenarios"]) == ["get-50", "download"]
    for scenario in data["scenarios"].values():
        assert scenario["cpu_ratio"] > 0
        assert scenario["rate_ratio"] > 0
        for entrant in ("windtunnel", "aiohttp"):
            assert scenario["entrants"][entrant]["cpu"] > 0
            assert scenario["entrants"][entrant]["rate"] > 0
    assert data["instructions"] == {"source": "not available", "per_operation": {}}
    assert [gate["passed"] for gate in data["gates"]].count(False) == (
        0 if status == 0 else sum(not gate["passed"] for gate in data["gates"])
    )
    out, err = capfd.readouterr()
    assert "small GET, 50 at once" in out
    assert out.count("PASS") + out.count("FAIL") == 3
    assert "round 1 of 1: download, Content-Length, 50 x MiB, aiohttp" in err


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with processes.server(None) as running:
        yield running


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"get-50", "download"}))
def test_scenario_works_against_the_real_server(name: str, site: str) -> None:
    amount = 100 if name == "ws-burst" else 2
    run = processes.measure("windtunnel", name, site, amount, None)
    assert run["operations"] == amount
    assert run["seconds"] > 0
    assert run["peak_kib"] >= run["kib_after_import"] > 0


def test_figures_are_medians_per_operation() -> None:
    runs = [
        run_of(cpu_seconds=c, seconds=s) for c, s in ((1.0, 2.0), (3.0, 4.0), (2, 5))
    ]
    found = results.figures(runs)
    assert found.cpu == pytest.approx(0.2)
    assert found.cpu_range == pytest.approx((0.1, 0.3))
    assert found.rate == pytest.approx(2.5)
    assert found.page_faults == pytest.approx(0.5)
    assert found.growth_kib == 500


@pytest.mark.parametrize(("ours", "passed"), [(1.0, True), (1.01, False)])
def test_gate_holds_from_its_bound_on(ours: float, passed: bool) -> None:
    table = {"get-50": {"windtunnel": figures(ours), "aiohttp": figures(2.5)}}
    (verdict,) = results.speed_gates(table)
    assert verdict.passed is passed


def test_scenario_without_a_gate_gives_no_verdict() -> None:
    table = {"upload-multipart": {"windtunnel": figures(1), "aiohttp": figures(1)}}
    assert results.speed_gates(table) == []


@pytest.mark.parametrize(("growth", "passed"), [(8192.0, True), (8193.0, False)])
def test_memory_may_grow_up_to_the_bound(growth: float, passed: bool) -> None:
    table = {"download": {"windtunnel": figures(1, growth=growth)}}
    (verdict,) = results.memory_gates(table)
    assert verdict.passed is passed


def test_memory_of_what_streams_nothing_is_not_judged() -> None:
    table = {"held": {"windtunnel": figures(1, growth=1e9)}}
    assert results.memory_gates(table) == []


def test_instructions_by_the_processor_are_medians_where_there_are_any() -> None:
    runs = [run_of(instructions=count) for count in (10, 30, None, 20)]
    assert results.counted_instructions(runs) == 2
    assert results.counted_instructions([run_of()]) is None


def test_counter_counts_or_says_that_it_cannot() -> None:
    counter = counters.InstructionCounter()
    available = counter.available
    counter.start()
    count = counter.stop()
    assert (count is not None) is available
    assert count is None or count > 0


def test_ratio_says_how_many_times_less() -> None:
    assert results.ratio(2, 6) == 3
    assert results.ratio(0, 6) == float("inf")


def test_plain_table_lines_its_columns_up() -> None:
    table = report.plain_table("title", ("name", "n"), [("a", "100"), ("bcdef", "2")])
    assert table == "title\nname     n\na      100\nbcdef    2\n"


def test_markdown_table_aligns_figures_right() -> None:
    table = report.markdown_table("title", ("name", "n"), [("a", "100")])
    assert table == "title\n\n| name | n |\n| --- | ---: |\n| a | 100 |\n\n"


def test_gates_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    report.show_verdicts([Verdict("a", "x", "y", True), Verdict("b", "x", "z", False)])
    assert capsys.readouterr().out == "PASS  a: y (wanted: x)\nFAIL  b: z (wanted: x)\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "0"], "--rounds 0: at least 1"),
        (["--amount", "0"], "--amount 0: at least 1"),
        (["--scenario", "nope"], "invalid choice: 'nope'"),
    ],
)
def test_wrong_arguments_are_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        bench.parse(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_help_has_examples() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--help"],
        cwd=processes.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "python -m tests.bench --quick" in done.stdout


# A shell has programs in its background ignore Ctrl-C, and so do the children of those.
LISTENING = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("tests.bench", run_name="__main__", alter_sys=True)
"""


def test_interrupt_shows_what_was_measured_until_then() -> None:
    command = ["--scenario", "get", "--amount", "1", "--rounds", "1000"]
    with subprocess.Popen(
        [sys.executable, "-c", LISTENING, *command, "--instructions", "none"],
        cwd=processes.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("round 2"):
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 1)
    assert "stopped after" in err
    assert "small GET, one by one" in out, err


def test_client_that_fails_is_reported_with_its_last_line() -> None:
    with pytest.raises(
        processes.BenchError, match=r"windtunnel in get ended with status"
    ):
        processes.measure("windtunnel", "get", NOWHERE, 1, None)
