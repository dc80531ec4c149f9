"""Cancelling at every await: nothing leaks, and the next request is served."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.client.support import URL, play, read_all
from windtunnel_fakeserver import WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Work = Callable[[windtunnel.ClientSession], Awaitable[object]]


async def halting(wire: Wire) -> None:
    """Answer in two steps, ten seconds apart; the client may leave at any time."""
    with contextlib.suppress(WireClosedError):
        async for _ in wire.requests():
            await wire.sleep(10)
            await wire.send(OK[:-1])
            await wire.sleep(10)
            await wire.send(OK[-1:])


async def get(session: windtunnel.ClientSession) -> None:
    await read_all(session)


async def get_json(session: windtunnel.ClientSession) -> None:
    async with session.get(URL) as response:
        await response.json()


async def stream(session: windtunnel.ClientSession) -> None:
    async with session.get(URL) as response:
        async for _ in response.content.iter_chunked(1):
            pass


async def send_stream(session: windtunnel.ClientSession) -> None:
    async def generate() -> AsyncIterator[bytes]:
        for _ in range(30):
            await asyncio.sleep(1)
            yield b"x"

    async with session.post(URL, data=generate()) as response:
        await response.read()


async def send_much(session: windtunnel.ClientSession) -> None:
    async with session.post(URL, data=bytes(5_000_000)) as response:
        await response.read()


@pytest.mark.parametrize("work", [get, get_json, stream, send_stream, send_much])
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0.0, id="begun"),
        pytest.param(0.00005, id="connecting"),
        pytest.param(5.0, id="waiting-for-the-head"),
        pytest.param(15.0, id="reading-the-body"),
    ],
)
def test_a_cancelled_request_leaves_nothing_behind(work: Work, seconds: float) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        task = asyncio.ensure_future(work(session))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The only place is free again, and the connection is not used again.
        assert await read_all(session) == b"ok"
        connections = tunnel.journal.connections
        assert all(record.closed is not None for record in connections[:-1])

    one = functools.partial(windtunnel.TCPConnector, limit=1)

    async def any_number(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        server = tunnel.host("http://a.test")
        server.on_connect(halting, otherwise=halting)
        await main(session, tunnel)

    play(main=any_number, connector=one)


def test_cancelling_while_a_name_is_resolved_gives_the_place_back() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.network.dns.add("b.test", ["198.18.7.7"], delay=10.0)
        tunnel.host("http://a.test").on_connect(halting)
        task = asyncio.create_task(read_all(session, "http://b.test/"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await read_all(session) == b"ok"

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(main=main, connector=one)


def test_cancelling_in_the_moment_the_head_arrives_closes_the_connection() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        arrived = asyncio.Event()

        async def answer(wire: Wire) -> None:
            await wire.read_request()
            await wire.send(OK[:-1])
            # One way through the network later, and before anything else runs.
            asyncio.get_running_loop().call_later(0.0001, arrived.set)
            await wire.read_until_eof()

        tunnel.host("http://a.test").on_connect(answer, halting)
        task = asyncio.create_task(read_all(session))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 2

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(main=main, connector=one)


def test_a_request_whose_coroutine_is_closed_lets_go_of_its_connection() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(halting)
        request = session.get(URL)
        request.send(None)
        request.close()
        assert await read_all(session) == b"ok"

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(main=main, connector=one)


def test_a_cancellation_from_outside_wins_over_a_timeout_of_the_same_moment() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(halting)
        task = asyncio.ensure_future(session.get(URL, timeout=2))
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + 2, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    play(main=main)


def test_closing_a_session_may_be_cancelled_and_repeated() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(halting)
        connector = session.connector
        assert connector is not None
        await read_all(session)
        closing = asyncio.ensure_future(session.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await session.close()
        await connector.close()
        assert connector.closed

    play(main=main)
