"""The hosts that the operations of the fault tests meet, and what an operation gets."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.client.session.test_digest import Guard
from tests.client.transport.test_tunnel import MADE
from tests.client.websocket.support import closing, frame, next_frame, open_socket
from windtunnel._wire.ws_rules import CLOSE
from windtunnel_fakeserver import Reply, WireClosedError, pause

if TYPE_CHECKING:
    import windtunnel
    from windtunnel_fakeserver import Tunnel, Wire

A, B, SECURE = "http://a.test", "http://b.test", "https://s.test"
SLOW_NAME, TWO_ADDRESSES = "http://slowname.test", "http://two.test"
FORWARD, PROXY = "http://forward.test:3128", "http://proxy.test:3128"
SECURE_PROXY = "https://secureproxy.test:3128"
SOCKET, DEAF, EARLY = "http://w.test", "http://deaf.test", "http://early.test"
LINES = (b"one\n", b"two\n", b"three\n")


@dataclass
class Scene:
    """What an operation works with.

    Attributes:
        tunnel: The world.
        session: Of the client.
        kept: What an operation wants to find again afterwards.
    """

    tunnel: Tunnel
    session: windtunnel.ClientSession
    kept: dict[str, Any] = field(default_factory=dict[str, Any])

    async def get(self, url: str, **options: Any) -> bytes:
        """Get a body."""
        async with self.session.get(url, **options) as response:
            return await response.read()


def declare(tunnel: Tunnel) -> None:
    """Put all hosts onto the network; each answers a second after the request."""
    for origin in (A, B, SECURE, SLOW_NAME):
        _declare_host(tunnel, origin)
    tunnel.network.dns.add("slowname.test", ["198.18.200.1"], delay=2)
    two = tunnel.host(TWO_ADDRESSES, addresses=["198.18.200.3"])
    two.on("GET", "/").reply(Reply(text="ok", delay=1))
    tunnel.network.dns.add("two.test", ["198.18.200.2", "198.18.200.3"])
    tunnel.network.hang("198.18.200.2")
    tunnel.host(FORWARD).on(None, None).reply(Reply(text="ok", delay=1))
    tunnel.host(PROXY).on_connect(otherwise=_proxy)
    tunnel.host(SECURE_PROXY).on_connect(otherwise=_proxy)
    tunnel.host(SOCKET).on_connect(otherwise=_echo)
    tunnel.host(DEAF).on_connect(otherwise=_deaf)
    tunnel.host(EARLY).on_connect(otherwise=_refuses_early)


def _declare_host(tunnel: Tunnel, origin: str) -> None:
    host = tunnel.host(
        origin, addresses=["198.18.200.1"] if origin == SLOW_NAME else None
    )
    host.on("GET", "/").reply(Reply(text="ok", delay=1))
    host.on("POST", "/").reply(Reply(text="taken", delay=1))
    chunks = [piece for line in LINES for piece in (line, pause(1))]
    host.on("GET", "/lines").reply(Reply(chunks=chunks, delay=1))
    host.on("GET", "/hop").reply(
        Reply(302, {"Location": f"{B}/hop"}, chunks=[b"moved", pause(1)])
        if origin == A
        else Reply(307, {"Location": f"{A}/"}, delay=1)
    )
    host.on("GET", "/guarded").reply(Guard())


async def _proxy(wire: Wire) -> None:
    """Make a tunnel; the client may leave at any time."""
    with contextlib.suppress(WireClosedError):
        request = await wire.read_head()
        host, _, port = request.target.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        back = asyncio.create_task(_give_back(reader, wire), name="server back")
        try:
            await wire.send(MADE)
            while data := await wire.read_some():
                writer.write(data)
        finally:
            writer.transport.abort()
            await asyncio.wait([back])


async def _give_back(reader: asyncio.StreamReader, wire: Wire) -> None:
    with contextlib.suppress(WireClosedError, ConnectionError):
        while data := await reader.read(65536):
            await wire.send(data)
    wire.close()


async def _echo(wire: Wire) -> None:
    """Answer each frame with itself, a second later; a goodbye also."""
    with contextlib.suppress(WireClosedError):
        await open_socket(wire)
        while True:
            first, payload = await next_frame(wire)
            await wire.sleep(1)
            if first == CLOSE | 0x80:
                await wire.send(closing())
                return
            await wire.send(frame(first & 0x0F, payload))


async def _refuses_early(wire: Wire) -> None:
    """Answer after some of a body, in two pieces, and read no more for a second."""
    with contextlib.suppress(WireClosedError):
        await wire.read_head()
        await wire.read_exactly(1000)
        wire.pause()
        await wire.send(b"HTTP/1.1 413 Too Big\r\nContent-Length: 2\r\n\r\nn")
        await wire.sleep(1)
        await wire.send(b"o")
        wire.resume()
        await wire.read_until_eof()


async def _deaf(wire: Wire) -> None:
    """Take a WebSocket and read nothing of it for ten seconds."""
    with contextlib.suppress(WireClosedError):
        await open_socket(wire)
        wire.pause()
        await wire.sleep(10)
        wire.resume()
        while True:
            await next_frame(wire)
