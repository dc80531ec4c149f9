"""Instructions per operation: counted, recorded, and held to the record."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import processes, results
from tests.bench.counters import InstructionCounter
from tests.bench.results import ENTRANTS, OURS, Verdict
from tests.bench.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RECORD: Final = Path(__file__).with_name("instructions.json")

#: How much more instructions than recorded are a regression.
TOLERANCE: Final = 0.05

_NOT_AVAILABLE: Final = "not available"


def count(
    how: str,
    names: Sequence[str],
    site: str,
    runs: Sequence[Mapping[str, Any]],
    progress: Callable[[str], None],
    entrants: Sequence[str] = ENTRANTS,
) -> dict[str, Any]:
    """Count instructions per operation, in the way that was asked for.

    Args:
        how: "auto", "perf", "valgrind" or "none".
        names: The scenarios.
        site: Where the server is.
        runs: What was measured; the processor's counts are among it.
        progress: Told what is being counted.
        entrants: Whose instructions are counted where counting takes time.

    Returns:
        ``source``: "perf", "valgrind" or why there is none; ``per_operation``: counts
        by scenario and client.

    Raises:
        BenchError: Valgrind was asked for by name, and failed.
    """
    if how in ("auto", "perf") and InstructionCounter().available:
        return {"source": "perf", "per_operation": _by_processor(names, runs)}
    counted = [name for name in names if SCENARIOS[name].counted]
    if how not in ("auto", "valgrind") or not processes.valgrind() or not counted:
        return {"source": _NOT_AVAILABLE, "per_operation": {}}
    pairs = [(name, entrant) for name in counted for entrant in entrants]

    def one(pair: tuple[str, str]) -> float:
        progress(f"counting instructions: {SCENARIOS[pair[0]].title}, {pair[1]}")
        amount = SCENARIOS[pair[0]].counted
        return processes.count_with_valgrind(pair[1], pair[0], site, amount)

    try:
        with ThreadPoolExecutor(2) as pool:
            per_pair = dict(zip(pairs, pool.map(one, pairs), strict=True))
    except processes.BenchError as exc:
        if how == "valgrind":
            raise
        # Nobody asked for it by name, and the times have been measured.
        return {"source": f"{_NOT_AVAILABLE}: {exc}", "per_operation": {}}
    per_operation = {
        name: {entrant: per_pair[name, entrant] for entrant in entrants}
        for name in counted
    }
    return {"source": "valgrind", "per_operation": per_operation}


def _by_processor(
    names: Sequence[str], runs: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float | None]]:
    return {
        name: {
            entrant: results.counted_instructions(results.of(runs, name, entrant))
            for entrant in ENTRANTS
        }
        for name in names
    }


def record(
    counts: Mapping[str, Any], versions: Mapping[str, str], file: Path = RECORD
) -> None:
    """Keep the counts for later runs to be compared with.

    Scenarios that were not counted now keep their counts if the rest of the record was
    made in the same way.
    """
    before = recorded(file)
    same = comparable(before, counts["source"], versions)
    kept: dict[str, dict[str, float]] = before["instructions"] if same else {}
    per_operation = kept | {
        name: {entrant: round(number) for entrant, number in both.items()}
        for name, both in counts["per_operation"].items()
    }
    content = {
        "source": counts["source"],
        "python": versions["python"],
        "versions": dict(versions),
        "instructions": {
            name: per_operation[name] for name in SCENARIOS if name in per_operation
        },
    }
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def recorded(file: Path = RECORD) -> dict[str, Any]:
    """Read the record; empty if there is none."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def comparable(
    before: Mapping[str, Any], source: str, versions: Mapping[str, str]
) -> bool:
    """Say whether a record was made with the same interpreter and counter."""
    same = before.get("source") == source
    return same and before.get("python") == versions["python"]


def gates(
    counts: Mapping[str, Mapping[str, float]], before: Mapping[str, Mapping[str, float]]
) -> list[Verdict]:
    """Hold instructions per operation to those of an earlier, recorded run."""
    verdicts: list[Verdict] = []
    for scenario, both in before.items():
        now = counts.get(scenario, {}).get(OURS)
        if now is not None:
            then = both[OURS]
            verdicts.append(
                Verdict(
                    name=f"{SCENARIOS[scenario].title}: instructions per "
                    f"{SCENARIOS[scenario].unit} against the record",
                    wanted=f"at most {TOLERANCE:.0%} more than {then:,.0f}",
                    seen=f"{now:,.0f} ({now / then - 1:+.1%})",
                    passed=now <= then * (1 + TOLERANCE),
                )
            )
    return verdicts


def rows(
    counts: Mapping[str, Mapping[str, float]], before: Mapping[str, Mapping[str, float]]
) -> list[tuple[str, ...]]:
    """Make the lines of a table: both clients, the ratio, and our change.

    What was not counted in this run is taken from the record.
    """
    lines: list[tuple[str, ...]] = []
    for name, now in counts.items():
        then = before.get(name, {})
        both = [now.get(entrant) or then.get(entrant) for entrant in ENTRANTS]
        ours, theirs = both
        lines.append(
            (
                f"{SCENARIOS[name].title}, per {SCENARIOS[name].unit}",
                *("" if number is None else f"{number:,.0f}" for number in both),
                f"{results.ratio(ours, theirs):.2f}" if ours and theirs else "",
                f"{ours / then[OURS] - 1:+.1%}" if ours and OURS in then else "",
            )
        )
    return lines
