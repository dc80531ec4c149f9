"""Both kinds of venue for one test: the simulated tunnel, and real loopback sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from windtunnel_fakeserver import FakeServer, Loopback, Tunnel

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

Venue: TypeAlias = Tunnel | Loopback
Scenario: TypeAlias = Callable[[Venue], Awaitable[None]]
Play: TypeAlias = Callable[[Scenario], Venue]


def on_tunnel(scenario: Scenario, *, strict: bool = True) -> Tunnel:
    """Run a scenario in virtual time; returns the tunnel for further questions."""
    tunnel = Tunnel(strict=strict)
    tunnel.run(scenario)
    return tunnel


def on_loopback(scenario: Scenario, *, strict: bool = True) -> Loopback:
    """Run a scenario on real sockets; returns the venue for further questions."""
    venue = Loopback(strict=strict)

    async def main() -> None:
        async with venue:
            await scenario(venue)

    asyncio.run(main())
    return venue


both = pytest.mark.parametrize(
    "play",
    [pytest.param(on_tunnel, id="tunnel"), pytest.param(on_loopback, id="loopback")],
)


def tls_host(venue: Venue) -> FakeServer:
    """Declare an https host that a client can reach by its URL on either venue."""
    return venue.host(
        "https://api.test" if isinstance(venue, Tunnel) else "https://localhost:0"
    )


def where(venue: Venue, server: FakeServer) -> tuple[str, int]:
    """Return host and port to connect to."""
    if isinstance(venue, Tunnel):
        return server.host.host, server.host.port
    return venue.address(server)


async def all_ended(server: FakeServer) -> None:
    """Wait until every connection of a server has ended."""
    if server.links:
        await asyncio.wait([link.task for link in server.links])


class Client:
    """A client of bytes: what it sends and sees is up to the test."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes and wait until the network has taken them."""
        self.writer.write(data)
        await self.writer.drain()

    async def read_head(self) -> bytes:
        """Read up to an empty line."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def read_reply(self) -> tuple[bytes, bytes]:
        """Read a head and the body that its Content-Length announces."""
        head = await self.read_head()
        size = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        return head, await self.reader.readexactly(size)

    async def close(self) -> None:
        """Close, whatever state the connection is in."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


class _Connecting:
    def __init__(self, venue: Venue, server: FakeServer) -> None:
        self._venue = venue
        self._server = server
        self._client: Client | None = None

    async def __aenter__(self) -> Client:
        context = None
        if self._server.tls is not None:
            context = self._venue.authority.client_context()
        name = self._server.host.host if context is not None else None
        streams = await asyncio.open_connection(
            *where(self._venue, self._server), ssl=context, server_hostname=name
        )
        self._client = Client(*streams)
        return self._client

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._client is not None
        await self._client.close()


def connect(venue: Venue, server: FakeServer) -> AbstractAsyncContextManager[Client]:
    """Connect a client of bytes, closed at the end of the block."""
    return _Connecting(venue, server)
