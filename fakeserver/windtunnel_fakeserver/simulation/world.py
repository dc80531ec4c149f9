"""One simulated world: seed, clock, network, trace, and the loop that runs in it.

In: a seed and the settings of the network. Out: loops, results of runs, and the list of
what was left open. Equal seed and equal program give an equal trace.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel_fakeserver.simulation.clock import EPOCH, Clock
from windtunnel_fakeserver.simulation.loop import SimLoop
from windtunnel_fakeserver.simulation.network import Network
from windtunnel_fakeserver.simulation.pacer import Budgets
from windtunnel_fakeserver.simulation.report import await_chain, connection_lines
from windtunnel_fakeserver.simulation.trace import Trace
from windtunnel_fakeserver.simulation.wallclock import install_time_shim

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from windtunnel_fakeserver.simulation.shape import Latency, Split

__all__ = ["World"]

_T = TypeVar("_T")


class World:
    """Clock, network and loop of one test.

    Attributes:
        seed: Where all random choices of the world come from.
        clock: Its virtual time.
        network: Its addresses, names and connections.
        trace: What happened on the network.
    """

    def __init__(
        self,
        seed: int | str = 0,
        *,
        latency: Latency = 0.0001,
        start: float = 1000.0,
        epoch: float = EPOCH,
        split: Split = None,
        max_steps: int = 20_000,
        max_virtual: float = 86_400.0,
        max_real: float | None = 120.0,
        max_thread: float = 10.0,
    ) -> None:
        """Make a world; no loop runs in it yet.

        Args:
            seed: Equal seeds give equal runs.
            latency: One-way delay in seconds: a constant, ``(low, high)`` for uniform,
                or a function of a random stream.
            start: Loop time at the start, more than 0 and at most 1,000,000 seconds.
            epoch: Civil time at the start, in seconds since 1970.
            split: How writes are cut into segments: None for whole, a largest size in
                bytes, ``"random"``, or a function of a random stream and a length.
            max_steps: Loop passes at one instant without data moving.
            max_virtual: Virtual seconds from the start.
            max_real: Real seconds that one loop may take; None for no limit.
            max_thread: Real seconds that a thread job may freeze virtual time.

        Raises:
            ValueError: A setting is out of range.
        """
        self.seed = seed
        self.clock = Clock(start, epoch)
        self.trace = Trace(self.clock)
        self.network = Network(
            self.clock, self.trace, seed, latency=latency, split=split
        )
        self._budgets = Budgets(max_steps, max_virtual, max_real, max_thread)
        self._loop: SimLoop | None = None
        self._abandoned: list[str] = []

    def __enter__(self) -> World:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def new_loop(self) -> SimLoop:
        """Make the loop of this world; a loop factory for ``asyncio.Runner``.

        A world has one loop at a time. The first call installs the time shim.

        Raises:
            RuntimeError: The world has a loop that is not closed.
        """
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError(
                "this world already has an open event loop, allowed is one at a time; "
                "make another World for another loop"
            )
        install_time_shim()
        self._loop = SimLoop(self, self._budgets)
        return self._loop

    def run(
        self,
        main: Coroutine[Any, Any, _T] | Callable[..., Coroutine[Any, Any, _T]],
        *args: Any,
    ) -> _T:
        """Run a program in this world from start to end.

        Args:
            main: A coroutine, or an async function that is called with ``args``.
            *args: Arguments for the function.

        Returns:
            What the program returns.

        Raises:
            SimulationError: The run can not go on; the text says who waits where.
        """
        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            return runner.run(main(*args) if callable(main) else main)

    def leaks(self) -> list[str]:
        """List what is left open: sockets, and tasks that were never finished.

        Inside the running loop the calling task does not count.

        Returns:
            One line for each, empty if the world is clean.
        """
        lines = list(self._abandoned)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            current = asyncio.current_task(loop) if loop.is_running() else None
            lines += _task_leaks(
                [task for task in loop.pending_tasks() if task is not current]
            )
        lines += [f"open socket: {line.strip()}" for line in self._socket_leaks()]
        return lines

    def close(self) -> None:
        """Close the loop if it is not running, and every socket; idempotent."""
        if self._loop is not None and not self._loop.is_running():
            self._loop.close()
        self.network.close()

    def note_pending(self, tasks: list[asyncio.Task[Any]]) -> None:
        """Remember tasks that were pending when their loop closed."""
        self._abandoned += _task_leaks(tasks)

    def _socket_leaks(self) -> list[str]:
        return connection_lines(self.network)


def _task_leaks(tasks: list[asyncio.Task[Any]]) -> list[str]:
    return [f"pending task: {task.get_name()}: {await_chain(task)}" for task in tasks]
