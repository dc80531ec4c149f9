"""The heartbeat, at exact moments of the virtual clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.websocket.support import (
    BINARY,
    PONG,
    TEXT,
    URL,
    frame,
    next_frame,
    open_socket,
    play,
)
from windtunnel import WSMsgType
from windtunnel_fakeserver import WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Tunnel, Wire

# The handshake ends 0.4 ms after the start; what the client sends takes 0.1 ms.
BEGUN = 0.0004
WAY = 0.0001


def at(seconds: float) -> float:
    """Round as the notes of these tests do."""
    return round(seconds, 6)


class Peer:
    """Answers pings after so many seconds each, and notes when they came."""

    def __init__(self, *delays: float) -> None:
        self.delays = delays
        self.pings: list[float] = []
        self.ended = 0.0

    async def __call__(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await open_socket(wire)
        try:
            for delay in self.delays:
                assert await next_frame(wire) == (0x89, b"")
                self.pings.append(at(loop.time() - start))
                await wire.sleep(delay)
                await wire.send(frame(PONG))
            while True:
                await next_frame(wire)
                self.pings.append(at(loop.time() - start))
        except WireClosedError:
            self.ended = at(loop.time() - start)


def lost(peer: Peer, heartbeat: float) -> tuple[float, Any]:
    """Receive until the peer is given up; say when, and the message."""

    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> tuple[float, Any]:
        socket = await session.ws_connect(URL, heartbeat=heartbeat)
        message = await socket.receive()
        moment = at(tunnel.clock.elapsed)
        assert message.type is WSMsgType.ERROR
        assert (socket.closed, socket.close_code) == (True, 1006)
        assert socket.exception() is message.data
        assert (await socket.receive()).type is WSMsgType.CLOSED
        assert await socket.close() is False
        return moment, message.data

    return play(peer, main)


@pytest.mark.parametrize(
    ("heartbeat", "pinged", "given_up"),
    [
        pytest.param(4, BEGUN + 4, BEGUN + 6, id="exact-below-the-threshold"),
        pytest.param(5, 6, BEGUN + 6 + 2.5 - BEGUN, id="whole-second-at-5"),
        pytest.param(10.5, 11, 17, id="whole-seconds-above"),
    ],
)
def test_a_silent_server_is_asked_and_then_given_up(
    heartbeat: float, pinged: float, given_up: float
) -> None:
    peer = Peer()
    moment, error = lost(peer, heartbeat)
    assert moment == at(given_up)
    assert isinstance(error, windtunnel.ServerTimeoutError)
    assert str(error) == f"No PONG received after {heartbeat / 2} seconds"
    assert len(peer.pings) == 1
    assert peer.ended > peer.pings[0]
    start = at(peer.pings[0] - pinged)
    assert abs(start) < 0.001


def test_the_connector_says_which_times_end_at_a_whole_second() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> float:
        connector = windtunnel.TCPConnector(timeout_ceil_threshold=2)
        async with windtunnel.ClientSession(connector=connector) as mine:
            socket = await mine.ws_connect(URL, heartbeat=2)
            assert (await socket.receive()).type is WSMsgType.ERROR
        return at(tunnel.clock.elapsed)

    peer = Peer()
    # Asked at the third second; the time for an answer, 1 s, is below the threshold.
    assert play(peer, main) == 4
    assert [round(moment, 2) for moment in peer.pings] == [3]


def test_a_pong_starts_the_silence_anew() -> None:
    peer = Peer(1, 1.5)
    moment, _ = lost(peer, 4)
    first = BEGUN + 4
    second = first + 2 * WAY + 1 + 4
    third = second + 2 * WAY + 1.5 + 4
    assert moment == at(third + 2)
    assert len(peer.pings) == 3


def test_any_data_starts_the_silence_anew() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        for _ in range(10):
            await wire.sleep(3)
            await wire.send(frame(TEXT, b"still here"))
        assert await wire.read_some() != b""
        await wire.sleep(1)
        await wire.send(frame(TEXT, b"as good as a pong"))
        await wire.sleep(4.5)
        await wire.send(frame(TEXT, b"last"))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> list[Any]:
        timeout = windtunnel.ClientWSTimeout(ws_close=0.5)
        async with session.ws_connect(URL, heartbeat=4, timeout=timeout) as socket:
            return [await socket.receive_str() for _ in range(12)]

    assert play(script, main)[-1] == "last"


def test_a_server_is_given_up_although_nobody_receives() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL, heartbeat=4)
        await asyncio.sleep(8)
        assert socket.closed
        assert isinstance(socket.exception(), windtunnel.ServerTimeoutError)
        assert (await socket.receive()).type is WSMsgType.CLOSED
        with pytest.raises(windtunnel.ClientConnectionResetError):
            await socket.send_str("x")

    peer = Peer()
    play(peer, main)
    assert at(peer.ended) < 6.01


def test_a_server_that_is_held_back_is_not_given_up() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        for _ in range(2000):
            await wire.send(frame(BINARY, b"x" * 1024))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        timeout = windtunnel.ClientWSTimeout(ws_close=0.5)
        async with session.ws_connect(URL, heartbeat=1, timeout=timeout) as socket:
            await asyncio.sleep(60)
            assert not socket.closed
            for _ in range(2000):
                await socket.receive_bytes()

    play(script, main)


def test_a_lost_connection_ends_the_heartbeat_quietly() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.sleep(1)
        wire.close()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL, heartbeat=4)
        await asyncio.sleep(20)
        assert socket.close_code == 1006

    play(script, main)
