"""When frames are written: at once, together, in what order, and what a thread does."""

from __future__ import annotations

import asyncio
import zlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.websocket.support import (
    BINARY,
    URL,
    closing,
    next_frame,
    open_socket,
    play,
    tell,
)
from windtunnel import ClientConnectionResetError
from windtunnel._base.compat import override
from windtunnel._websocket.link import Link
from windtunnel._wire.ws_deflate import DeflateParameters, Inflater
from windtunnel._wire.ws_rules import FIN
from windtunnel_fakeserver import WireClosedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel_fakeserver import Tunnel, Wire

WHOLE = FIN | BINARY
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"
# More than is compressed on the loop, and hard to compress.
LARGE = zlib.compress(bytes(range(256)) * 9, 0) * 40


class Recorder(asyncio.Transport):
    """A transport that keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_over = False

    @override
    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.writes.append(bytes(data))

    @override
    def is_closing(self) -> bool:
        return self.is_over

    @override
    def close(self) -> None:
        self.is_over = True

    @override
    def abort(self) -> None:
        self.is_over = True


class Holder:
    """The connection that had the transport before."""

    def __init__(self) -> None:
        self.transport = Recorder()
        self.memory = memoryview(bytearray(1024))

    def get_buffer(self, sizehint: int, /) -> memoryview:
        return self.memory

    def connection_lost(self, exc: Exception | None, /) -> None:
        raise AssertionError


def linked(deflate: DeflateParameters | None = None) -> tuple[Link, Recorder]:
    """Give a link that is at work, and its transport."""
    link = Link(
        asyncio.get_running_loop(), deflate=deflate, max_msg_size=0, decode_text=True
    )
    holder = Holder()
    link.take_over(holder, b"")
    return link, holder.transport


def kinds(data: bytes) -> Iterator[tuple[int, int]]:
    """Give first byte and payload size of each small frame."""
    while data:
        size = data[1] & 0x7F
        yield data[0], size
        data = data[6 + size :]


@pytest.mark.asyncio
async def test_the_first_frame_goes_at_once_and_those_behind_it_together() -> None:
    link, transport = linked()
    for size in range(4):
        link.send(WHOLE, b"x" * size)
    assert [len(data) for data in transport.writes] == [6]
    await asyncio.sleep(0)
    assert len(transport.writes) == 2
    assert list(kinds(transport.writes[1])) == [(WHOLE, size) for size in (1, 2, 3)]
    link.send(WHOLE, b"next turn")
    assert len(transport.writes) == 3


@pytest.mark.asyncio
async def test_an_answer_to_what_came_goes_at_once() -> None:
    link, transport = linked()
    link.send(WHOLE, b"a")
    link.buffer_updated(0)
    link.send(WHOLE, b"answer")
    assert len(transport.writes) == 2
    link.send(WHOLE, b"waits")
    link.buffer_updated(0)
    link.send(WHOLE, b"behind it")
    assert len(transport.writes) == 2
    await asyncio.sleep(0)
    assert list(kinds(transport.writes[2])) == [(WHOLE, 5), (WHOLE, 9)]


@pytest.mark.asyncio
async def test_a_large_frame_does_not_overtake_those_that_wait() -> None:
    link, transport = linked()
    link.send(WHOLE, b"a")
    link.send(WHOLE, b"bb")
    link.send(WHOLE, b"x" * 2000)
    assert list(kinds(transport.writes[1])) == [(WHOLE, 2)]
    assert len(transport.writes[2]) == 2008
    await asyncio.sleep(0)
    assert len(transport.writes) == 3


@pytest.mark.asyncio
async def test_so_many_frames_wait_and_no_more() -> None:
    link, transport = linked()
    for _ in range(1 + 64):
        link.send(WHOLE, b"")
    assert [len(data) for data in transport.writes] == [6, 64 * 6]
    link.send(WHOLE, b"")
    await asyncio.sleep(0)
    assert [len(data) for data in transport.writes] == [6, 64 * 6, 6]


@pytest.mark.asyncio
@pytest.mark.parametrize("end", ["close", "abort"])
async def test_frames_that_wait_go_out_before_the_end(end: str) -> None:
    link, transport = linked()
    for data in (b"a", b"bb"):
        link.send(WHOLE, data)
    getattr(link, end)()
    assert list(kinds(transport.writes[1])) == [(WHOLE, 2)]
    await asyncio.sleep(0)
    assert len(transport.writes) == 2


@pytest.mark.asyncio
async def test_frames_that_wait_are_dropped_with_a_lost_connection() -> None:
    link, transport = linked()
    for data in (b"a", b"bb"):
        link.send(WHOLE, data)
    transport.close()
    await asyncio.sleep(0)
    assert len(transport.writes) == 1


def test_what_was_sent_before_the_session_is_closed_arrives() -> None:
    got: list[Any] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        for data in (b"a", b"b", b"c"):
            await socket.send_bytes(data)
        await session.close()
        await tunnel.clock.settle()

    play(tell(b"", got=got), main)
    assert got == [(WHOLE, b"a"), (WHOLE, b"b"), (WHOLE, b"c")]


# --- compression in a thread --------------------------------------------------------


def inflated(frames: list[tuple[int, bytes]]) -> list[bytes]:
    """Undo the compression of the messages among the frames."""
    inflater = Inflater(15, is_fresh_each_time=False)
    return [
        b"".join([*inflater.inflate(data, 0), *inflater.finish(0)])
        for first, data in frames
        if first & 0x0F < 8
    ]


def test_messages_behind_a_large_one_keep_their_order() -> None:
    got: list[tuple[int, bytes]] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL, compress=15) as socket:
            sends = [
                socket.send_bytes(data)
                for data in (b"small", LARGE, b"after", bytearray(LARGE), b"last")
            ]
            await asyncio.gather(*sends)
            # Nothing hinders a control frame.
            large = asyncio.create_task(socket.send_bytes(LARGE))
            await asyncio.sleep(0)
            await socket.ping()
            await large

    async def script(wire: Wire) -> None:
        await open_socket(wire, b"", DEFLATE)
        while not got or got[-1][0] != 0x88:
            got.append(await next_frame(wire))
        await wire.send(closing())

    play(script, main)
    expected = [b"small", LARGE, b"after", LARGE, b"last", LARGE]
    assert inflated(got) == expected
    assert [first for first, _ in got][-3:] == [0x89, 0xC2, 0x88]


def test_a_cancelled_large_message_does_not_disturb_the_next() -> None:
    got: list[tuple[int, bytes]] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL, compress=15) as socket:
            await socket.send_bytes(LARGE[:100])
            large = asyncio.create_task(socket.send_bytes(LARGE))
            await asyncio.sleep(0)
            large.cancel()
            with pytest.raises(asyncio.CancelledError):
                await large
            await socket.send_bytes(LARGE[:100])
            await socket.send_bytes(LARGE)
            await socket.close()

    async def script(wire: Wire) -> None:
        await open_socket(wire, b"", DEFLATE)
        while not got or got[-1][0] != 0x88:
            got.append(await next_frame(wire))
        await wire.send(closing())

    play(script, main)
    assert inflated(got) == [LARGE[:100], LARGE[:100], LARGE]


def test_a_large_message_that_is_ready_after_the_end_is_not_sent() -> None:
    got: list[tuple[int, bytes]] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(
            URL, compress=15, timeout=windtunnel.ClientWSTimeout(ws_close=0.1)
        )
        large = asyncio.create_task(socket.send_bytes(LARGE))
        behind = asyncio.create_task(socket.send_str("a"))
        await asyncio.sleep(0)
        await socket.close()
        for task in (large, behind):
            with pytest.raises(ClientConnectionResetError, match="Cannot write"):
                await task

    play(tell(b"", DEFLATE, got=got), main)
    assert [first for first, _ in got] == [0x88]


def test_the_chosen_zlib_compresses_and_inflates_messages() -> None:
    used: list[str] = []

    class Backend(ModuleType):
        @override
        def __getattr__(self, name: str) -> Any:
            used.append(name)
            return getattr(zlib, name)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> bytes:
        async with session.ws_connect(URL, compress=15) as socket:
            await socket.send_bytes(b"abc")
            return await socket.receive_bytes()

    async def script(wire: Wire) -> None:
        await open_socket(wire, b"", DEFLATE)
        first, payload = await next_frame(wire)
        await wire.send(bytes((first, len(payload))) + payload + closing())
        try:
            await wire.read_until_eof()
        except WireClosedError:
            return

    windtunnel.set_zlib_backend(Backend("mine"))
    try:
        assert play(script, main) == b"abc"
    finally:
        windtunnel.set_zlib_backend(zlib)
    assert {"compressobj", "decompressobj"} <= set(used)
