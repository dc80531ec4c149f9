"""Interrupt an operation at each of its suspensions: count them, then act at one.

A coroutine comes in, its result goes out; what it awaits is passed on unchanged. The
suspensions of tasks that the client starts meanwhile count as well: whoever is
interrupted is always the operation, but at a moment when its helper is suspended there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from enum import Enum
from typing import TYPE_CHECKING, Any

import windtunnel
from windtunnel._base.compat import override

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

CLIENT = os.path.dirname(windtunnel.__file__) + os.sep


class Moment(Enum):
    """When a suspended task is interrupted; the value completes «cancelled ...»."""

    WAITING = "while it waits"
    ARRIVING = "just when it gets what it waits for, before it runs"
    TIMEOUT = "by a timeout around it, while it waits"


class Plan:
    """At which suspension to do what.

    Args:
        at: Number of the suspension, from 1; 0 for none.
        on_arrival: Whether to wait until that which is awaited is there.

    Attributes:
        count: How many suspensions there were so far.
        act: What to do.
    """

    def __init__(self, at: int = 0, *, on_arrival: bool = False) -> None:
        self._at = at
        self._on_arrival = on_arrival
        self.count = 0
        self.act: Callable[[], object] = lambda: None

    def suspended(self, awaited: Any) -> None:
        """Hear what a task is about to wait for."""
        self.count += 1
        if self.count != self._at:
            return
        if self._on_arrival and asyncio.isfuture(awaited):
            # Before the task's own callback, which is added after this.
            awaited.add_done_callback(lambda _: self.act())
        else:
            asyncio.get_running_loop().call_soon(self.act)

    def wrap_tasks_of_the_client(self) -> None:
        """Count the suspensions of tasks that the client makes from now on."""
        loop = asyncio.get_running_loop()

        def make(loop: Any, work: Any, **options: Any) -> Any:
            code = getattr(work, "cr_code", None)
            if code is not None and code.co_filename.startswith(CLIENT):
                work = Steps(work, self)
            loop.set_task_factory(None)
            try:
                return loop.create_task(work, **options)
            finally:
                loop.set_task_factory(make)

        loop.set_task_factory(make)


class Steps(Coroutine[Any, Any, Any]):
    """A coroutine, whose suspensions a plan hears of."""

    def __init__(self, work: Coroutine[Any, Any, object], plan: Plan) -> None:
        self._work = work
        self._plan = plan

    @override
    def send(self, value: Any, /) -> Any:
        awaited = self._work.send(value)
        self._plan.suspended(awaited)
        return awaited

    @override
    def throw(self, exc: Any, value: Any = None, traceback: Any = None, /) -> Any:
        awaited = self._work.throw(exc)
        self._plan.suspended(awaited)
        return awaited

    @override
    def close(self) -> None:
        self._work.close()

    @override
    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[Any], Any] = self.send
        value: Any = None
        while True:
            try:
                awaited = step(value)
            except StopIteration as end:
                return end.value
            try:
                value = yield awaited
                step = self.send
            except BaseException as exc:  # noqa: BLE001  # the coroutine gets it
                value = exc
                step = self.throw


async def count_steps(work: Coroutine[Any, Any, object]) -> int:
    """Run a coroutine to its end and say how many suspensions there were."""
    plan = Plan()
    plan.wrap_tasks_of_the_client()
    try:
        await Steps(work, plan)
    finally:
        asyncio.get_running_loop().set_task_factory(None)
    return plan.count


async def interrupt(work: Coroutine[Any, Any, object], at: int, moment: Moment) -> None:
    """Run a coroutine as a task and interrupt it at one suspension.

    Raises:
        AssertionError: It did not end as an interrupted task has to.
    """
    ends: list[BaseException | None] = []
    plan = Plan(at, on_arrival=moment is Moment.ARRIVING)

    async def watched() -> None:
        try:
            await work
        except BaseException as exc:
            ends.append(exc)
            raise
        ends.append(None)

    async def with_timeout() -> None:
        async with asyncio.timeout(None) as limit:
            now = asyncio.get_running_loop().time()
            plan.act = lambda: limit.reschedule(now)
            await Steps(watched(), plan)

    async def plainly() -> None:
        task = asyncio.current_task()
        assert task is not None
        plan.act = task.cancel
        await Steps(watched(), plan)

    is_timeout = moment is Moment.TIMEOUT
    task = asyncio.create_task(with_timeout() if is_timeout else plainly())
    plan.wrap_tasks_of_the_client()
    await asyncio.wait([task])
    asyncio.get_running_loop().set_task_factory(None)
    assert [type(end) for end in ends] == [asyncio.CancelledError], ends
    if is_timeout:
        assert type(task.exception()) is TimeoutError, task
    else:
        assert task.cancelled(), task
