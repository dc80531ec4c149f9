"""Opening a WebSocket through the session: what is sent, and what is refused."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.websocket.support import (
    BINARY,
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
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from windtunnel_fakeserver import Script, Wire

QUIET = windtunnel.ClientWSTimeout(ws_close=0.5)


def sent(**options: Any) -> list[tuple[str, str]]:
    """Give the fields of the handshake that depend on the arguments, in their order."""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(f"{URL}path?q=1#part", timeout=QUIET, **options):
            pass
        (exchange,) = tunnel.journal.exchanges
        assert exchange.request.target == "/path?q=1"
        fields[:] = exchange.request.headers

    fields: list[tuple[str, str]] = []
    play(tell(), main)
    automatic = {"Host", "Accept", "Accept-Encoding", "User-Agent"}
    return [field for field in fields if field[0] not in automatic]


def test_the_handshake_asks_for_a_websocket_with_a_key_of_16_bytes() -> None:
    upgrade, connection, version, (name, key) = sent()
    assert upgrade == ("Upgrade", "websocket")
    assert connection == ("Connection", "Upgrade")
    assert version == ("Sec-WebSocket-Version", "13")
    assert name == "Sec-WebSocket-Key"
    assert len(key) == 24
    assert dict(sent())[name] != key


def test_the_callers_fields_come_first_and_the_key_is_never_theirs() -> None:
    fields = sent(
        headers={"X-A": "b", "Sec-WebSocket-Version": "8", "Sec-WebSocket-Key": "mine"},
        protocols=("a", "b"),
        origin="http://o",
        compress=12,
    )
    names = [name for name, _ in fields]
    assert names[:2] == ["X-A", "Sec-WebSocket-Version"]
    values = dict(fields)
    assert values["Sec-WebSocket-Version"] == "8"
    assert values["Sec-WebSocket-Key"] != "mine"
    assert values["Sec-WebSocket-Protocol"] == "a,b"
    assert values["Origin"] == "http://o"
    assert values["Sec-WebSocket-Extensions"] == (
        "permessage-deflate; client_max_window_bits; server_max_window_bits=12"
    )


@pytest.mark.parametrize("bits", [1, 8, 16, -1])
def test_a_window_that_cannot_be_compressed_with_is_refused_at_the_call(
    bits: int,
) -> None:
    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession() as session:
            with pytest.raises(ValueError, match=f"compress={bits} is not 0 or 9 to"):
                await session.ws_connect(URL, compress=bits)

    Tunnel().run(main)


def refusal(script: Script, **options: Any) -> windtunnel.WSServerHandshakeError:
    """Give the error with which a handshake ends."""

    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> windtunnel.WSServerHandshakeError:
        with pytest.raises(windtunnel.WSServerHandshakeError) as caught:
            await session.ws_connect(URL, **options)
        return caught.value

    return play(script, main)


def test_another_status_is_refused_with_its_fields() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 426 No\r\nX-A: b\r\nContent-Length: 2\r\n\r\nno")
        await wire.read_until_eof()

    error = refusal(script)
    assert (error.status, error.message) == (426, "Invalid response status")
    assert error.headers is not None
    assert error.headers["x-a"] == "b"
    assert error.request_info is not None
    assert error.request_info.method == "GET"


def test_a_wrong_proof_is_refused_and_the_connection_closed() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(
            b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: x\r\n\r\n"
        )
        await wire.read_until_eof()

    error = refusal(script)
    assert (error.status, error.message) == (101, "Invalid challenge response")
    assert error.rule == "RFC 6455 section 4.1"


def test_terms_that_were_not_offered_are_refused() -> None:
    extension = b"Sec-WebSocket-Extensions: permessage-deflate"
    assert "was not offered" in refusal(tell(b"", extension)).message
    assert refusal(tell(b"", b"Sec-WebSocket-Protocol: x")).message == (
        "Invalid protocol: 'x' was not offered"
    )
    error = refusal(tell(b"", extension + b"; foo"), compress=15)
    assert error.message == "Invalid extension: permessage-deflate with 'foo'"
    assert error.rule == "RFC 7692 section 7.1"


def test_terms_that_were_agreed_on_are_told() -> None:
    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> tuple[str | None, int, bool]:
        async with session.ws_connect(
            URL, compress=15, protocols=["b"], timeout=QUIET
        ) as socket:
            return socket.protocol, socket.compress, socket.client_notakeover

    fields = (
        b"Sec-WebSocket-Protocol: b",
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10; "
        b"client_no_context_takeover; server_no_context_takeover",
    )
    assert play(tell(b"", *fields), main) == ("b", 10, True)
    assert play(tell(), main) == (None, 0, False)


def test_frames_glued_to_the_answer_are_received() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> list[Any]:
        async with session.ws_connect(URL) as socket:
            return [message.data async for message in socket]

    data = frame(TEXT, b"first") + frame(BINARY, b"x" * 500_000) + closing()
    assert play(tell(data), main) == ["first", b"x" * 500_000]


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_server_that_vanishes_right_after_the_handshake(how: str) -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire, frame(TEXT, b"last"))
        getattr(wire, how)()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> list[Any]:
        socket = await session.ws_connect(URL)
        return [message.type async for message in socket] + [socket.close_code]

    assert play(script, main) in ([WSMsgType.TEXT, 1006], [1006])


def over_tls(script: Script, data: bytes = b"") -> list[Any]:
    """Send data, receive until the end, over TLS; and give what came."""
    tunnel = Tunnel()
    tunnel.host("https://a.test").on_connect(script)

    async def main(tunnel: Tunnel) -> list[Any]:
        connector = windtunnel.TCPConnector(ssl=tunnel.authority.client_context())
        async with (
            windtunnel.ClientSession(connector=connector) as session,
            session.ws_connect("wss://a.test/") as socket,
        ):
            if data:
                await socket.send_bytes(data)
            found = [message.data async for message in socket]
        return [*found, socket.close_code]

    return tunnel.run(main)


def test_large_messages_go_both_ways_over_tls() -> None:
    data = bytes(range(256)) * 4000

    async def script(wire: Wire) -> None:
        await open_socket(wire)
        assert await next_frame(wire) == (0x82, data)
        await wire.send(frame(TEXT, b"first"))
        await wire.send(frame(BINARY, data) + closing())
        await wire.read_until_eof()

    assert over_tls(script, data) == ["first", data, 1000]


def test_a_farewell_of_tls_together_with_the_answer_is_the_end_after_its_frames() -> (
    None
):
    async def script(wire: Wire) -> None:
        await open_socket(wire, frame(TEXT, b"last"))
        wire.close()

    assert over_tls(script) == ["last", 1006]


def test_cancelling_the_handshake_leaves_nothing() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        connecting = asyncio.create_task(session.ws_connect(URL))
        await asyncio.sleep(1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting

    play(script, main)


def test_the_transport_can_be_asked_until_the_end() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL, timeout=QUIET) as socket:
            assert socket.get_extra_info("peername")[1] == 80
            assert socket.get_extra_info("unknown", 5) == 5
        assert socket.get_extra_info("peername") is None
        assert socket.get_extra_info("peername", "gone") == "gone"

    play(tell(), main)


def test_the_total_timeout_ends_with_the_handshake() -> None:
    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> tuple[Any, float]:
        socket = await session.ws_connect(URL)
        message = await socket.receive()
        return message.data, tunnel.clock.elapsed

    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.sleep(500)
        await wire.send(frame(TEXT, b"late"))
        await wire.read_until_eof()

    timeout = windtunnel.ClientTimeout(total=3, sock_read=2)
    data, elapsed = play(script, main, timeout=timeout)
    assert data == "late"
    assert elapsed > 500


def test_closing_the_session_ends_its_sockets() -> None:
    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> tuple[Any, int | None]:
        socket = await session.ws_connect(URL)
        receiving = asyncio.create_task(socket.receive())
        await asyncio.sleep(1)
        await session.close()
        return (await receiving).type, socket.close_code

    assert play(tell(), main) == (WSMsgType.CLOSED, 1006)


def test_a_socket_holds_its_place_in_the_pool_until_it_is_closed() -> None:
    async def script(wire: Wire) -> None:
        await open_socket(wire)
        await wire.read_until_eof()

    async def main(tunnel: Tunnel) -> None:
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            socket = await session.ws_connect(URL, timeout=QUIET)
            request = asyncio.create_task(session.ws_connect(URL, timeout=QUIET))
            await asyncio.sleep(5)
            assert not request.done()
            await socket.close()
            await (await request).close()

    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(script, script)
    tunnel.run(main)


def test_a_dropped_socket_is_closed() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.ws_connect(URL)
        await asyncio.sleep(1)
        (record,) = tunnel.journal.connections
        assert not record.client_open

    play(tell(), main)


def test_numbers_as_timeouts_are_deprecated_and_still_mean_what_they_did() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> float:
        with pytest.warns(DeprecationWarning, match="ws_close"):
            socket = await session.ws_connect(URL, timeout=3.0)
        begun = tunnel.clock.elapsed
        await socket.close()
        return round(tunnel.clock.elapsed - begun, 6)

    assert play(tell(), main) == 3.0

    async def receive(session: windtunnel.ClientSession, tunnel: Tunnel) -> float:
        with pytest.warns(DeprecationWarning, match="ws_receive"):
            socket = await session.ws_connect(URL, receive_timeout=2.0, timeout=QUIET)
        begun = tunnel.clock.elapsed
        with pytest.raises(TimeoutError):
            await socket.receive()
        await socket.close()
        return round(tunnel.clock.elapsed - begun, 6)

    assert play(tell(), receive) == 2.0


def test_the_session_makes_sockets_of_the_class_it_was_given() -> None:
    class Mine(windtunnel.ClientWebSocketResponse):
        """One of the caller's own."""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.ws_connect(URL, timeout=QUIET) as socket:
            assert type(socket) is Mine

    play(tell(), main, ws_response_class=Mine)
    generic: Any = windtunnel.ClientWebSocketResponse
    assert generic[bool].__origin__ is generic


def test_a_connect_can_be_given_to_a_task_or_dropped() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        dropped = session.ws_connect(URL)
        dropped.close()
        with pytest.raises(KeyError):
            session.ws_connect(URL).throw(KeyError())
        socket = await asyncio.create_task(session.ws_connect(URL, timeout=QUIET))
        await socket.close()

    play(tell(), main)


def test_a_request_that_switches_by_hand_gets_the_101() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(
            b"HTTP/1.1 101 Yes\r\nUpgrade: x\r\n\r\n" + struct.pack("!I", 1)
        )
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> bytes:
        headers = {"Upgrade": "x", "Connection": "Upgrade"}
        async with session.get("http://a.test/", headers=headers) as response:
            assert response.status == 101
            return await response.content.readexactly(4)

    assert play(script, main) == b"\0\0\0\x01"
