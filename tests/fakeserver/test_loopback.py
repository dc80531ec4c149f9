"""The venue on real sockets."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from tests.fakeserver.venues import connect
from windtunnel_fakeserver import Loopback, VerificationError, Wire

GET = b"GET / HTTP/1.1\r\n\r\n"


def test_named_hosts_say_where_they_listen() -> None:
    async def main() -> None:
        async with Loopback() as venue:
            host = venue.host("http://a.test")
            host.expect("GET", "/")
            address, port = venue.address(host)
            assert venue.resolve == {"a.test:80": f"127.0.0.1:{port}"}
            assert address == "127.0.0.1"
            assert host.url() == "http://a.test/"
            async with connect(venue, host) as client:
                await client.send(GET)
                await client.read_reply()

    asyncio.run(main())


def test_hosts_can_be_declared_before_the_start() -> None:
    async def main() -> None:
        venue = Loopback()
        server = venue.server
        server.expect("GET", "/")
        assert venue.journal.now == 0.0
        await venue.start()
        await venue.start()
        async with (
            aiohttp.ClientSession() as session,
            session.get(server.url()) as response,
        ):
            assert response.status == 200
        await venue.aclose()
        await venue.aclose()
        assert venue.server is server
        assert venue.journal.now > 0
        assert venue.journal[0].request.time < 60
        venue.verify()

    asyncio.run(main())


def test_a_venue_that_never_starts_can_be_closed() -> None:
    async def main() -> None:
        venue = Loopback()
        assert venue.server.url().startswith("http://127.0.0.1:")
        await venue.aclose()

    asyncio.run(main())


def test_leaving_verifies_and_an_error_comes_first() -> None:
    async def unmet() -> None:
        async with Loopback() as venue:
            venue.server.expect("GET", "/")

    async def failing() -> None:
        async with Loopback() as venue:
            venue.server.expect("GET", "/")
            msg = "first"
            raise LookupError(msg)

    async def lax() -> None:
        async with Loopback(strict=False) as venue:
            venue.server.expect("GET", "/")

    with pytest.raises(VerificationError, match="1 expectation was not met"):
        asyncio.run(unmet())
    with pytest.raises(LookupError, match="first") as caught:
        asyncio.run(failing())
    assert "1 expectation was not met" in caught.value.__notes__[0]
    asyncio.run(lax())


def test_the_end_closes_connections_that_clients_hold_open() -> None:
    async def silent(wire: Wire) -> None:
        await wire.send(b"hello")
        await wire.stall()

    async def main() -> None:
        venue = Loopback()
        await venue.start()
        venue.server.on_connect(silent)
        venue.server.on("GET", "/")
        began = time.monotonic()
        async with (
            connect(venue, venue.server) as scripted,
            connect(venue, venue.server) as routed,
        ):
            assert await scripted.reader.readexactly(5) == b"hello"
            await routed.send(GET)
            await routed.read_reply()
            await venue.aclose()
            assert await scripted.reader.read() == b""
            assert await routed.reader.read() == b""
        assert time.monotonic() - began < 2
        assert all(c.closed is not None for c in venue.journal.connections)

    asyncio.run(main())
