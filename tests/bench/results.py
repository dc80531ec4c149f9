"""From single measurements to medians, ratios and gates; no process, no output."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from tests.bench.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OURS: Final = "windtunnel"
THEIRS: Final = "aiohttp"
ENTRANTS: Final = (OURS, THEIRS)

#: How much a process that streams a body may grow after its imports.
MOST_GROWTH_KIB: Final = 8 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """What one client needed in one scenario: medians over the rounds.

    Attributes:
        cpu: CPU seconds per operation.
        cpu_range: Smallest and largest of the rounds.
        rate: Operations per second.
        page_faults: Minor page faults per operation.
        growth_kib: How much the process grew after its imports, at its peak.
    """

    cpu: float
    cpu_range: tuple[float, float]
    rate: float
    page_faults: float
    growth_kib: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate.

    Attributes:
        name: What is compared.
        wanted: The bound, as text.
        seen: What was measured, as text.
        passed: Whether it holds.
    """

    name: str
    wanted: str
    seen: str
    passed: bool


def of(
    runs: Sequence[Mapping[str, Any]], name: str, entrant: str
) -> list[Mapping[str, Any]]:
    """Pick the runs of one client in one scenario."""
    return [r for r in runs if r["scenario"] == name and r["entrant"] == entrant]


def figures(runs: Sequence[Mapping[str, Any]]) -> Figures:
    """Sum up the rounds of one client in one scenario."""
    cpu = [run["cpu_seconds"] / run["operations"] for run in runs]
    return Figures(
        cpu=median(cpu),
        cpu_range=(min(cpu), max(cpu)),
        rate=median(run["operations"] / run["seconds"] for run in runs),
        page_faults=median(run["page_faults"] / run["operations"] for run in runs),
        growth_kib=median(run["peak_kib"] - run["kib_after_import"] for run in runs),
    )


def counted_instructions(runs: Sequence[Mapping[str, Any]]) -> float | None:
    """Return instructions per operation by the processor's counter, if it has one."""
    counts = [
        run["instructions"] / run["operations"]
        for run in runs
        if run["instructions"] is not None
    ]
    return median(counts) if counts else None


def ratio(ours: float, theirs: float) -> float:
    """Say how many times less ours is; infinite if it is nothing."""
    return theirs / ours if ours else float("inf")


def speed_gates(table: Mapping[str, Mapping[str, Figures]]) -> list[Verdict]:
    """Hold the measured scenarios to their gates."""
    verdicts: list[Verdict] = []
    for name, both in table.items():
        scenario = SCENARIOS[name]
        if scenario.gate is not None:
            seen = ratio(both[OURS].cpu, both[THEIRS].cpu)
            verdicts.append(
                Verdict(
                    name=f"{scenario.title}: CPU per {scenario.unit} against {THEIRS}",
                    wanted=f"at least {scenario.gate:g} times less",
                    seen=f"{seen:.2f} times less",
                    passed=seen >= scenario.gate,
                )
            )
    return verdicts


def memory_gates(table: Mapping[str, Mapping[str, Figures]]) -> list[Verdict]:
    """Hold the peak memory of processes that stream to the bound."""
    verdicts: list[Verdict] = []
    for name, both in table.items():
        if SCENARIOS[name].bounded:
            grown = both[OURS].growth_kib
            verdicts.append(
                Verdict(
                    name=f"{SCENARIOS[name].title}: memory above that after import",
                    wanted=f"at most {MOST_GROWTH_KIB / 1024:g} MiB",
                    seen=f"{grown / 1024:.1f} MiB",
                    passed=grown <= MOST_GROWTH_KIB,
                )
            )
    return verdicts
