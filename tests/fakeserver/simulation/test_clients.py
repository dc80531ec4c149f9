"""Unmodified clients and servers of other projects, in virtual time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import websockets
from aiohttp import web
from websockets.server import ServerProtocol

from windtunnel_fakeserver.simulation import UnknownHostError, World

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable

    from tests.fakeserver.simulation.certificates import Certificates

NAME = "server.test"


@pytest.fixture(params=["plain", "tls"])
def security(request: pytest.FixtureRequest, certificates: Certificates) -> Security:
    return Security(certificates if request.param == "tls" else None)


class Security:
    """Plain, or TLS with a trusted certificate for the server's name."""

    def __init__(self, certificates: Certificates | None) -> None:
        self.is_tls = certificates is not None
        self.client: ssl.SSLContext | None = None
        self.server: ssl.SSLContext | None = None
        if certificates is not None:
            self.client = certificates.client()
            self.server = certificates.server()

    @property
    def port(self) -> int:
        return 443 if self.is_tls else 80

    def url(self, scheme: str, path: str) -> str:
        return f"{scheme}{'s' if self.is_tls else ''}://{NAME}{path}"


async def answer(request: web.Request) -> web.StreamResponse:
    if request.path == "/slow":
        await asyncio.sleep(100_000)
    if request.path == "/ws":
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"you said {message.data}")
        return socket
    body = await request.read()
    return web.json_response({"path": request.path, "size": len(body)})


@asynccontextmanager
async def aiohttp_server(
    world: World, security: Security, **options: Any
) -> AsyncGenerator[None]:
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=1, **options)
    await runner.setup()
    address = world.network.dns.declare(NAME)
    # Any: aiohttp's types want a socket of the kernel.
    listening: Any = world.network.listen(address, security.port)
    await web.SockSite(runner, listening, ssl_context=security.server).start()
    try:
        yield
    finally:
        await runner.cleanup()


def opened(world: World) -> int:
    return sum(event.kind == "open" for event in world.trace.events)


# -- HTTP clients --------------------------------------------------------------------


@pytest.mark.parametrize("split", [None, 1, 7], ids=["whole", "bytes", "mtu-7"])
def test_aiohttp_talks_to_aiohttp(security: Security, split: int | None) -> None:
    async def main(world: World) -> None:
        async with (
            aiohttp_server(world, security),
            aiohttp.ClientSession() as session,
        ):
            options: Any = {"ssl": security.client} if security.is_tls else {}
            for size in (0, 10, 3_000):
                url = security.url("http", f"/{size}")
                async with session.post(url, data=bytes(size), **options) as response:
                    assert await response.json() == {"path": f"/{size}", "size": size}
        # The connection was kept alive between the requests.
        assert opened(world) == 1
        await world.clock.advance(1)
        assert world.leaks() == []

    with World(split=split) as world:
        world.run(main, world)


def test_httpx_talks_to_aiohttp_and_reuses_its_connection(security: Security) -> None:
    async def main(world: World) -> None:
        verify: Any = security.client or True
        async with (
            aiohttp_server(world, security),
            httpx.AsyncClient(verify=verify, trust_env=False) as client,
        ):
            for size in (0, 10, 100_000):
                url = security.url("http", f"/{size}")
                response = await client.post(url, content=bytes(size))
                assert response.json() == {"path": f"/{size}", "size": size}
        # The shadow descriptor told httpcore that the idle connection is alive.
        assert opened(world) == 1
        await world.clock.advance(1)
        assert world.leaks() == []

    with World() as world:
        world.run(main, world)


def test_httpx_notices_that_the_server_closed_an_idle_connection() -> None:
    async def main(world: World) -> None:
        security = Security(None)
        async with (
            aiohttp_server(world, security, keepalive_timeout=3.0),
            httpx.AsyncClient(
                trust_env=False, limits=httpx.Limits(keepalive_expiry=1000)
            ) as client,
        ):
            await client.get(security.url("http", "/1"))
            await asyncio.sleep(10)
            await client.get(security.url("http", "/2"))
        assert opened(world) == 2

    with World() as world:
        world.run(main, world)


