"""Says on standard error how far a run is: a bar on a terminal, quiet lines elsewhere.

In: calls of the runner. Out: text on standard error only, because standard output
belongs to the report.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import TaskID

    from windtunnel_conformance.results import CaseResult, ClientResult
    from windtunnel_conformance.runner import Progress as Listener


@contextlib.contextmanager
def open_progress(console: Console | None = None) -> Generator[Listener]:
    """Give a listener that suits the place; None is standard error."""
    shown = Console(stderr=True) if console is None else console
    if not shown.is_terminal:
        yield Lines(shown)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[case]}"),
    )
    with Progress(*columns, console=shown, transient=True) as bars:
        yield Bars(bars)


@final
class Lines:
    """One line for each client, when it is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = 0.0

    def begin(self, client: str, cases: int) -> None:
        """Note the time."""
        self._began = time.perf_counter()

    def advance(self, client: str, result: CaseResult) -> None:
        """Stay quiet."""

    def end(self, result: ClientResult) -> None:
        """Say what was done, and how long it took."""
        seconds = time.perf_counter() - self._began
        runs = sum(len(case.variants) for case in result.cases)
        self._console.print(
            f"{result.name}: {len(result.cases)} cases, {runs} variants, "
            f"{seconds:.1f} s",
            highlight=False,
            markup=False,
        )


@final
class Bars:
    """One bar for each client."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def begin(self, client: str, cases: int) -> None:
        """Show a new bar."""
        self._tasks[client] = self._bars.add_task(client, total=cases, case="")

    def advance(self, client: str, result: CaseResult) -> None:
        """Move the bar and name the case that is done."""
        self._bars.update(self._tasks[client], advance=1, case=result.case.id)

    def end(self, result: ClientResult) -> None:
        """Leave the bar where it is."""
