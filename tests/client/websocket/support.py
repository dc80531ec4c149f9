"""What the tests of WebSockets share: peers on the simulated network, and frames."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import windtunnel
from tests.client.wire.test_ws_frames import frame
from windtunnel._wire.ws_handshake import accept_for
from windtunnel._wire.ws_mask import mask_in_python
from windtunnel._wire.ws_rules import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Request, Script, Wire

__all__ = (
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "URL",
    "accepting",
    "closing",
    "frame",
    "next_frame",
    "open_socket",
    "play",
    "serve",
    "tell",
)

T = TypeVar("T")
URL = "ws://a.test/"
Main = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[T]]


def accepting(request: Request, *fields: bytes) -> bytes:
    """Write the answer that opens the socket; ``fields`` are added."""
    key = request.header("Sec-WebSocket-Key")
    assert key is not None
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept_for(key).encode()
        + b"\r\n"
        + b"".join(field + b"\r\n" for field in fields)
        + b"\r\n"
    )


async def open_socket(wire: Wire, after: bytes = b"", *fields: bytes) -> None:
    """Accept a handshake; ``after`` is glued to the answer, ``fields`` are added."""
    await wire.send(accepting(await wire.read_request(), *fields) + after)


async def next_frame(wire: Wire) -> tuple[int, bytes]:
    """Read a frame of the client: its first byte and its payload, unmasked."""
    first, second = await wire.read_exactly(2)
    assert second & 0x80, "frame of a client is not masked"
    size = second & 0x7F
    if size > 125:
        size = int.from_bytes(await wire.read_exactly(2 if size == 126 else 8), "big")
    key = await wire.read_exactly(4)
    return first, bytes(mask_in_python(await wire.read_exactly(size), key))


def closing(code: int = 1000, reason: bytes = b"") -> bytes:
    """Write a close frame."""
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


def tell(data: bytes = b"", *fields: bytes, got: list[Any] | None = None) -> Script:
    """Make a peer that says something, and then notes each frame until the end."""

    async def script(wire: Wire) -> None:
        await open_socket(wire, data, *fields)
        try:
            while True:
                found = await next_frame(wire)
                if got is not None:
                    got.append(found)
        except WireClosedError:
            return

    return script


def play(script: Script, main: Main[T], **session_options: Any) -> T:
    """Run ``main`` with a session against one scripted connection."""
    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(script)

    async def program(tunnel: Tunnel) -> T:
        async with windtunnel.ClientSession(**session_options) as session:
            return await main(session, tunnel)

    return tunnel.run(program)


def serve(
    start: Callable[[Any], Awaitable[Callable[[], Awaitable[None]]]], main: Main[T]
) -> T:
    """Run ``main`` against a server of somebody else.

    Args:
        start: Starts it on a listening socket, and returns what stops it.
        main: The client's part; the server is at ``URL``.
    """
    tunnel = Tunnel()

    async def program(tunnel: Tunnel) -> T:
        tunnel.network.dns.add("a.test", ["198.18.7.7"])
        stop = await start(tunnel.network.listen("198.18.7.7", 80))
        try:
            async with windtunnel.ClientSession() as session:
                return await main(session, tunnel)
        finally:
            await stop()

    return tunnel.run(program)
