"""Tasks, futures and timers whose order does not depend on memory addresses.

In: what asyncio's own classes take. Out: the same objects with a hash that counts up,
so that sets of them iterate in the order of making, and timers that fire in the order
of arming when they are due together. It must not know the loop beyond its counters.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from windtunnel_fakeserver.simulation.compat import override
from windtunnel_fakeserver.simulation.cpython import StockTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from contextvars import Context

__all__ = ["SimFuture", "SimTask", "SimTimer"]

_T = TypeVar("_T")


class SimFuture(asyncio.Future[_T]):
    """A future with its place in the order of making as hash."""

    def __init__(self, order: int, loop: asyncio.AbstractEventLoop) -> None:
        self._order = order
        super().__init__(loop=loop)

    @override
    def __hash__(self) -> int:
        return self._order


class SimTask(asyncio.Task[_T]):
    """A task with its place in the order of making as hash."""

    def __init__(
        self,
        order: int,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        **options: Any,
    ) -> None:
        # asyncio puts the new task into a set before its __init__ returns.
        self._order = order
        super().__init__(coro, **options)

    @override
    def __hash__(self) -> int:
        return self._order


class SimTimer(StockTimer):
    """A timer that comes after those armed earlier for the same time.

    asyncio's own timers compare by time alone, and a heap keeps no order among equals.
    """

    __slots__ = ("_ticket",)

    def __init__(
        self,
        ticket: int,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._ticket = ticket

    def mark_scheduled(self) -> None:
        """Say that the timer is in the heap, so that a cancel is counted."""
        self._scheduled = True

    @override
    def __lt__(self, other: asyncio.TimerHandle) -> bool:
        assert isinstance(other, SimTimer)
        if self._when == other._when:
            return self._ticket < other._ticket
        return self._when < other._when
