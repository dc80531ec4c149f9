"""The end of a WebSocket, from both sides and at every moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.websocket.support import (
    TEXT,
    URL,
    closing,
    frame,
    next_frame,
    open_socket,
    play,
    tell,
)
from windtunnel import WSMsgType

if TYPE_CHECKING:
    from windtunnel_fakeserver import Tunnel, Wire

CODE = b"\x03\xe8"


def elapsed(tunnel: Tunnel) -> float:
    """Seconds since the handshake, which takes three ways."""
    return round(tunnel.clock.elapsed - 0.0004, 6)


def test_close_waits_for_the_answer_and_drops_what_comes_before_it() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        assert await next_frame(wire) == (0x88, b"\x0f\xa0why")
        await wire.send(frame(TEXT, b"late"))
        await wire.sleep(1)
        await wire.send(closing(4001, b"r") + frame(TEXT, b"later"))
        assert await wire.read_until_eof() == b""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        assert await socket.close(code=4000, message=b"why") is True
        assert elapsed(tunnel) == 1.0002
        assert (socket.closed, socket.close_code) == (True, 4001)
        assert socket.exception() is None
        assert await socket.close() is False
        assert (await socket.receive()).type is WSMsgType.CLOSED

    play(script, main)


@pytest.mark.parametrize(("seconds", "expected"), [(None, 10), (2, 2)])
def test_close_gives_a_silent_server_so_many_seconds(
    seconds: float | None, expected: float
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        options: Any = {}
        if seconds is not None:
            options["timeout"] = windtunnel.ClientWSTimeout(ws_close=seconds)
        socket = await session.ws_connect(URL, **options)
        assert await socket.close() is True
        assert elapsed(tunnel) == expected
        assert socket.close_code == 1006
        assert isinstance(socket.exception(), TimeoutError)

    play(tell(), main)


def test_a_server_that_never_stops_talking_gets_no_more_time() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        while True:
            await wire.send(frame(TEXT, b"and another thing"))
            await wire.sleep(1)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        assert await socket.close() is True
        assert elapsed(tunnel) == 10
        assert socket.close_code == 1006

    play(script, main)


def test_close_wakes_a_receive_that_waits() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        receiving = asyncio.create_task(socket.receive())
        await asyncio.sleep(1)
        closer = asyncio.create_task(socket.close())
        assert (await receiving).type is WSMsgType.CLOSING
        assert (await socket.receive()).type is WSMsgType.CLOSED
        assert socket.closed
        assert await closer is True
        assert elapsed(tunnel) == 11

    play(tell(), main)


def test_both_sides_may_close_at_once() -> None:
    got: list[Any] = []

    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.sleep(1)
        await wire.send(closing(1001))
        got.append(await next_frame(wire))
        assert await wire.read_until_eof() == b""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        await asyncio.sleep(0.9999)
        assert await socket.close() is True
        assert (socket.close_code, socket.exception()) == (1001, None)

    play(script, main)
    assert got == [(0x88, CODE)]


def test_two_tasks_may_close() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        receiving = asyncio.create_task(socket.receive())
        await asyncio.sleep(0)
        results = await asyncio.gather(socket.close(), socket.close())
        assert sorted(results) == [False, True]
        assert (await receiving).type is WSMsgType.CLOSING

    play(tell(), main)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_server_that_vanishes_while_it_is_closed(how: str) -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await next_frame(wire)
        getattr(wire, how)()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        assert await socket.close() is True
        assert socket.close_code == 1006
        assert isinstance(socket.exception(), windtunnel.ClientConnectionResetError)

    play(script, main)


def test_a_server_that_breaks_the_protocol_while_it_is_closed() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await next_frame(wire)
        await wire.send(frame(3))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        assert await socket.close() is True
        assert socket.close_code == 1006
        assert isinstance(socket.exception(), windtunnel.WebSocketError)

    play(script, main)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(
            {"code": 1005}, "code=1005 may not be in a close frame", id="1005"
        ),
        pytest.param({"code": 1006}, "code=1006 may not be", id="1006"),
        pytest.param({"code": 999}, "code=999 may not be", id="999"),
        pytest.param(
            {"message": b"x" * 124}, "126 bytes in a control frame", id="long"
        ),
        pytest.param({"message": b"\xff"}, "is not UTF-8", id="utf-8"),
    ],
)
def test_what_may_not_be_on_the_wire_is_refused_at_the_call(
    arguments: Any, text: str
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        with pytest.raises(ValueError, match=text):
            await socket.close(**arguments)
        assert not socket.closed
        await socket.close(message="b\xe4")

    got: list[Any] = []
    play(tell(got=got), main)
    assert got == [(0x88, CODE + "b\xe4".encode())]


def test_a_cancelled_close_lets_go_of_the_connection() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        closer = asyncio.create_task(socket.close())
        await asyncio.sleep(1)
        closer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closer
        assert (socket.closed, socket.close_code) == (True, 1006)
        assert await socket.close() is False
        assert (await socket.receive()).type is WSMsgType.CLOSED

    play(tell(), main)


def test_a_close_cancelled_while_it_wakes_the_receiver_can_be_repeated() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        receiving = asyncio.create_task(socket.receive())
        await asyncio.sleep(1)
        closer = asyncio.create_task(socket.close())
        await asyncio.sleep(0)
        closer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closer
        assert (await receiving).type is WSMsgType.CLOSING
        assert not socket.closed
        assert await socket.close() is True

    play(tell(), main)


def test_a_cancelled_receive_loses_nothing() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.sleep(1)
        await wire.send(frame(TEXT, b"kept"))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        receiving = asyncio.create_task(socket.receive())
        await asyncio.sleep(0.5)
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving
        assert (socket.closed, socket.close_code) == (False, 1006)
        assert await socket.receive_str() == "kept"
        assert await socket.close() is True

    play(script, main)
