"""Virtual time: how late it is, who waits for it, whether it may move by itself.

In: seconds to advance, jump or hold. Out: readings, and futures that the event loop
resolves through this object. It must not know asyncio, the network or real time: the
loop lends it ``create_future`` and ``wake``.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Generator
    from datetime import datetime

__all__ = ["EPOCH", "Clock", "Jump"]

EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z, the civil time at which a world starts
_LATEST_START = 1_000_000.0


class Jump(NamedTuple):
    """One move of virtual time.

    Attributes:
        at: Seconds since the start of the world before the move.
        seconds: How far time moved, rounded to 1 ns.
    """

    at: float
    seconds: float


class ClockHost(Protocol):
    """What the clock needs from the event loop that it drives."""

    def create_future(self) -> asyncio.Future[None]:
        """Make a future of this loop."""
        ...

    def wake(self) -> None:
        """Make a waiting loop look again; callable from any thread."""
        ...


class Clock:
    """The clock of one world.

    Attributes:
        instant: The present loop time in seconds. The loop assigns it (never adds), so
            that it equals the time of the event it was moved to, to the last bit.
        start: Loop time at which the world began.
        autojump: True lets time move by itself when nothing can run; False waits for
            ``advance``.
    """

    def __init__(self, start: float = 1000.0, epoch: float = EPOCH) -> None:
        # Not 0, because libraries test deadlines for truth. Not large, because a float
        # near 1.7e9 cannot tell instants apart that are 100 ns from each other.
        if not 0 < start <= _LATEST_START:
            raise ValueError(
                f"start {start!r} is no start of the clock, allowed is more than 0 and "
                f"at most {_LATEST_START:.0f} seconds"
            )
        self.instant = start
        self.start = start
        self.autojump = True
        self._epoch_ns = round(epoch * 1e9)
        self._wall_step_ns = 0
        self._host: ClockHost | None = None
        self._tickets = itertools.count()
        self._advancing: list[tuple[float, int, asyncio.Future[None]]] = []
        self._settling: list[asyncio.Future[None]] = []
        self._jumps: list[tuple[float, float]] = []
        self._holds = 0
        self._holds_lock = threading.Lock()

    # -- reading ---------------------------------------------------------------------

    def time(self) -> float:
        """Read the loop time in seconds, as ``loop.time()`` does."""
        return self.instant

    @property
    def elapsed(self) -> float:
        """Seconds since the start of the world, rounded to 1 ns."""
        return round(self.instant - self.start, 9)

    @property
    def now(self) -> float:
        """The same as ``elapsed``."""
        return round(self.instant - self.start, 9)

    @property
    def timeline(self) -> list[Jump]:
        """Every move of virtual time so far, oldest first; a new list on every call."""
        start = self.start
        return [
            Jump(round(before - start, 9), round(after - before, 9))
            for before, after in self._jumps
        ]

    # -- civil time ------------------------------------------------------------------

    def wall_ns(self) -> int:
        """Read the civil time in nanoseconds since 1970, as ``time.time_ns()`` does."""
        elapsed_ns = round((self.instant - self.start) * 1e9)
        return self._epoch_ns + self._wall_step_ns + elapsed_ns

    def wall(self) -> float:
        """Read the civil time in seconds since 1970, as ``time.time()`` does."""
        return self.wall_ns() / 1e9

    def set_wall(self, moment: datetime | float) -> None:
        """Set the civil time; loop time does not move.

        Args:
            moment: An aware ``datetime``, or seconds since 1970.

        Raises:
            ValueError: The ``datetime`` has no time zone.
        """
        if isinstance(moment, (int, float)):
            seconds = float(moment)
        elif moment.tzinfo is None:
            raise ValueError(
                f"moment {moment!r} has no time zone, allowed are aware datetimes and "
                f"seconds since 1970"
            )
        else:
            seconds = moment.timestamp()
        self._wall_step_ns += round(seconds * 1e9) - self.wall_ns()

    def step_wall(self, seconds: float) -> None:
        """Step the civil time, as a correction by NTP does; loop time does not move.

        Args:
            seconds: How far, negative to go back.
        """
        self._wall_step_ns += round(seconds * 1e9)

    # -- moving ----------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Let virtual time pass, stopping at every event on the way.

        At each stop the loop runs until nothing can run any more. On return exactly
        ``seconds`` have passed and the loop has settled. Several tasks may advance at
        once; each returns at its own time.

        Args:
            seconds: How long, 0 or more; 0 is the same as ``settle``.

        Raises:
            ValueError: ``seconds`` is negative or not finite.
            RuntimeError: No simulated loop runs in this world.
        """
        target = self.instant + _checked(seconds)
        waiter = self._loop("advance").create_future()
        heapq.heappush(self._advancing, (target, next(self._tickets), waiter))
        await waiter

    async def settle(self) -> None:
        """Wait until nothing can run at this instant; time does not move.

        Thread jobs count as something that runs.

        Raises:
            RuntimeError: No simulated loop runs in this world.
        """
        waiter = self._loop("settle").create_future()
        self._settling.append(waiter)
        await waiter

    def jump(self, seconds: float) -> None:
        """Move time at once: all that falls due on the way fires late, together.

        This is a suspended laptop or a long pause of the process. ``advance`` is what
        tests of timers want.

        Args:
            seconds: How far, 0 or more.

        Raises:
            ValueError: ``seconds`` is negative or not finite.
        """
        self.move_to(self.instant + _checked(seconds))

    @contextmanager
    def manual(self) -> Generator[None]:
        """Let time move only by ``advance`` and ``jump`` inside the block."""
        before = self.autojump
        self.autojump = False
        try:
            yield
        finally:
            self.autojump = before

    @contextmanager
    def hold(self) -> Generator[None]:
        """Freeze virtual time while work runs that the loop cannot see.

        Meant for threads that are not the loop's executor. Holds are counted, may
        overlap and may begin and end in any thread.
        """
        with self._holds_lock:
            self._holds += 1
        try:
            yield
        finally:
            with self._holds_lock:
                self._holds -= 1
            if self._host is not None:
                self._host.wake()

    # -- the loop's side -------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether somebody is inside ``hold()``."""
        return self._holds > 0

    @property
    def advancing_to(self) -> float | None:
        """Loop time of the nearest end of an ``advance``; None if nobody advances."""
        while self._advancing and self._advancing[0][2].done():
            heapq.heappop(self._advancing)
        return self._advancing[0][0] if self._advancing else None

    def attach(self, host: ClockHost | None) -> None:
        """Name the loop that this clock drives, or None when it closes."""
        self._host = host
        self._advancing.clear()
        self._settling.clear()

    def move_to(self, instant: float) -> None:
        """Set the loop time; a time that is not later changes nothing."""
        if instant > self.instant:
            self._jumps.append((self.instant, instant))
            self.instant = instant

    def end_advance(self, target: float) -> None:
        """Arrive at the end of an ``advance`` and resolve those who wait for it."""
        self.move_to(target)
        while (nearest := self.advancing_to) is not None and nearest <= self.instant:
            heapq.heappop(self._advancing)[2].set_result(None)

    def end_settle(self) -> bool:
        """Resolve those who wait for quiet; say whether there was anybody."""
        waiting = [waiter for waiter in self._settling if not waiter.done()]
        self._settling.clear()
        for waiter in waiting:
            waiter.set_result(None)
        return bool(waiting)

    def _loop(self, call: str) -> ClockHost:
        if self._host is None:
            raise RuntimeError(
                f"clock.{call}() was called while no simulated loop is open, allowed "
                f"is only a call from a task on the loop of this world"
            )
        return self._host


def _checked(seconds: float) -> float:
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise ValueError(f"seconds {seconds!r} must be finite and not negative")
    return seconds
