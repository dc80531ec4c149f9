"""Measure windtunnel against aiohttp, side by side, in one run."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import processes, report, results
from tests.bench.counters import InstructionCounter
from tests.bench.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD: Final = Path(__file__).with_name("instructions.json")

_EXAMPLES: Final = """\
examples:
  python -m tests.bench                          everything, five rounds
  python -m tests.bench --quick                  fewer and smaller rounds
  python -m tests.bench --scenario get-50 --rounds 9
  python -m tests.bench --json bench.json        figures of every round, too
  python -m tests.bench --record                 keep the instruction counts

Each client runs in a fresh process for each round, on one processor; the server runs on
another; rounds are interleaved and medians are shown. CPU time is user and system time
of the client's process, so other work on the machine shifts it less than the rates.

exit status: 0 every gate holds, 1 a gate does not hold, 2 nothing could be measured
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="rounds per client (5, quick: 3)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the operations"
    )
    parser.add_argument(
        "--scenario",
        action="append",
        choices=sorted(SCENARIOS),
        help="only this one; may be repeated",
    )
    parser.add_argument(
        "--instructions",
        choices=("auto", "perf", "valgrind", "none"),
        default="auto",
        help="how to count: the processor's counter, valgrind (about a minute), what "
        "there is of these, or not at all (default: %(default)s)",
    )
    parser.add_argument(
        "--amount", type=int, metavar="N", help="operations per round, instead"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write figures there")
    parser.add_argument(
        "--record",
        action="store_true",
        help=f"write the instruction counts to {RECORD.name}, to compare with later",
    )
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 3 if options.quick else 5
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: at least 1 is needed")
    if options.amount is not None and options.amount < 1:
        parser.error(f"--amount {options.amount}: at least 1 is needed")
    return options


def _progress(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")
    sys.stderr.flush()


def _progress_done() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")


def run_rounds(
    options: argparse.Namespace, names: Sequence[str], origin: str, cpu: int | None
) -> list[dict[str, Any]]:
    """Measure every client in every scenario, round by round."""
    runs: list[dict[str, Any]] = []
    for number in range(options.rounds):
        for name in names:
            scenario = SCENARIOS[name]
            amount = options.amount or (
                scenario.quick_amount if options.quick else scenario.amount
            )
            # The order changes each round, so that none always goes first.
            order = results.ENTRANTS[:: -1 if number % 2 else 1]
            for entrant in order * (1 if options.quick else scenario.repeats):
                _progress(
                    f"round {number + 1} of {options.rounds}: {scenario.title}, "
                    f"{amount} x {scenario.unit}, {entrant}"
                )
                run = processes.measure(entrant, name, origin, amount, cpu)
                runs.append({"round": number, **run})
    _progress_done()
    return runs


def count_instructions(
    how: str, names: Sequence[str], origin: str, runs: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Count instructions per operation, in the way that was asked for.

    Returns:
        ``source``: "perf", "valgrind" or "not available"; ``per_operation``: counts by
        scenario and client.
    """
    if how in ("auto", "perf") and InstructionCounter().available:
        counts = {
            name: {
                entrant: results.counted_instructions(_of(runs, name, entrant))
                for entrant in results.ENTRANTS
            }
            for name in names
        }
        return {"source": "perf", "per_operation": counts}
    counted = [name for name in names if SCENARIOS[name].counted]
    if how not in ("auto", "valgrind") or not processes.valgrind() or not counted:
        return {"source": "not available", "per_operation": {}}
    pairs = [(name, entrant) for name in counted for entrant in results.ENTRANTS]

    def count(pair: tuple[str, str]) -> float:
        _progress(f"counting instructions: {SCENARIOS[pair[0]].title}, {pair[1]}")
        amount = SCENARIOS[pair[0]].counted
        return processes.count_with_valgrind(pair[1], pair[0], origin, amount)

    try:
        with ThreadPoolExecutor(2) as pool:
            per_pair = dict(zip(pairs, pool.map(count, pairs), strict=True))
    except processes.BenchError as exc:
        if how == "valgrind":
            raise
        # Nobody asked for it by name, and the times have been measured.
        return {"source": f"not available: {exc}", "per_operation": {}}
    finally:
        _progress_done()
    return {
        "source": "valgrind",
        "per_operation": {
            name: {entrant: per_pair[name, entrant] for entrant in results.ENTRANTS}
            for name in counted
        },
    }


def _of(
    runs: Sequence[dict[str, Any]], name: str, entrant: str
) -> list[dict[str, Any]]:
    return [r for r in runs if r["scenario"] == name and r["entrant"] == entrant]


def _record(instructions: dict[str, Any]) -> None:
    """Keep our counts for later runs to be compared with."""
    versions = report.versions()
    kept = {
        "source": instructions["source"],
        "python": versions["python"],
        "versions": versions,
        "instructions": {
            name: round(both[results.OURS])
            for name, both in instructions["per_operation"].items()
        },
    }
    RECORD.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"recorded in {RECORD.name}\n")


def _recorded() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _show_instructions(instructions: dict[str, Any]) -> None:
    source = instructions["source"]
    if not instructions["per_operation"]:
        sys.stdout.write(f"user-space instructions: {source}\n")
        return
    report.show_table(
        f"user-space instructions ({source})",
        ("scenario", *results.ENTRANTS, "ratio"),
        report.instruction_rows(instructions["per_operation"]),
    )


def bench(options: argparse.Namespace) -> int:
    """Measure, show, and judge; returns the exit status."""
    names = options.scenario or list(SCENARIOS)
    client_cpu, server_cpu = processes.processors()
    with processes.server(server_cpu) as origin:
        runs = run_rounds(options, names, origin, client_cpu)
        instructions = count_instructions(options.instructions, names, origin, runs)
    table = {
        name: {e: results.figures(_of(runs, name, e)) for e in results.ENTRANTS}
        for name in names
    }
    versions = report.versions()
    verdicts = results.speed_gates(table)
    if options.record:
        _record(instructions)
    else:
        verdicts += results.regression_gates(
            instructions["per_operation"],
            _recorded(),
            instructions["source"],
            versions,
        )
    settings = {
        "rounds": options.rounds,
        "quick": options.quick,
        "client_processor": client_cpu,
        "server_processor": server_cpu,
    }
    title = ", ".join(f"{name} {version}" for name, version in versions.items())
    report.show_table(title, report.HEADINGS, report.rows(table))
    _show_instructions(instructions)
    report.show_verdicts(verdicts)
    if options.json:
        data = report.as_json(table, runs, instructions, verdicts, settings)
        options.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        sys.stdout.write(f"figures written to {options.json}\n")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = parse(arguments)
    try:
        return bench(options)
    except processes.BenchError as exc:
        _progress_done()
        sys.stderr.write(f"bench: {exc}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
