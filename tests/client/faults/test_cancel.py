"""Every await of every operation is cancelled once: nothing is left, all goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.client.faults.operations import OPERATIONS, Operation
from tests.client.faults.remains import remains
from tests.client.faults.scene import A, Scene, declare
from tests.client.faults.steps import Moment, count_steps, interrupt
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_OPERATIONS = [pytest.param(each, id=each.name) for each in OPERATIONS]
_MOMENTS = [pytest.param(each, id=each.name.lower()) for each in Moment]


def stage(operation: Operation, act: Callable[[Scene], Awaitable[int]]) -> int:
    """Do the operation in a world of its own, by ``act``; nothing may be left."""

    reports: list[str] = []

    async def program(tunnel: Tunnel) -> int:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: reports.append(context["message"])
        )
        declare(tunnel)
        connector = windtunnel.TCPConnector(
            limit=operation.limit,
            ssl=tunnel.authority.client_context(),
            **operation.connector,
        )
        session = windtunnel.ClientSession(connector=connector, **operation.session())
        async with session:
            scene = Scene(tunnel, session)
            await operation.before(scene)
            result = await act(scene)
            await operation.after(scene)
            # What is under way arrives: a look-up goes on for those who ask next.
            await asyncio.sleep(3)
            assert remains(connector, tunnel) == []
            if not operation.ends:
                assert await scene.get(A, middlewares=()) == b"ok"
        await connector.close()
        await asyncio.sleep(1)
        assert remains(connector, tunnel) == []
        return result

    result = Tunnel().run(program)
    assert reports == []
    return result


def steps_of(operation: Operation) -> int:
    async def act(scene: Scene) -> int:
        return await count_steps(operation.work(scene))

    return stage(operation, act)


@pytest.mark.parametrize("moment", _MOMENTS)
@pytest.mark.parametrize("operation", _OPERATIONS)
@pytest.mark.filterwarnings("ignore:The ssl_shutdown_timeout:DeprecationWarning")
def test_an_operation_cancelled_at_any_await_leaves_nothing(
    operation: Operation, moment: Moment
) -> None:
    steps = steps_of(operation)
    assert steps > 0
    for at in range(1, steps + 1):

        async def act(scene: Scene, at: int = at) -> int:
            await interrupt(operation.work(scene), at, moment)
            return at

        try:
            stage(operation, act)
        except BaseException as exc:
            exc.add_note(f"at suspension {at} of {steps}")
            raise
