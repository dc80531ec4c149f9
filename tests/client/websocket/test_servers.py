"""Conversations with unmodified WebSocket servers of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import websockets
from aiohttp import WSMsgType as TheirType, web
from websockets.asyncio.server import ServerConnection, serve as serve_websockets

from tests.client.websocket.support import URL, serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import windtunnel
    from windtunnel_fakeserver import Tunnel

    Stop = Callable[[], Awaitable[None]]


async def start_websockets(listener: Any) -> Stop:
    """Serve an echo with the library ``websockets``."""

    async def echo(connection: ServerConnection) -> None:
        try:
            async for message in connection:
                await connection.send(message)
        except websockets.ConnectionClosedError:
            return

    server = await serve_websockets(
        echo, sock=listener, subprotocols=[websockets.Subprotocol("b")]
    )

    async def stop() -> None:
        server.close()
        await server.wait_closed()

    return stop


async def start_aiohttp(listener: Any) -> Stop:
    """Serve an echo with ``aiohttp.web``."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("b",))
        await socket.prepare(request)
        async for message in socket:
            if message.type is TheirType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner.cleanup


SIZES = [0, 1, 125, 126, 127, 4096, 65535, 65536, 65537, 300_000]


@pytest.mark.parametrize("start", [start_websockets, start_aiohttp])
@pytest.mark.parametrize("compress", [0, 9, 12, 15])
def test_an_echo_gives_back_what_was_sent(
    start: Callable[[Any], Awaitable[Stop]], compress: int
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(
            URL, compress=compress, protocols=("a", "b")
        ) as socket:
            assert socket.protocol == "b"
            assert bool(socket.compress) is bool(compress)
            for size in SIZES:
                data = (b"\x00\xffab" * size)[:size]
                await socket.send_bytes(data)
                assert await socket.receive_bytes() == data
                text = ("h\xe4\u20ac" * size)[:size]
                await socket.send_str(text)
                assert await socket.receive_str() == text
            await socket.send_json({"a": ["\u20ac", None]})
            assert await socket.receive_json() == {"a": ["\u20ac", None]}
        assert socket.closed
        assert socket.close_code == 1000
        assert socket.exception() is None

    serve(start, main)


@pytest.mark.parametrize("start", [start_websockets, start_aiohttp])
def test_messages_with_a_window_of_their_own_do_not_disturb_the_others(
    start: Callable[[Any], Awaitable[Stop]],
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL, compress=15, protocols=["b"]) as socket:
            for compress in (None, 9, None, 15, None, 0, None):
                await socket.send_str("again and again and again", compress)
                assert await socket.receive_str() == "again and again and again"

    serve(start, main)
