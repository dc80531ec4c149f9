"""Cancellation and timeouts at every await of a WebSocket's life: nothing leaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.websocket.support import (
    PING,
    TEXT,
    accepting,
    closing,
    frame,
    next_frame,
)
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Wire

URL = "ws://a.test/"
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
MUCH = b"x" * 3_000_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Work = Callable[[windtunnel.ClientSession], Coroutine[Any, Any, None]]


class Interrupted:
    """Awaits a coroutine, and does something where it waits for the nth time.

    Attributes:
        has_fired: Whether it waited so many times.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, None], at: int, act: Callable[[], object]
    ) -> None:
        self.coroutine = coroutine
        self.at = at
        self.act = act
        self.has_fired = False

    def __await__(self) -> Generator[Any, Any, None]:
        inner = self.coroutine.__await__()
        loop = asyncio.get_running_loop()
        step: Callable[[], Any] = inner.__next__
        number = 0
        while True:
            try:
                waits_for = step()
            except StopIteration:
                return
            number += 1
            if number == self.at:
                self.has_fired = True
                loop.call_soon(self.act)
            step = inner.__next__
            try:
                yield waits_for
            except BaseException as exc:  # noqa: BLE001  # goes where it belongs
                reason = exc
                step = lambda: inner.throw(reason)  # noqa: E731, B023  # called at once


async def slow(wire: Wire) -> None:
    """Be slow at everything: the handshake, reading, messages, closing."""
    with contextlib.suppress(WireClosedError):
        async for request in wire.requests():
            if request.header("Upgrade") is None:
                await wire.send(OK)
                continue
            await wire.sleep(1)
            offer = request.header("Sec-WebSocket-Extensions")
            await wire.send(accepting(request, *([DEFLATE] if offer else [])))
            wire.pause()
            await wire.sleep(5)
            wire.resume()
            await wire.send(frame(TEXT, b"one") + frame(PING, b"ping"))
            await answer(wire)


async def answer(wire: Wire) -> None:
    while True:
        first, _ = await next_frame(wire)
        if first == 0x88:
            await wire.sleep(1)
            await wire.send(closing())
        elif first == 0x8A:
            await wire.send(frame(TEXT, b"two"))


async def talk(session: windtunnel.ClientSession) -> None:
    async with session.ws_connect(URL) as socket:
        await asyncio.gather(socket.send_bytes(MUCH), socket.ping())
        await socket.send_str("more")
        assert await socket.receive_str() == "one"
        assert await socket.receive_str(timeout=20) == "two"


async def talk_compressed(session: windtunnel.ClientSession) -> None:
    async with session.ws_connect(URL, compress=15) as socket:
        await socket.send_bytes(MUCH)
        await asyncio.gather(socket.send_bytes(MUCH), socket.send_str("behind"))
        assert await socket.receive_json(loads=str) == "one"


async def close_while_receiving(session: windtunnel.ClientSession) -> None:
    socket = await session.ws_connect(URL, heartbeat=3)
    await socket.receive()
    receiving = asyncio.create_task(socket.receive())
    await asyncio.sleep(2)
    try:
        await socket.close()
    finally:
        receiving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await receiving


async def iterate(session: windtunnel.ClientSession) -> None:
    socket = await session.ws_connect(URL, autoclose=False, autoping=False)
    try:
        async for message in socket:
            if message.type is windtunnel.WSMsgType.PING:
                await socket.pong(message.data)
            elif message.data == "two":
                break
            await socket.send_bytes(b"answer")
    finally:
        await socket.close(code=4000)


def run(work: Work, at: int, how: str) -> bool:
    """Interrupt the work where it waits for the nth time; say whether it did."""
    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(otherwise=slow)

    async def cancelled(session: windtunnel.ClientSession) -> bool:
        task = asyncio.current_task()
        assert task is not None
        interrupted = Interrupted(work(session), at, task.cancel)
        try:
            await interrupted
        except asyncio.CancelledError:
            task.uncancel()
        return interrupted.has_fired

    async def timed_out(session: windtunnel.ClientSession) -> bool:
        now = asyncio.get_running_loop().time
        has_fired = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as limit:
                interrupted = Interrupted(
                    work(session), at, lambda: limit.reschedule(now())
                )
                try:
                    await interrupted
                finally:
                    has_fired = interrupted.has_fired
        return has_fired

    async def program(tunnel: Tunnel) -> bool:
        act: Callable[[windtunnel.ClientSession], Awaitable[bool]]
        act = cancelled if how == "cancel" else timed_out
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            has_fired = await act(session)
            # The only place is free, at once or when the close handshake is over.
            async with session.get("http://a.test/") as response:
                assert await response.text() == "ok"
            await asyncio.sleep(30)
            used = tunnel.journal.connections
            assert all(record.closed is not None for record in used[:-1])
        return has_fired

    return tunnel.run(program)


@pytest.mark.parametrize("how", ["cancel", "timeout"])
@pytest.mark.parametrize(
    "work",
    [
        pytest.param(work, id=work.__name__)
        for work in (
            talk,
            talk_compressed,
            close_while_receiving,
            iterate,
        )
    ],
)
def test_an_interruption_at_any_await_leaves_nothing(work: Work, how: str) -> None:
    at = 1
    while run(work, at, how):
        at += 1
    assert at > 4