def test_timeouts_of_minutes_pass_in_virtual_time(security: Security) -> None:
    async def main(world: World) -> tuple[float, float]:
        options: Any = {"ssl": security.client} if security.is_tls else {}
        verify: Any = security.client or True
        url = security.url("http", "/slow")
        async with (
            aiohttp_server(world, security),
            aiohttp.ClientSession() as session,
            httpx.AsyncClient(verify=verify, trust_env=False, timeout=60) as client,
        ):
            with pytest.raises(TimeoutError):
                await session.get(url, **options)
            first = world.clock.elapsed
            with pytest.raises(httpx.ReadTimeout):
                await client.get(url)
            return first, world.clock.elapsed - first

    with World() as world:
        aiohttp_seconds, httpx_seconds = world.run(main, world)
    # aiohttp rounds long deadlines up to a whole second.
    assert 300 <= aiohttp_seconds <= 301
    assert 60 <= httpx_seconds <= 60.01


def test_an_unknown_host_is_the_clients_connection_error() -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorDNSError) as caught:
                await session.get("http://nobody.test/")
            assert isinstance(caught.value.os_error, UnknownHostError)
            assert 'tunnel.host("http://nobody.test")' in str(caught.value)
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError, match=r"network\.dns\.add"):
                await client.get("http://nobody.test/")
            with pytest.raises(httpx.ConnectError, match="All connection attempts"):
                await client.get("http://10.9.8.7/")

    with World() as world:
        world.run(main)


