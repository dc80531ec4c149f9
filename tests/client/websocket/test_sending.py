"""What sending puts on the wire, what it refuses, and how it waits."""

from __future__ import annotations

import asyncio
import json
from array import array
from typing import TYPE_CHECKING, Any, cast

import pytest

import windtunnel
from tests.client.websocket.support import (
    URL,
    closing,
    frame,
    next_frame,
    open_socket,
    play,
    tell,
)
from windtunnel import WSMsgType
from windtunnel._wire.ws_deflate import Inflater

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_fakeserver import Tunnel, Wire

    Use = Callable[[windtunnel.ClientWebSocketResponse], Awaitable[None]]

QUIET = windtunnel.ClientWSTimeout(ws_close=0.5)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"


def sent(use: Use, *fields: bytes, **options: Any) -> list[tuple[int, bytes]]:
    """Give the frames that ``use`` sends, without the close frame."""
    got: list[tuple[int, bytes]] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL, timeout=QUIET, **options) as socket:
            await use(socket)

    play(tell(b"", *fields, got=got), main)
    assert got.pop() == (0x88, b"\x03\xe8")
    return got


def test_every_way_to_send_is_a_frame_of_its_kind() -> None:
    async def use(socket: windtunnel.ClientWebSocketResponse) -> None:
        await socket.send_str("h\xe4")
        await socket.send_bytes(b"b")
        await socket.send_bytes(bytearray(b"ba"))
        await socket.send_bytes(memoryview(array("H", [1, 2])))
        await socket.send_bytes(memoryview(b"abcdef")[::2])
        await socket.send_json({"a": 1})
        await socket.send_json([1], dumps=lambda value: f"<{value}>")
        await socket.send_json_bytes({"a": 1}, dumps=lambda v: json.dumps(v).encode())
        await socket.send_frame(b"t", WSMsgType.TEXT)
        await socket.send_frame(b"p", WSMsgType.PING)
        await socket.ping()
        await socket.ping("text")
        await socket.pong(b"x" * 125)

    assert sent(use) == [
        (0x81, "h\xe4".encode()),
        (0x82, b"b"),
        (0x82, b"ba"),
        (0x82, array("H", [1, 2]).tobytes()),
        (0x82, b"ace"),
        (0x81, b'{"a": 1}'),
        (0x81, b"<[1]>"),
        (0x82, b'{"a": 1}'),
        (0x81, b"t"),
        (0x89, b"p"),
        (0x89, b""),
        (0x89, b"text"),
        (0x8A, b"x" * 125),
    ]


def test_mistakes_are_errors_before_anything_is_sent() -> None:
    async def use(socket: windtunnel.ClientWebSocketResponse) -> None:
        with pytest.raises(TypeError, match="data argument must be str"):
            await socket.send_str(cast("str", b"x"))
        with pytest.raises(TypeError, match="data argument must be byte-ish"):
            await socket.send_bytes(cast("bytes", "x"))
        with pytest.raises(ValueError, match="126 bytes in a control frame"):
            await socket.ping(b"x" * 126)
        with pytest.raises(TypeError, match="data argument must be byte-ish"):
            await socket.ping(cast("bytes", 3))
        for opcode in (WSMsgType.CLOSE, WSMsgType.CONTINUATION, WSMsgType.CLOSED):
            with pytest.raises(ValueError, match="cannot be sent, allowed: TEXT"):
                await socket.send_frame(b"", opcode)

    assert sent(use) == []


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 65537, 200_001])
def test_payloads_of_any_size_go_out_whole(size: int) -> None:
    data = bytes(i * 7 & 255 for i in range(size))
    assert sent(lambda socket: socket.send_bytes(data)) == [(0x82, data)]


def test_each_frame_has_a_mask_of_its_own() -> None:
    masks: set[bytes] = set()

    async def script(wire: Wire) -> None:
        await open_socket(wire)
        for _ in range(1100):
            assert await wire.read_exactly(2) == b"\x82\x80"
            masks.add(await wire.read_exactly(4))
        await wire.send(closing())
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            for _ in range(1100):
                await socket.send_bytes(b"")

    play(script, main)
    assert len(masks) > 1090


def test_compressed_messages_share_a_window_unless_agreed_otherwise() -> None:
    async def use(socket: windtunnel.ClientWebSocketResponse) -> None:
        for _ in range(2):
            await socket.send_str("Hello, Hello, World")
        await socket.ping(b"plain")

    first, second, ping = sent(use, DEFLATE, compress=15)
    assert first[0] == second[0] == 0xC1
    assert ping == (0x89, b"plain")
    assert len(second[1]) < len(first[1])
    alone = sent(use, DEFLATE + b"; client_no_context_takeover", compress=15)
    assert alone[0][1] != b""
    inflater = Inflater(15, is_fresh_each_time=True)
    for _, payload in alone[:2]:
        data = b"".join([*inflater.inflate(payload, 0), *inflater.finish(0)])
        assert data == b"Hello, Hello, World"


