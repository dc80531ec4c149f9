"""What it costs to import a client, in interpreters of their own."""

from __future__ import annotations

import subprocess
import sys
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.bench.processes import ROOT, BenchError
from tests.bench.results import OURS, THEIRS, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds that ``import windtunnel`` may take.
BOUND: Final = 0.080

#: What is imported, by the title of its row. The last two are for comparison: no client
#: for asyncio can do its work with less.
IMPORTS: Final = {
    f"import {OURS}": f"import {OURS}",
    f"import {OURS}, name ClientSession": f"from {OURS} import ClientSession",
    f"import {THEIRS}": f"import {THEIRS}",
    "import asyncio": "import asyncio",
    "import asyncio, multidict, yarl": "import asyncio, multidict, yarl",
}
_TIMED: Final = """\
import time
started = time.process_time()
{statement}
print(time.process_time() - started)
"""


def _once(statement: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(statement=statement)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return float(done.stdout)
    except ValueError as exc:
        last = done.stderr.strip().splitlines()[-1:] or ["(it printed nothing)"]
        msg = f"{statement!r} failed: {last[0][:200]}"
        raise BenchError(msg) from exc


def measure(
    rounds: int,
    progress: Callable[[str], None],
    imports: Mapping[str, str] = IMPORTS,
) -> dict[str, float]:
    """Measure every import, round by round.

    Returns:
        CPU seconds by title, medians, without what the interpreter needs to start.

    Raises:
        BenchError: Something could not be imported.
    """
    seconds: dict[str, list[float]] = {title: [] for title in imports}
    for number in range(rounds + 1):
        progress(f"imports, round {number} of {rounds}")
        for title, statement in imports.items():
            taken = _once(statement)
            if number:  # the first round may compile
                seconds[title].append(taken)
    return {title: median(taken) for title, taken in seconds.items()}


def rows(seconds: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Make the lines of a table of imports."""
    return [(title, f"{taken * 1e3:.1f} ms") for title, taken in seconds.items()]


def gate(seconds: Mapping[str, float]) -> Verdict:
    """Hold the import of this client to ``BOUND``."""
    taken = seconds[f"import {OURS}"]
    return Verdict(
        name=f"import {OURS}",
        wanted=f"at most {BOUND * 1e3:.0f} ms",
        seen=f"{taken * 1e3:.1f} ms",
        passed=taken <= BOUND,
    )