@pytest.mark.parametrize("gap", [1.0, 20.0], ids=["short-gap", "long-gap"])
def test_keep_alive_expires_in_virtual_time_thanks_to_the_shim(gap: float) -> None:
    async def main(world: World) -> int:
        security = Security(None)
        async with (
            aiohttp_server(world, security, keepalive_timeout=1000.0),
            aiohttp.ClientSession() as session,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            for _ in range(3):
                async with session.get(security.url("http", "/")) as response:
                    await response.read()
                await client.get(security.url("http", "/"))
                await asyncio.sleep(gap)
        return opened(world)

    with World() as world:
        # aiohttp keeps connections for 15 s, httpx for 5 s.
        assert world.run(main, world) == (2 if gap < 5 else 6)


# -- WebSockets ----------------------------------------------------------------------


def test_websockets_talks_to_websockets(security: Security) -> None:
    async def shout(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            assert isinstance(message, str)
            await connection.send(message.upper())

    async def main(world: World) -> None:
        listening = world.network.listen(world.network.dns.declare(NAME), security.port)
        async with (
            websockets.serve(shout, sock=listening, ssl=security.server),
            websockets.connect(
                security.url("ws", "/"), ssl=security.client, proxy=None
            ) as client,
        ):
            await client.send("hello")
            assert await client.recv() == "HELLO"
            # Ten minutes of pings every 20 s keep the connection alive.
            await asyncio.sleep(600)
            await client.send("still there")
            assert await client.recv() == "STILL THERE"
        await world.clock.advance(1)
        assert world.leaks() == []

    with World() as world:
        world.run(main, world)


def test_websockets_gives_up_on_a_silent_peer_at_its_ping_timeout() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        (request,) = protocol.events_received()
        protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]  # the only event is the request
        writer.writelines(protocol.data_to_send())
        await reader.read()
        writer.close()

    async def main(world: World) -> float:
        server = await asyncio.start_server(mute, "127.0.0.1", 8000)
        async with websockets.connect("ws://127.0.0.1:8000", proxy=None) as client:
            with pytest.raises(websockets.ConnectionClosedError):
                await client.recv()
            seconds = world.clock.elapsed
        server.close()
        await world.clock.advance(1)
        return seconds

    with World() as world:
        # A ping after 20 s, 20 s for the pong, 10 s for the closing handshake.
        assert 50 <= world.run(main, world) < 50.1


def test_websocket_client_of_aiohttp_talks_to_aiohttp(security: Security) -> None:
    async def main(world: World) -> None:
        options: Any = {"ssl": security.client} if security.is_tls else {}
        url = security.url("http", "/ws")
        async with (
            aiohttp_server(world, security),
            aiohttp.ClientSession() as session,
        ):
            # Any: pyright cannot follow the overloads of ws_connect.
            client: Any = session
            socket = await client.ws_connect(url, heartbeat=30, **options)
            await socket.send_str("a")
            assert await socket.receive_str() == "you said a"
            # Each pong starts a receive timeout of aiohttp anew, so not that one.
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(120):
                    await socket.receive()
            await socket.close()
        # aiohttp does not wait for the end of TLS when it closes.
        await world.clock.advance(60)
        assert world.leaks() == []

    with World() as world:
        world.run(main, world)


# -- streams -------------------------------------------------------------------------


def test_streams_of_asyncio_upgrade_to_tls(certificates: Certificates) -> None:
    security = Security(certificates)

    async def handle(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main(world: World) -> bytes:
        listening: Any = world.network.listen(world.network.dns.declare(NAME), 443)
        server = await asyncio.start_server(handle, sock=listening, ssl=security.server)
        reader, writer = await asyncio.open_connection(NAME, 443, ssl=security.client)
        writer.write(b"a line\n")
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        server.close()
        await world.clock.advance(1)
        return line

    with World() as world:
        assert world.run(main, world) == b"a line\n"


# -- cost and determinism ------------------------------------------------------------


def test_a_total_timeout_of_300_seconds_costs_under_20_ms_of_cpu(
    record_property: Callable[[str, object], None],
) -> None:
    async def main(world: World) -> float:
        async with (
            aiohttp_server(world, Security(None)),
            aiohttp.ClientSession() as session,
        ):
            with pytest.raises(TimeoutError):
                await session.get(f"http://{NAME}/slow")
            return world.clock.elapsed

    best = float("inf")
    for _ in range(10):
        before = time.process_time()
        with World() as world:
            assert 300 <= world.run(main, world) <= 301
        best = min(best, time.process_time() - before)
    record_property(
        "simulation: aiohttp total timeout of 300 s, whole world, CPU ms:",
        round(best * 1000, 2),
    )
    assert best < 0.020


def test_digests_of_tls_runs_are_equal(certificates: Certificates) -> None:
    def digest() -> str:
        security = Security(certificates)

        async def main(world: World) -> None:
            async with (
                aiohttp_server(world, security),
                aiohttp.ClientSession() as session,
            ):
                for number in range(3):
                    url = security.url("http", f"/{number}")
                    async with session.get(url, ssl=security.client or True) as got:
                        await got.read()
            await world.clock.advance(1)

        with World(5, split="random", latency=(0.0001, 0.01)) as world:
            world.run(main, world)
            return world.trace.digest()

    assert len({digest() for _ in range(5)}) == 1


_ANOTHER_PROCESS = """
from tests.fakeserver.simulation.test_clients import digest_with_aiohttp
from tests.fakeserver.simulation.test_invariants import digest_of
print(digest_of(11), digest_with_aiohttp())
"""


def digest_with_aiohttp() -> str:
    async def main(world: World) -> None:
        async with (
            aiohttp_server(world, Security(None)),
            aiohttp.ClientSession() as session,
        ):

            async def fetch(number: int) -> bytes:
                async with session.get(f"http://{NAME}/{number}") as response:
                    return await response.read()

            await asyncio.gather(*(fetch(number) for number in range(5)))

    with World(5, split="random", latency=(0.0001, 0.01)) as world:
        world.run(main, world)
        return world.trace.digest()


def test_digests_are_equal_across_processes_with_different_hash_seeds() -> None:
    digests: set[str] = set()
    for hash_seed in ("1", "777"):
        finished = subprocess.run(
            [sys.executable, "-c", _ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.add(finished.stdout)
    assert len(digests) == 1
    assert digest_with_aiohttp() in digests.pop()


def test_no_descriptor_is_left_after_200_worlds() -> None:
    async def main(world: World) -> None:
        async with (
            aiohttp_server(world, Security(None)),
            aiohttp.ClientSession() as session,
            session.get(f"http://{NAME}/") as response,
        ):
            await response.read()

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    with World() as world:
        world.run(main, world)
    before = descriptors()
    for _ in range(200):
        with World() as world:
            world.run(main, world)
    assert descriptors() == before
