"""A connector that is closed ends at once whatever goes on, and says so."""

from __future__ import annotations

import asyncio
import io

import pytest

import windtunnel
from tests.client.faults.operations import OPERATIONS, Operation
from tests.client.faults.remains import remains
from tests.client.faults.scene import Scene, declare
from tests.client.faults.steps import Plan, Steps
from windtunnel_fakeserver import Tunnel

_OPERATIONS = [
    pytest.param(each, id=each.name)
    for each in OPERATIONS
    if not (each.ends or each.name.startswith("ws-"))
]


def close_at(operation: Operation, at: int, *, on_arrival: bool) -> bool:
    """Close the session at a suspension; say whether it came to that.

    It is closed while the operation waits, or when it has just got what it waits for.

    Nothing may take time from then on, and nothing may be left.
    """

    async def program(tunnel: Tunnel) -> bool:
        declare(tunnel)
        connector = windtunnel.TCPConnector(
            limit=operation.limit, ssl=tunnel.authority.client_context()
        )
        session = windtunnel.ClientSession(connector=connector, **operation.session())
        scene = Scene(tunnel, session)
        await operation.before(scene)
        plan = Plan(at, on_arrival=on_arrival)
        closing: list[asyncio.Task[float]] = []

        async def close() -> float:
            await session.close()
            return tunnel.clock.elapsed

        def act() -> None:
            connector.pool.drop()
            closing.append(asyncio.create_task(close()))

        plan.act = act
        plan.wrap_tasks_of_the_client()

        async def main() -> None:
            await Steps(operation.work(scene), plan)

        task = asyncio.create_task(main())
        await asyncio.wait([task])
        ended = tunnel.clock.elapsed
        asyncio.get_running_loop().set_task_factory(None)
        if not closing:
            assert task.exception() is None
            await session.close()
            return False
        closed = await closing[0]
        error = task.exception()
        # The answer may be here, and only the body's file still be open.
        if error is not None:
            assert type(error) is windtunnel.ClientConnectionError, error
            assert str(error) == "Connector is closed."
        if not operation.session():
            # No code of the caller takes its time.
            assert abs(closed - ended) < 0.001
        await asyncio.sleep(3)
        assert remains(connector, tunnel) == []
        assert all(
            each.closed for each in scene.kept.values() if isinstance(each, io.IOBase)
        )
        return True

    return Tunnel(strict=False).run(program)


@pytest.mark.parametrize("on_arrival", [False, True], ids=["waiting", "arriving"])
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_closing_at_any_await_ends_an_operation_at_once(
    operation: Operation, on_arrival: bool
) -> None:
    at = 1
    while close_at(operation, at, on_arrival=on_arrival):
        at += 1
    assert at > 1