def test_a_window_of_its_own_needs_compression_and_valid_bits() -> None:
    async def plain(socket: windtunnel.ClientWebSocketResponse) -> None:
        await socket.send_str("a", 15)

    assert sent(plain) == [(0x81, b"a")]

    async def wrong(socket: windtunnel.ClientWebSocketResponse) -> None:
        for bits in (8, 16):
            with pytest.raises(
                ValueError, match=f"compress={bits} is not 0 or 9 to 15"
            ):
                await socket.send_str("a", bits)

    assert sent(wrong, DEFLATE, compress=15) == []


def test_nothing_can_be_sent_after_the_end() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL, timeout=QUIET)
        assert socket.get_extra_info("peername") == ("198.18.0.1", 80)
        assert socket.get_extra_info("nothing", 5) == 5
        await socket.close()
        for sending in (socket.send_str("x"), socket.ping(), socket.pong(b"x")):
            with pytest.raises(
                windtunnel.ClientConnectionResetError,
                match="Cannot write to closing transport",
            ):
                await sending
        await asyncio.sleep(0)
        assert socket.get_extra_info("peername", "gone") == "gone"

    play(tell(), main)


def test_a_sender_waits_for_a_server_that_does_not_read() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        wire.pause()
        await wire.sleep(60)
        wire.resume()
        total = 0
        for _ in range(30):
            total += len((await next_frame(wire))[1])
        assert total == 3_000_000
        await wire.send(closing())
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            count = 0

            async def send(times: int) -> None:
                nonlocal count
                for _ in range(times):
                    await socket.send_bytes(b"x" * 100_000)
                    count += 1

            senders = [asyncio.create_task(send(10)) for _ in range(3)]
            await asyncio.sleep(30)
            held = count
            assert held < 25
            await asyncio.sleep(20)
            assert count == held
            await asyncio.gather(*senders)
            assert count == 30

    play(script, main)


@pytest.mark.parametrize("way", ["ping", "send_frame", "send_str"])
def test_everything_that_is_sent_waits_for_room(way: str) -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        wire.pause()
        await wire.sleep(60)
        wire.resume()
        assert await next_frame(wire) == (0x82, b"a" * 2_000_000)
        assert (await next_frame(wire))[1] == b""
        await wire.send(closing())
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            sending = asyncio.create_task(socket.send_bytes(b"a" * 2_000_000))
            await asyncio.sleep(1)
            if way == "send_frame":
                await socket.send_frame(b"", WSMsgType.PONG)
            elif way == "send_str":
                await socket.send_str("")
            else:
                await socket.ping()
            assert tunnel.clock.elapsed >= 60
            await sending

    play(script, main)


def test_cancelling_one_of_the_senders_that_wait_does_not_wake_the_others() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        wire.pause()
        await wire.sleep(60)
        wire.resume()
        for octet in (b"a", b"b"):
            assert await next_frame(wire) == (0x82, octet * 2_000_000)
        await wire.send(closing())
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            first = asyncio.create_task(socket.send_bytes(b"a" * 2_000_000))
            second = asyncio.create_task(socket.send_bytes(b"b" * 2_000_000))
            await asyncio.sleep(1)
            first.cancel()
            await asyncio.sleep(1)
            assert first.cancelled()
            assert not second.done()
            await second
            assert tunnel.clock.elapsed >= 60

    play(script, main)


@pytest.mark.parametrize("closes", [False, True])
def test_a_sender_that_waits_hears_of_a_lost_connection(closes: bool) -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        wire.pause()
        await wire.sleep(60)
        wire.reset()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(
            URL, timeout=windtunnel.ClientWSTimeout(ws_close=None)
        )
        sending = asyncio.create_task(socket.send_bytes(b"a" * 2_000_000))
        await asyncio.sleep(1)
        if closes:
            # The close frame has to wait as well.
            assert await socket.close() is True
            assert socket.close_code == 1006
        with pytest.raises(windtunnel.ClientConnectionResetError):
            await sending
        await socket.close()

    play(script, main)


def test_a_ping_that_cannot_be_answered_any_more_is_no_error() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.send(frame(9, b"x") + closing(4000))
        wire.close()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> Any:
        socket = await session.ws_connect(URL)
        await asyncio.sleep(1)
        return (await socket.receive()).data

    assert play(script, main) == 4000
