"""When virtual time moves: the idle algorithm, its budgets, and what breaks them.

In: each ``select`` of the loop. Out: ready sockets, or an error that lists who waits
where. Virtual time moves here and nowhere else (``clock.jump`` apart), only when
nothing can run, and lands on the time of the next event exactly. It must not know
asyncio: the loop lends it a few questions.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from windtunnel_fakeserver.simulation.errors import (
    DeadlockError,
    LivelockError,
    SimulationError,
    StuckThreadError,
)
from windtunnel_fakeserver.simulation.executor import THREAD_PREFIX
from windtunnel_fakeserver.simulation.wallclock import real_monotonic

if TYPE_CHECKING:
    from windtunnel_fakeserver.simulation.clock import Clock
    from windtunnel_fakeserver.simulation.executor import Jobs
    from windtunnel_fakeserver.simulation.network import Network
    from windtunnel_fakeserver.simulation.selector import Ready, SimSelector

__all__ = ["Budgets", "PacedLoop", "Pacer"]

_REAL_TIME_CHECK_EVERY = 256  # passes and jumps between two looks at the real clock
_FOREIGN_THREAD_GRACE = 0.5  # real seconds that unknown threads get before a deadlock
_DRAIN_ROUNDS = 3
_DRAIN_PATIENCE = 1.0  # real seconds for thread jobs while cleaning up


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much one run may use.

    Attributes:
        steps: Loop passes at one instant without any byte being read.
        virtual: Virtual seconds from the start of the world.
        real: Real seconds of one loop; None for no limit (debuggers).
        thread: Real seconds that a thread job or a hold may freeze time without news.
    """

    steps: int = 20_000
    virtual: float = 86_400.0
    real: float | None = 120.0
    thread: float = 10.0


class PacedLoop(Protocol):
    """What the pacer needs from the loop."""

    def is_busy(self) -> bool:
        """Whether a callback is ready or the loop was told to stop."""
        ...

    def next_timer(self) -> float | None:
        """Loop time of the first timer; None if there is none."""
        ...

    def describe(self) -> str:
        """Tell who waits where."""
        ...

    def cancel_tasks(self) -> None:
        """Cancel every task that is not done."""
        ...

    def collect_garbage(self) -> None:
        """Collect cyclic garbage, if there may be much of it."""
        ...


