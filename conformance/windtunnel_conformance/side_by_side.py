"""Runs several clients of this process at once, each in a process of its own.

In and out as of ``runner.run_cases``. Virtual time does not mind a busy machine, so
clients that have it share the cores; those in real time run afterwards, alone. Where a
process cannot simply be split (no ``fork``, or there are threads), all run in a row.
"""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, cast, final

from windtunnel_conformance.adapters.process import ProcessAdapter
from windtunnel_conformance.results import CaseResult, ClientResult, RunResults
from windtunnel_conformance.runner import run_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from windtunnel_conformance.case import Case
    from windtunnel_conformance.results import VariantResult
    from windtunnel_conformance.runner import Entrant, Progress, RunOptions


def run_side_by_side(
    entrants: Sequence[Entrant],
    cases: Sequence[Case],
    options: RunOptions,
    open_progress: Callable[[], AbstractContextManager[Progress]],
) -> RunResults:
    """Run all cases on all clients; see ``run_cases``.

    ``open_progress`` is called when the processes have been split off, because it may
    start a thread.
    """
    quick = [one for one in entrants if not isinstance(one.adapter, ProcessAdapter)]
    if len(quick) < 2 or not _can_split():
        with open_progress() as progress:
            return run_cases(entrants, cases, options, progress)
    workers = [_Worker(entrant, cases, options) for entrant in quick]
    with open_progress() as progress:
        _hear_all(workers, len(cases), progress)
        slow = [one for one in entrants if one not in quick]
        rest = iter(run_cases(slow, cases, options, progress).clients)
    done = iter(worker.result for worker in workers)
    clients = tuple(next(done if one in quick else rest) for one in entrants)
    return RunResults(clients, tuple(cases), options.all_variants)


def _can_split() -> bool:
    has_fork = "fork" in multiprocessing.get_all_start_methods()
    return has_fork and threading.active_count() == 1


def _hear_all(workers: Sequence[_Worker], cases: int, progress: Progress) -> None:
    """Listen to all processes until each has ended."""
    for worker in workers:
        progress.begin(worker.name, cases)
    talking = {worker.end: worker for worker in workers}
    while talking:
        for end in wait(list(talking)):
            assert isinstance(end, Connection)
            if not talking[end].hear(progress):
                del talking[end]


@final
class _Worker:
    """One client in a process of its own, and what it has said so far."""

    def __init__(
        self, entrant: Entrant, cases: Sequence[Case], options: RunOptions
    ) -> None:
        self.name = entrant.name
        self._cases = {case.id: case for case in cases}
        self._done: dict[str, CaseResult] = {}
        self.result = ClientResult(
            entrant.name, problem="its process ended without a result"
        )
        split = multiprocessing.get_context("fork")
        self.end, other = split.Pipe(duplex=False)
        self._process = split.Process(
            target=_work, args=(other, entrant, cases, options)
        )
        self._process.start()
        other.close()

    def hear(self, progress: Progress) -> bool:
        """Take one message; False when there will be no more."""
        try:
            message: object = self.end.recv()
        except EOFError:
            self._process.join()
            self.end.close()
            progress.end(self.result)
            return False
        if isinstance(message, ClientResult):
            # A client that could not be run at all has told of no case.
            done = () if message.problem else map(self._done.__getitem__, self._cases)
            self.result = replace(message, cases=tuple(done))
        else:
            case, variants = cast("tuple[str, tuple[VariantResult, ...]]", message)
            result = self._done[case] = CaseResult(self._cases[case], variants)
            progress.advance(self.name, result)
        return True


def _work(
    end: Connection, entrant: Entrant, cases: Sequence[Case], options: RunOptions
) -> None:
    """Run one client and tell each case, and at last the rest of the result."""
    (result,) = run_cases([entrant], cases, options, _Teller(end)).clients
    end.send(replace(result, cases=()))
    end.close()


@final
class _Teller:
    """A progress listener that sends on what it hears."""

    def __init__(self, end: Connection) -> None:
        self._end = end

    def begin(self, client: str, cases: int) -> None:
        """Stay quiet."""

    def advance(self, client: str, result: CaseResult) -> None:
        """Send the result; the other side has the case already."""
        self._end.send((result.case.id, result.variants))

    def end(self, result: ClientResult) -> None:
        """Stay quiet."""
