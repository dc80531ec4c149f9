"""Dialling: which address comes first, what is tried next, and when."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

import windtunnel
from tests.client.support import answering
from windtunnel_fakeserver import Tls, Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SIX, FOUR, OTHER = "2001:db8::1", "198.18.0.1", "198.18.0.2"

Main: TypeAlias = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[None]]


async def read_all(session: windtunnel.ClientSession, url: str, **options: Any) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


def run(main: Main, **options: Any) -> None:
    async def program(tunnel: Tunnel) -> None:
        connector = windtunnel.TCPConnector(**options)
        async with windtunnel.ClientSession(connector=connector) as session:
            await main(session, tunnel)

    Tunnel().run(program)


@pytest.mark.parametrize("delay", [0.25, 2], ids=["usual", "patient"])
def test_a_silent_address_has_a_head_start_only(delay: float) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test", addresses=[SIX, FOUR]).on_connect(answering(OK))
        tunnel.network.hang(SIX)
        assert await read_all(session, "http://a.test/") == "ok"
        assert tunnel.clock.elapsed == pytest.approx(delay, abs=0.01)

    run(main, happy_eyeballs_delay=delay)


def test_without_happy_eyeballs_a_silent_address_uses_up_the_time() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test", addresses=[SIX, FOUR])
        tunnel.network.hang(SIX)
        limits = windtunnel.ClientTimeout(sock_connect=3)
        with pytest.raises(windtunnel.ConnectionTimeoutError):
            await session.get("http://a.test/", timeout=limits)
        assert tunnel.clock.elapsed == 3

    run(main, happy_eyeballs_delay=None)


def test_a_refused_address_is_passed_over_at_once() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test", addresses=[SIX, FOUR]).on_connect(answering(OK))
        tunnel.network.refuse(SIX)
        assert await read_all(session, "http://a.test/") == "ok"
        assert tunnel.clock.elapsed < 0.01

    run(main)


def test_nobody_answers_when_every_address_refuses() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test", addresses=[SIX, FOUR])
        tunnel.network.refuse(SIX)
        tunnel.network.refuse(FOUR)
        with pytest.raises(windtunnel.ClientConnectorError) as caught:
            await session.get("http://a.test/")
        assert (caught.value.host, caught.value.port) == ("a.test", 80)
        assert type(caught.value) is windtunnel.ClientConnectorError

    run(main)


def test_families_take_turns_as_interleave_says() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tried: list[str] = []
        tunnel.host("http://a.test", addresses=[SIX, "2001:db8::2", FOUR, OTHER])
        for address in (SIX, "2001:db8::2", FOUR, OTHER):
            tunnel.network.refuse(address)

        def make(info: Any) -> socket.socket:
            tried.append(info[4][0])
            return socket.socket(info[0], info[1], info[2])

        connector = windtunnel.TCPConnector(socket_factory=make, interleave=2)
        async with windtunnel.ClientSession(connector=connector) as other:
            with pytest.raises(windtunnel.ClientConnectorError):
                await other.get("http://a.test/")
        assert tried == [SIX, "2001:db8::2", FOUR, OTHER]

    run(main)


def test_local_addr_is_where_connections_come_from() -> None:
    async def program() -> None:
        # Binding is the kernel's business, so this is no simulated network.
        with socket.create_server(("127.0.0.1", 0)) as free:
            local = free.getsockname()
        peers: list[Any] = []

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            peers.append(writer.get_extra_info("peername"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connector = windtunnel.TCPConnector(local_addr=local)
        async with server, windtunnel.ClientSession(connector=connector) as session:
            assert await read_all(session, f"http://127.0.0.1:{port}/") == "ok"
        assert peers == [local]

    asyncio.run(program())


def pin_of(tunnel: Tunnel, tls: Tls, host: str) -> windtunnel.Fingerprint:
    """Take the fingerprint of the certificate that a host will show."""
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = tunnel.authority.server_context(tls, host).wrap_bio(
        inside, outside, server_side=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client = context.wrap_bio(outside, inside)
    for _ in range(3):
        for each in (client, server):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return windtunnel.Fingerprint(hashlib.sha256(certificate).digest())


def test_a_pinned_certificate_is_accepted_without_a_chain() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tls = Tls(trusted=False)
        tunnel.host("https://a.test", tls=tls).on_connect(
            answering(OK, OK, then_close=False), answering(OK)
        )
        pin = pin_of(tunnel, tls, "a.test")
        assert await read_all(session, "https://a.test/", ssl=pin) == "ok"
        assert await read_all(session, "https://a.test/", ssl=pin) == "ok"
        assert len(tunnel.journal.connections) == 1
        # Another object is another pool.
        same = windtunnel.Fingerprint(pin.fingerprint)
        assert await read_all(session, "https://a.test/", ssl=same) == "ok"
        assert len(tunnel.journal.connections) == 2

    run(main)


def test_another_certificate_than_the_pinned_one_is_refused() -> None:
    async def silent(wire: Wire) -> None:
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(silent)
        pin = windtunnel.Fingerprint(bytes(32))
        with pytest.raises(windtunnel.ServerFingerprintMismatch) as caught:
            await session.get("https://a.test/", ssl=pin)
        assert caught.value.expected == bytes(32)
        assert len(caught.value.got) == 32
        assert caught.value.port == 443

    run(main)


def test_a_fingerprint_means_nothing_without_tls() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        pin = windtunnel.Fingerprint(bytes(32))
        assert await read_all(session, "http://a.test/", ssl=pin) == "ok"

    run(main)


async def plain(wire: Wire) -> None:
    await wire.read_some()
    await wire.send(b"what?")
    await wire.read_some()


async def leave(wire: Wire) -> None:
    await wire.read_some()


async def silent(wire: Wire) -> None:
    while await wire.read_some():
        pass


@pytest.mark.parametrize(
    ("bad", "seconds"),
    [
        pytest.param(plain, 0, id="plain"),
        pytest.param(leave, 0, id="leave"),
        pytest.param(silent, 2, id="silent"),
    ],
)
def test_the_next_address_is_tried_when_tls_fails(bad: Any, seconds: float) -> None:
    async def program(tunnel: Tunnel) -> None:
        tunnel.host("http://bad.test:443", addresses=[FOUR]).on_connect(bad)
        tunnel.host("https://a.test", addresses=[OTHER]).on_connect(answering(OK))
        tunnel.network.dns.add("a.test", [FOUR, OTHER])
        connector = windtunnel.TCPConnector(ssl=tunnel.authority.client_context())
        limits = windtunnel.ClientTimeout(sock_connect=2)
        async with windtunnel.ClientSession(
            connector=connector, timeout=limits
        ) as session:
            assert await read_all(session, "https://a.test/") == "ok"
        assert tunnel.clock.elapsed == pytest.approx(seconds, abs=0.01)

    Tunnel().run(program)


def test_the_next_address_is_tried_when_the_pinned_certificate_is_not_there() -> None:
    async def program(tunnel: Tunnel) -> None:
        good = Tls(["a.test"], common_name="good")
        tunnel.host("https://bad.test", addresses=[FOUR]).on_connect(silent)
        tunnel.host("https://a.test", addresses=[OTHER], tls=good).on_connect(
            answering(OK)
        )
        tunnel.network.dns.add("a.test", [FOUR, OTHER])
        pin = pin_of(tunnel, good, "a.test")
        async with windtunnel.ClientSession() as session:
            assert await read_all(session, "https://a.test/", ssl=pin) == "ok"

    Tunnel().run(program)


@pytest.mark.parametrize("moment", [0.5, 1.5], ids=["resolving", "connecting"])
def test_cancelling_while_dialling_leaves_nothing(moment: float) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test", addresses=[FOUR]).on_connect(answering(OK))
        tunnel.network.dns.add("a.test", [FOUR], delay=1)
        tunnel.network.hang(FOUR, times=1 if moment > 1 else 0)
        task = asyncio.ensure_future(session.get("http://a.test/"))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tunnel.clock.elapsed == moment
        # The place is free again, and a look-up that was under way is not lost.
        assert await read_all(session, "http://a.test/") == "ok"
        assert tunnel.clock.elapsed < 2

    run(main, limit=1)


def test_a_timeout_of_the_operating_system_is_no_deadline() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test", addresses=[FOUR])
        limits = windtunnel.ClientTimeout(sock_connect=3)
        with pytest.raises(windtunnel.ClientConnectorError) as caught:
            await session.get("http://a.test/", timeout=limits)
        assert isinstance(caught.value.os_error, TimeoutError)

    def fails(info: Any) -> socket.socket:
        raise TimeoutError(110, "Connection timed out")

    run(main, socket_factory=fails)