class Pacer:
    """Decides, whenever nothing is ready, what happens next."""

    def __init__(
        self,
        loop: PacedLoop,
        clock: Clock,
        network: Network,
        selector: SimSelector,
        jobs: Jobs,
        wakeup: threading.Event,
        budgets: Budgets,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._network = network
        self._selector = selector
        self._jobs = jobs
        self._wakeup = wakeup
        self._budgets = budgets
        self._known_threads = frozenset(threading.enumerate())
        self._instant = clock.instant
        self._reads = 0
        self._steps = 0
        self._looks = 0
        self._virtual_end = clock.start + budgets.virtual
        self._real_end = self._real_limit()
        self._first_error: SimulationError | None = None
        self._drain_rounds = 0

    @property
    def is_draining(self) -> bool:
        """Whether the run has failed and only cleans up."""
        return self._first_error is not None

    def pace(self, timeout: float | None) -> Ready:
        """Answer one ``select`` of the loop.

        Args:
            timeout: 0 when the loop has callbacks or due timers; anything else means
                that it would wait.

        Raises:
            DeadlockError: Nothing can run and time may or can not move.
            LivelockError: A budget is used up.
            StuckThreadError: A thread keeps time frozen for too long.
        """
        self._network.deliver()
        ready = self._selector.ready()
        self._count_step()
        if ready or timeout == 0 or self._loop.is_busy():
            return ready
        return self._idle()

    def _idle(self) -> Ready:
        while True:
            # Cleared before the look at the loop: a call that comes in between sets it
            # again, so no call from another thread can be overlooked.
            if self._wakeup.is_set():
                self._wakeup.clear()
            if self._loop.is_busy() or self._wait_for_threads():
                return []
            if self._clock.end_settle():
                return []
            if self._clock.held and not self.is_draining:
                self._wait_for_hold()
                continue
            ready = self._move()
            if ready is not None:
                return ready

    # -- moving time -----------------------------------------------------------------

    def _move(self) -> Ready | None:
        """Move time to what comes next; None means look again."""
        clock = self._clock
        upcoming = self._upcoming()
        target = clock.advancing_to
        if target is not None and (upcoming is None or upcoming > target):
            clock.end_advance(target)
            return []
        if upcoming is None:
            return self._stand_still()
        if target is None and not (clock.autojump or self.is_draining):
            wait = round(upcoming - clock.instant, 9)
            return self._fail(
                DeadlockError,
                f"the clock is manual and the next event is in {wait:g} s, but nobody "
                f"advances; call clock.advance(...) or leave clock.manual()",
            )
        if upcoming > self._virtual_end:
            return self._fail(
                LivelockError,
                f"more than {self._budgets.virtual:g} s of virtual time passed; "
                f"something repeats for ever and hides that nothing happens",
            )
        self._check_real_time()
        self._loop.collect_garbage()
        clock.move_to(upcoming)
        self._network.deliver()
        ready = self._selector.ready()
        timer = self._loop.next_timer()
        due = timer is not None and timer <= clock.instant
        # A packet can make a callback ready without making a socket ready, so look
        # again before time moves on.
        return ready if ready or due or self._loop.is_busy() else None

    def _upcoming(self) -> float | None:
        timer = self._loop.next_timer()
        arrival = self._network.next_arrival()
        if timer is None or (arrival is not None and arrival < timer):
            return arrival
        return timer

    def _stand_still(self) -> Ready | None:
        foreign = [
            thread
            for thread in threading.enumerate()
            if thread not in self._known_threads
            and not thread.name.startswith(THREAD_PREFIX)
        ]
        if foreign and self._wakeup.wait(_FOREIGN_THREAD_GRACE):
            return None
        return self._fail(
            DeadlockError, "nothing can run, and nothing is scheduled to change that"
        )

    # -- waiting for threads ---------------------------------------------------------

    def _wait_for_threads(self) -> bool:
        """Let thread jobs finish; True means the loop has something to do."""
        if not self._jobs:
            return False
        limit = self._budgets.thread
        if self.is_draining:
            limit = min(limit, _DRAIN_PATIENCE)
        if not self._jobs.wait(self._loop.is_busy, limit):
            names = ", ".join(self._jobs.names())
            # Their threads cannot be stopped. Time must go on without them.
            self._jobs.abandon()
            self._fail(
                StuckThreadError,
                f"thread job still running after {self._budgets.thread:g} real "
                f"seconds, with virtual time frozen: {names}",
            )
        return True

    def _wait_for_hold(self) -> None:
        if not self._wakeup.wait(self._budgets.thread):
            self._fail(
                StuckThreadError,
                f"clock.hold() kept virtual time frozen for {self._budgets.thread:g} "
                f"real seconds",
            )

    # -- budgets ---------------------------------------------------------------------

    def _count_step(self) -> None:
        clock = self._clock
        if clock.instant != self._instant or self._network.reads != self._reads:
            self._instant = clock.instant
            self._reads = self._network.reads
            self._steps = 0
            return
        self._steps += 1
        if self._steps > self._budgets.steps:
            self._steps = 0
            self._fail(
                LivelockError,
                f"{self._budgets.steps} passes of the loop at {clock.elapsed:g} s "
                f"without time or data moving; something runs in circles",
            )
        self._check_real_time()

    def _check_real_time(self) -> None:
        self._looks += 1
        if self._looks % _REAL_TIME_CHECK_EVERY or self._real_end is None:
            return
        if real_monotonic() > self._real_end:
            self._real_end = self._real_limit()
            self._fail(
                LivelockError,
                f"more than {self._budgets.real:g} s of real time passed in this run",
            )

    def _real_limit(self) -> float | None:
        limit = self._budgets.real
        return None if limit is None else real_monotonic() + limit

    # -- failing ---------------------------------------------------------------------

    def _fail(self, kind: type[SimulationError], headline: str) -> Ready:
        """Raise, and from then on let the loop clean up.

        A failure during the clean-up becomes a note on the first error: every task is
        cancelled once more, and after a few rounds the first error is raised again.
        """
        if self._first_error is None:
            self._first_error = kind(f"{headline}\n{self._loop.describe()}")
            self._virtual_end = self._clock.instant + self._budgets.virtual
            raise self._first_error
        self._first_error.add_note(f"while cleaning up: {headline}")
        self._drain_rounds += 1
        if self._drain_rounds > _DRAIN_ROUNDS:
            raise self._first_error
        self._virtual_end = self._clock.instant + self._budgets.virtual
        self._loop.cancel_tasks()
        return []
