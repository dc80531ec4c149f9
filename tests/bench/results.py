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

#: How many times less CPU per operation than aiohttp this client must take.
GATES: Final = {"get-50": 2.5, "download": 3.0}

#: How much more instructions than recorded are a regression.
TOLERANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """What one client needed in one scenario: medians over the rounds.

    Attributes:
        cpu: CPU seconds per operation.
        cpu_range: Smallest and largest of the rounds.
        rate: Operations per second.
        page_faults: Minor page faults per operation.
    """

    cpu: float
    cpu_range: tuple[float, float]
    rate: float
    page_faults: float


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


def figures(runs: Sequence[Mapping[str, Any]]) -> Figures:
    """Sum up the rounds of one client in one scenario."""
    cpu = [run["cpu_seconds"] / run["operations"] for run in runs]
    return Figures(
        cpu=median(cpu),
        cpu_range=(min(cpu), max(cpu)),
        rate=median(run["operations"] / run["seconds"] for run in runs),
        page_faults=median(run["page_faults"] / run["operations"] for run in runs),
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
    """Hold the measured scenarios to ``GATES``."""
    verdicts: list[Verdict] = []
    for scenario, bound in GATES.items():
        if scenario in table:
            both = table[scenario]
            seen = ratio(both[OURS].cpu, both[THEIRS].cpu)
            verdicts.append(
                Verdict(
                    name=f"{SCENARIOS[scenario].title}: CPU per "
                    f"{SCENARIOS[scenario].unit} against {THEIRS}",
                    wanted=f"at least {bound:g} times less",
                    seen=f"{seen:.2f} times less",
                    passed=seen >= bound,
                )
            )
    return verdicts


def regression_gates(
    counts: Mapping[str, Mapping[str, float]],
    recorded: Mapping[str, Any],
    source: str,
    versions: Mapping[str, str],
) -> list[Verdict]:
    """Hold instructions per operation to those of an earlier, recorded run.

    Counts depend on the interpreter and on how they were taken, so a record made with
    another Python or another counter says nothing and gives no verdict.
    """
    same = recorded.get("source") == source
    if not same or recorded.get("python") != versions["python"]:
        return []
    verdicts: list[Verdict] = []
    for scenario, before in recorded["instructions"].items():
        now = counts.get(scenario, {}).get(OURS)
        if now is not None:
            change = now / before - 1
            verdicts.append(
                Verdict(
                    name=f"{SCENARIOS[scenario].title}: instructions per "
                    f"{SCENARIOS[scenario].unit} against the record",
                    wanted=f"at most {TOLERANCE:.0%} more than {before:,.0f}",
                    seen=f"{now:,.0f} ({change:+.1%})",
                    passed=now <= before * (1 + TOLERANCE),
                )
            )
    return verdicts
