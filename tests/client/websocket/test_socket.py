"""What receive gives: messages, the end, errors, and when."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.websocket.support import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    URL,
    closing,
    frame,
    next_frame,
    open_socket,
    play,
    tell,
)
from windtunnel import WSMessage, WSMsgType

if TYPE_CHECKING:
    from windtunnel_fakeserver import Tunnel, Wire

DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate"


def received(
    data: bytes,
    count: int,
    *fields: bytes,
    got: list[Any] | None = None,
    **options: Any,
) -> list[Any]:
    """Give the next messages as plain tuples, then code and exception."""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> list[Any]:
        async with session.ws_connect(URL, **options) as socket:
            found: list[Any] = [tuple(await socket.receive()) for _ in range(count)]
        return [*found, socket.close_code, socket.exception()]

    return play(tell(data, *fields, got=got), main)


TYPE = WSMsgType
CLOSED = (TYPE.CLOSED, None, None)


def test_messages_come_in_order_and_the_close_frame_once() -> None:
    got: list[Any] = []
    data = frame(TEXT, b"a") + frame(BINARY, b"b") + closing(1001, b"bye")
    assert received(data, 5, got=got) == [
        (TYPE.TEXT, "a", ""),
        (TYPE.BINARY, b"b", ""),
        (TYPE.CLOSE, 1001, "bye"),
        CLOSED,
        CLOSED,
        1001,
        None,
    ]
    assert got == [(0x88, b"\x03\xe8")]


def test_a_close_frame_without_a_code_counts_as_1005() -> None:
    got: list[Any] = []
    assert received(frame(CLOSE), 2, got=got) == [
        (TYPE.CLOSE, 0, ""),
        CLOSED,
        1005,
        None,
    ]
    assert got == [(0x88, b"\x03\xe8")]


def test_without_autoclose_the_answer_waits_for_the_next_receive() -> None:
    got: list[Any] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL, autoclose=False)
        assert (await socket.receive()).type is TYPE.CLOSE
        assert (socket.closed, socket.close_code) == (False, 1001)
        await asyncio.sleep(1)
        assert got == []
        assert tuple(await socket.receive()) == CLOSED
        assert socket.closed

    play(tell(closing(1001), got=got), main)
    assert got == [(0x88, b"\x03\xe8")]


def test_pings_are_answered_with_their_payload_and_not_told_of() -> None:
    got: list[Any] = []
    data = frame(PING, b"p") + frame(PONG, b"q") + frame(TEXT, b"a") + closing()
    found = received(data, 2, got=got)
    assert [message[0] for message in found[:2]] == [TYPE.TEXT, TYPE.CLOSE]
    assert got == [(0x8A, b"p"), (0x88, b"\x03\xe8")]


def test_without_autoping_pings_and_pongs_are_messages() -> None:
    got: list[Any] = []
    data = frame(PING, b"p") + frame(PONG, b"q") + closing()
    found = received(data, 3, got=got, autoping=False)
    assert found[:2] == [(TYPE.PING, b"p", ""), (TYPE.PONG, b"q", "")]
    assert got == [(0x88, b"\x03\xe8")]


def test_text_can_be_had_as_bytes_that_are_checked_all_the_same() -> None:
    data = frame(TEXT, b"a", fin=False) + frame(CONTINUATION, "\xe4".encode())

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> Any:
        async with session.ws_connect(URL, decode_text=False) as socket:
            message = await socket.receive()
            assert type(message).__name__ == "WSMessageTextBytes"
            assert (message.type, message.data) == (TYPE.TEXT, "a\xe4".encode())
            assert (await socket.receive()).json() == [1]
            return (await socket.receive()).data

    error = play(tell(data + frame(TEXT, b"[1]") + frame(TEXT, b"\xff")), main)
    assert isinstance(error, windtunnel.WebSocketError)
    assert error.code == 1007


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        pytest.param(frame(3), 1002, "opcode 3 is not defined", id="opcode"),
        pytest.param(b"\x81\x80", 1002, "is masked", id="masked"),
        pytest.param(frame(TEXT, b"\xff"), 1007, "not UTF-8", id="text"),
        pytest.param(frame(BINARY, b"x" * 11), 1009, "more than 10", id="too-big"),
        pytest.param(closing(1005), 1002, "its code must be", id="close-code"),
        pytest.param(
            frame(TEXT, b"x" * 6, fin=False) + frame(CONTINUATION, b"x" * 5),
            1009,
            "at least 11 bytes",
            id="too-big-in-fragments",
        ),
    ],
)
def test_a_broken_frame_is_an_error_and_closes_with_its_code(
    data: bytes, code: int, text: str
) -> None:
    got: list[Any] = []
    first, (kind, error, extra), last, closed_with, exception = received(
        frame(TEXT, b"ok") + data + frame(TEXT, b"no"), 3, got=got, max_msg_size=10
    )
    assert first == (TYPE.TEXT, "ok", "")
    assert (kind, extra, last) == (TYPE.ERROR, None, CLOSED)
    assert isinstance(error, windtunnel.WebSocketError)
    assert (error.code, closed_with, exception) == (code, code, None)
    assert text in str(error)
    assert got == [(0x88, code.to_bytes(2, "big"))]


def test_what_follows_a_broken_frame_is_dropped() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire, frame(3))
        await wire.sleep(1)
        await wire.send(frame(TEXT, b"more"))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        await asyncio.sleep(2)
        assert [message.type async for message in socket] == [TYPE.ERROR]

    play(script, main)


def test_a_compressed_message_that_is_too_big_is_an_error() -> None:
    compressor = zlib.compressobj(wbits=-15)
    bomb = compressor.compress(bytes(5_000_000)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    found = received(frame(BINARY, bomb[:-4], rsv=4), 1, DEFLATE, compress=15)
    assert found[0][1].code == found[1] == 1009


def test_without_a_limit_any_size_is_received() -> None:
    data = frame(BINARY, b"x" * 5_000_000) + closing()
    found = received(data, 1, max_msg_size=0)
    assert len(found[0][1]) == 5_000_000


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_lost_connection_ends_with_1006(how: str) -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire, frame(TEXT, b"a"))
        await wire.sleep(1)
        getattr(wire, how)()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        assert (await socket.receive()).data == "a"
        assert tuple(await socket.receive()) == CLOSED
        assert tuple(await socket.receive()) == CLOSED
        assert (socket.closed, socket.close_code) == (True, 1006)
        error = socket.exception()
        assert isinstance(error, windtunnel.ClientConnectionResetError)
        assert str(error).startswith("No close frame was received")
        assert await socket.close() is False
        with pytest.raises(windtunnel.ClientConnectionResetError):
            await socket.send_str("x")

    play(script, main)


def test_a_server_that_closes_right_after_its_close_frame_keeps_its_code() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.sleep(1)
        await wire.send(frame(PING) + closing(4001))
        wire.close()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        await asyncio.sleep(2)
        assert (await socket.receive()).type is TYPE.CLOSE
        assert (socket.close_code, socket.exception()) == (4001, None)

    play(script, main)


def test_only_one_task_may_receive() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            first = asyncio.create_task(socket.receive())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="Concurrent call to receive"):
                await socket.receive()
            first.cancel()

    play(tell(), main)


def test_a_timeout_leaves_the_socket_open() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        assert (await next_frame(wire))[1] == b"still there"
        await wire.send(frame(TEXT, b"yes"))
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        timeout = windtunnel.ClientWSTimeout(ws_receive=2, ws_close=1)
        async with session.ws_connect(URL, timeout=timeout) as socket:
            begun = tunnel.clock.elapsed
            with pytest.raises(TimeoutError):
                await socket.receive()
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.25)
            assert round(tunnel.clock.elapsed - begun, 9) == 2.25
            assert (socket.closed, socket.close_code) == (False, 1006)
            await socket.send_str("still there")
            assert await socket.receive_str() == "yes"

    play(script, main)


def test_the_typed_receives_refuse_other_messages() -> None:
    data = frame(BINARY, b"x") + frame(TEXT, b"y") + frame(TEXT, b"[1]") + closing()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        socket = await session.ws_connect(URL)
        error = windtunnel.WSMessageTypeError
        with pytest.raises(
            error, match=r"Received message 2:b'x' is not WSMsgType\.TEXT"
        ):
            await socket.receive_str()
        with pytest.raises(error, match=r"Received message 1:'y' is not .*BINARY"):
            await socket.receive_bytes()
        assert await socket.receive_json() == [1]
        with pytest.raises(error, match="Received message 8:1000 is not"):
            await socket.receive_json()
        with pytest.raises(error, match="Received message 257:None"):
            await socket.receive_str()

    play(tell(data), main)


def test_iteration_ends_with_the_close_frame_and_tells_of_errors() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> list[Any]:
        socket = await session.ws_connect(URL)
        async with socket as same:
            assert same is socket
            return [message.type async for message in socket]

    assert play(tell(frame(TEXT, b"a") + closing()), main) == [TYPE.TEXT]
    assert play(tell(frame(TEXT, b"a") + frame(3)), main) == [TYPE.TEXT, TYPE.ERROR]


def test_a_server_that_sends_too_much_is_held_until_it_is_read() -> None:
    sent: list[int] = []

    async def script(wire: Wire) -> None:
        await open_socket(wire)
        for number in range(3000):
            await wire.send(frame(BINARY, number.to_bytes(2, "big") * 512))
            sent.append(number)
        await wire.send(closing())
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            await asyncio.sleep(60)
            held = len(sent)
            assert 100 < held < 2900
            await asyncio.sleep(60)
            assert len(sent) == held
            for number in range(3000):
                data = await socket.receive_bytes()
                assert data[:2] == number.to_bytes(2, "big")

    play(script, main)


def test_many_tiny_messages_count_as_well() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL) as socket:
            await asyncio.sleep(1)
            waiting = len(socket._inbox.messages)
            assert waiting < 60_000
            found = [message.data async for message in socket]
            assert found == [""] * 60_000

    play(tell(frame(TEXT) * 60_000 + closing()), main)


def test_messages_are_tuples_with_json() -> None:
    message = WSMessage(TYPE.TEXT, '{"a": 1}', "")
    assert message.json() == {"a": 1}
    assert message.json(loads=len) == 8
    kind, data, extra = message
    assert (kind, data, extra) == (1, '{"a": 1}', "")
    assert [WSMsgType[name].value for name in ("text", "closed")] == [1, 257]
