"""Show the results: a table and gates for people, one JSON object for programs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.results import ENTRANTS, OURS, THEIRS, Figures, Verdict, ratio
from tests.bench.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADINGS = (
    "scenario",
    f"CPU, {OURS}",
    THEIRS,
    "ratio",
    "wanted",
    f"rate, {OURS}",
    THEIRS,
    "ratio",
    f"memory, {OURS}",
    THEIRS,
)


def machine() -> dict[str, Any]:
    """Say what the figures were measured on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "load": list(os.getloadavg()),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or "unknown"


def versions() -> dict[str, str]:
    """Say which versions were measured."""
    packages = (*ENTRANTS, "multidict", "yarl", "websockets")
    found = {name: importlib.metadata.version(name) for name in packages}
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"python": python, **found}


def circumstances() -> str:
    """Say in one line what was measured, and on what."""
    names = ", ".join(f"{name} {version}" for name, version in versions().items())
    load = f"{os.getloadavg()[0]:.1f}"
    return f"{names}; {os.cpu_count()} processors, load {load} at the end"


def rows(table: Mapping[str, Mapping[str, Figures]]) -> list[tuple[str, ...]]:
    """Make the lines of the table of times."""
    lines: list[tuple[str, ...]] = []
    for name, both in table.items():
        scenario, ours, theirs = SCENARIOS[name], both[OURS], both[THEIRS]
        lines.append(
            (
                scenario.title,
                _cost(scenario, ours),
                _cost(scenario, theirs),
                f"{ratio(ours.cpu, theirs.cpu):.2f}",
                "" if scenario.gate is None else f"{scenario.gate:g}",
                _rate(scenario, ours),
                _rate(scenario, theirs),
                f"{ratio(theirs.rate, ours.rate):.2f}",
                f"+{ours.growth_kib / 1024:.1f} MiB",
                f"+{theirs.growth_kib / 1024:.1f} MiB",
            )
        )
    return lines


def _cost(scenario: Scenario, figures: Figures) -> str:
    if scenario.unit == "MiB":
        return f"{figures.cpu * 1e3:.3f} ms/MiB"
    return f"{figures.cpu * 1e6:.1f} us"


def _rate(scenario: Scenario, figures: Figures) -> str:
    return f"{figures.rate:,.0f} {'MiB/s' if scenario.unit == 'MiB' else '/s'}"


def show_table(
    title: str,
    headings: Sequence[str],
    lines: Sequence[Sequence[str]],
    markdown: bool = False,
) -> None:
    """Print a table, as Markdown if asked, else with rich if it is installed."""
    if markdown:
        sys.stdout.write(markdown_table(title, headings, lines))
        return
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        sys.stdout.write(plain_table(title, headings, lines))
        return
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for line in lines:
        table.add_row(*line)
    # A pipe has no width; the table would be squeezed into 80 columns.
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def plain_table(
    title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]
) -> str:
    """Make a table of plain text."""
    columns = list(zip(headings, *lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    out = [title]
    for line in (headings, *lines):
        cells = [line[0].ljust(widths[0])]
        cells += [c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True)]
        out.append("  ".join(cells))
    return "\n".join(out) + "\n"


def markdown_table(
    title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]
) -> str:
    """Make a table of Markdown; all columns but the first are aligned right."""
    rule = ["---", *("---:" for _ in headings[1:])]
    out = [f"| {' | '.join(line)} |" for line in (headings, rule, *lines)]
    return f"{title}\n\n" + "\n".join(out) + "\n\n"


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print one line for each gate."""
    for verdict in verdicts:
        word = "PASS" if verdict.passed else "FAIL"
        sys.stdout.write(
            f"{word}  {verdict.name}: {verdict.seen} (wanted: {verdict.wanted})\n"
        )


def as_json(
    table: Mapping[str, Mapping[str, Figures]],
    runs: Sequence[Mapping[str, Any]],
    imports: Mapping[str, float],
    instructions: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Put everything that was measured into one object."""
    return {
        "machine": machine(),
        "versions": versions(),
        "settings": dict(settings),
        "scenarios": {
            name: {
                "title": SCENARIOS[name].title,
                "unit": SCENARIOS[name].unit,
                "entrants": {entrant: asdict(f) for entrant, f in both.items()},
                "cpu_ratio": ratio(both[OURS].cpu, both[THEIRS].cpu),
                "rate_ratio": ratio(both[THEIRS].rate, both[OURS].rate),
            }
            for name, both in table.items()
        },
        "import_seconds": dict(imports),
        "instructions": dict(instructions),
        "gates": [asdict(verdict) for verdict in verdicts],
        "runs": [dict(run) for run in runs],
    }
