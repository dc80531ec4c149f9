"""Measure windtunnel against aiohttp, side by side, in one run."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.bench import instructions, processes, report, results, startup
from tests.bench.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Measured in interpreters of their own, so no scenario like the others.
_IMPORT: Final = "import"

_EXAMPLES: Final = """\
examples:
  python -m tests.bench                          everything, five rounds
  python -m tests.bench --quick                  fewer and smaller rounds
  python -m tests.bench --scenario get-50 --rounds 9
  python -m tests.bench --json bench.json        figures of every round, too
  python -m tests.bench --markdown > tables.md   the tables of docs/performance.md
  python -m tests.bench --record                 keep the instruction counts
  python -m tests.bench --scenario import        only what an import costs

Each client runs in a fresh process for each round, on one processor; the server runs on
another; rounds are interleaved and medians are shown. CPU time is user and system time
of the client's process, so other work on the machine shifts it less than the rates.
Ctrl-C ends the rounds early and shows what was measured until then.
Memory is the peak of the process above what it had after its imports.

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
    parser.add_argument("--quick", action="store_true", help="fewer operations")
    parser.add_argument(
        "--scenario",
        action="append",
        choices=[*SCENARIOS, _IMPORT],
        help="only this one; may be repeated",
    )
    parser.add_argument(
        "--instructions",
        choices=("auto", "perf", "valgrind", "none"),
        default="auto",
        help="how to count: the processor's counter, valgrind (some minutes, because "
        "it counts both clients), what there is of these (with valgrind only "
        f"{results.OURS}), or not at all (default: %(default)s)",
    )
    parser.add_argument(
        "--amount", type=int, metavar="N", help="operations per round, instead"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write figures there")
    parser.add_argument(
        "--markdown", action="store_true", help="print the tables as Markdown"
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help=f"write the instruction counts to {instructions.RECORD.name}, for later "
        "runs to be compared with",
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
    options: argparse.Namespace, names: Sequence[str], site: str, cpu: int | None
) -> list[dict[str, Any]]:
    """Measure every client in every scenario, round by round; Ctrl-C ends it early."""
    runs: list[dict[str, Any]] = []
    try:
        for run in _runs(options, names, site, cpu):
            runs.append(run)  # noqa: PERF402  # what is there at an interrupt is kept
    except KeyboardInterrupt:
        _progress(f"stopped after {len(runs)} measurements")
    return runs


def _runs(
    options: argparse.Namespace, names: Sequence[str], site: str, cpu: int | None
) -> Iterator[dict[str, Any]]:
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
                run = processes.measure(entrant, name, site, amount, cpu)
                yield {"round": number, **run}


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for; nothing is judged or shown yet."""
    asked = options.scenario or [*SCENARIOS, _IMPORT]
    names = [name for name in asked if name != _IMPORT]
    client_cpu, server_cpu = processes.processors()
    # Counting both clients takes too long for every day, and theirs does not change.
    both = options.record or options.instructions == "valgrind"
    counted = results.ENTRANTS if both else (results.OURS,)
    with processes.bytecode_kept():
        with processes.server(server_cpu) as site:
            runs = run_rounds(options, names, site, client_cpu)
            counts = instructions.count(
                options.instructions, names, site, runs, _progress, counted
            )
        imports = startup.measure(options.rounds, _progress) if _IMPORT in asked else {}
    _progress_done()
    return {
        "table": {
            name: {
                entrant: results.figures(results.of(runs, name, entrant))
                for entrant in results.ENTRANTS
            }
            for name in names
            if all(results.of(runs, name, entrant) for entrant in results.ENTRANTS)
        },
        "runs": runs,
        "imports": imports,
        "instructions": counts,
        "settings": {
            "rounds": options.rounds,
            "quick": options.quick,
            "client_processor": client_cpu,
            "server_processor": server_cpu,
        },
    }


def show(
    measured: Mapping[str, Any], before: Mapping[str, Any], markdown: bool
) -> None:
    """Print what was measured."""
    if measured["table"]:
        title = report.circumstances()
        rows = report.rows(measured["table"])
        report.show_table(title, report.HEADINGS, rows, markdown)
    if measured["imports"]:
        lines = startup.rows(measured["imports"])
        report.show_table("imports", ("what", "CPU"), lines, markdown)
    counts = measured["instructions"]
    if counts["per_operation"]:
        report.show_table(
            f"user-space instructions ({counts['source']})",
            ("scenario", *results.ENTRANTS, "ratio", "change to the record"),
            instructions.rows(counts["per_operation"], before),
            markdown,
        )
    else:
        sys.stdout.write(f"user-space instructions: {counts['source']}\n")


def judge(
    measured: Mapping[str, Any], before: Mapping[str, Any]
) -> list[results.Verdict]:
    """Hold what was measured to every gate that applies to it."""
    verdicts = results.speed_gates(measured["table"])
    verdicts += results.memory_gates(measured["table"])
    if measured["imports"]:
        verdicts.append(startup.gate(measured["imports"]))
    counts = measured["instructions"]["per_operation"]
    return verdicts + instructions.gates(counts, before)


def bench(options: argparse.Namespace) -> int:
    """Measure, show, and judge; returns the exit status."""
    measured = measure(options)
    counts, versions = measured["instructions"], report.versions()
    if options.record:
        instructions.record(counts, versions)
        sys.stdout.write(f"recorded in {instructions.RECORD.name}\n")
    kept = instructions.recorded()
    # Counts depend on the interpreter and on how they were taken: a record made with
    # others says nothing.
    same = instructions.comparable(kept, counts["source"], versions)
    before: dict[str, dict[str, float]] = kept["instructions"] if same else {}
    verdicts = judge(measured, before)
    show(measured, before, options.markdown)
    report.show_verdicts(verdicts)
    if options.json:
        data = report.as_json(verdicts=verdicts, **measured)
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
