"""A peer that fails at each byte of a handshake and of frames: never a hang."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.faults.effects import Effect, strike
from tests.client.faults.remains import remains
from tests.client.websocket.support import TEXT, frame, open_socket
from windtunnel import WSMsgType
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_fakeserver import Wire

URL = "ws://a.test/"
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
FRAMES = frame(TEXT, b"one") + frame(TEXT, b"x" * 200)
# Each byte of the first frame and of the head of the second.
PLACES = [*range(11), 100, len(FRAMES) - 1, len(FRAMES)]


def play(script: Any, main: Callable[..., Awaitable[Any]]) -> Any:
    """Run with a session whose pool has one place, which is free at the end."""
    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(otherwise=script)

    async def program(tunnel: Tunnel) -> Any:
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            result = await main(session, tunnel)
            await asyncio.sleep(1)
            assert remains(connector, tunnel) == []
            return result

    return tunnel.run(program)


@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.HALF_CLOSE, Effect.RESET])
def test_a_handshake_that_ends_at_any_byte_is_a_lost_connection(effect: Effect) -> None:
    for after in range(1, len(HEAD) + 1):

        async def fails(wire: Wire, after: int = after) -> None:
            with contextlib.suppress(WireClosedError):
                await wire.read_request()
                await wire.send(HEAD[:after])
                await strike(wire, effect)

        async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> Any:
            with pytest.raises(windtunnel.ClientConnectionError) as caught:
                await session.ws_connect(URL)
            assert len(tunnel.journal.connections) == 1
            return caught.type

        expected: type[Exception] = windtunnel.ServerDisconnectedError
        if effect is Effect.RESET:
            expected = windtunnel.ClientOSError
        assert play(fails, main) is expected, f"after byte {after}"


@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.HALF_CLOSE, Effect.RESET])
def test_frames_that_end_at_any_byte_are_what_came_and_then_a_closed_socket(
    effect: Effect,
) -> None:
    for after in PLACES:

        async def fails(wire: Wire, after: int = after) -> None:
            with contextlib.suppress(WireClosedError):
                await open_socket(wire)
                if after:
                    await wire.send(FRAMES[:after])
                await strike(wire, effect)

        async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> Any:
            async with session.ws_connect(URL) as socket:
                whole = [message.data async for message in socket]
                message = await socket.receive()
                assert message.type is WSMsgType.CLOSED
                assert socket.close_code == 1006
            return whole

        expected: list[str] = []
        if after >= 5:
            expected.append("one")
        if after >= len(FRAMES):
            expected.append("x" * 200)
        assert play(fails, main) == expected, f"after byte {after}"


def test_a_frame_that_stops_at_any_byte_ends_with_the_time_of_receive() -> None:
    for after in PLACES[:-1]:

        async def stops(wire: Wire, after: int = after) -> None:
            with contextlib.suppress(WireClosedError):
                await open_socket(wire)
                if after:
                    await wire.send(FRAMES[:after])
                await strike(wire, Effect.STALL)

        async def main(
            session: windtunnel.ClientSession, tunnel: Tunnel, after: int = after
        ) -> Any:
            timeout = windtunnel.ClientWSTimeout(ws_close=1)
            async with session.ws_connect(URL, timeout=timeout) as socket:
                if after >= 5:
                    assert await socket.receive_str() == "one"
                begun = tunnel.clock.elapsed
                with pytest.raises(TimeoutError):
                    await socket.receive(timeout=2)
                assert round(tunnel.clock.elapsed - begun, 3) == 2
                assert not socket.closed

        play(stops, main)
