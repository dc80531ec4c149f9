"""TLS: which context is used, what fails, and that the rest works the same."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import windtunnel
from tests.client.support import answering
from windtunnel._transport.tls import context_for
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from windtunnel_fakeserver import Script, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
URL = "https://a.test/"

Main: TypeAlias = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[None]]


def play_tls(*scripts: Script, main: Main, trusting: bool = True) -> None:
    tunnel = Tunnel()
    tunnel.host("https://a.test").on_connect(*scripts)

    async def program(tunnel: Tunnel) -> None:
        context = tunnel.authority.client_context() if trusting else True
        connector = windtunnel.TCPConnector(ssl=context)
        async with windtunnel.ClientSession(connector=connector) as session:
            await main(session, tunnel)

    tunnel.run(program)


async def read_all(session: windtunnel.ClientSession, **options: Any) -> bytes:
    async with session.get(URL, **options) as response:
        return await response.read()


def test_requests_go_over_one_tls_connection() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read_all(session) == b"ok"
        assert await read_all(session) == b"ok"
        assert len(tunnel.journal.connections) == 1
        request = tunnel.journal.exchanges[0].request
        assert request.header("Host") == "a.test"

    play_tls(answering(OK, OK, then_close=False), main=main)


def test_a_large_body_comes_through_tls() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL, read_bufsize=1000) as response:
            assert len(await response.read()) == 2_000_000

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"
    play_tls(answering(head + bytes(2_000_000), then_close=False), main=main)


def test_a_certificate_that_nobody_vouches_for_is_an_error_of_its_own() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientConnectorCertificateError) as caught:
            await session.get(URL)
        assert isinstance(caught.value.certificate_error, ssl.CertificateError)
        assert isinstance(caught.value, windtunnel.ClientSSLError)

    play_tls(answering(OK), main=main, trusting=False)


def test_verification_can_be_switched_off_for_one_request() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read_all(session, ssl=False) == b"ok"
        assert await read_all(session, ssl=None) == b"ok"
        # Another setting is another pool.
        assert len(tunnel.journal.connections) == 2

    play_tls(*[answering(OK, then_close=False)] * 2, main=main)


def test_a_context_of_the_request_wins() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        context = tunnel.authority.client_context()
        assert await read_all(session, ssl=context) == b"ok"

    play_tls(answering(OK, then_close=False), main=main, trusting=False)


@pytest.mark.parametrize("value", [1, "x", b"", object()])
def test_another_kind_of_ssl_argument_is_a_type_error(value: Any) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(TypeError, match="allowed are True, False, None, ssl"):
            await session.get(URL, ssl=value)
        with pytest.raises(TypeError, match="allowed are True"):
            windtunnel.TCPConnector(ssl=value)

    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession() as session:
            await main(session, tunnel)

    Tunnel().run(program)


def test_a_server_that_speaks_no_tls_is_a_tls_error() -> None:
    async def plain(wire: Wire) -> None:
        await wire.read_some()
        await wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await wire.read_some()

    async def program(tunnel: Tunnel) -> None:
        tunnel.host("http://a.test:443").on_connect(plain)
        async with windtunnel.ClientSession() as session:
            with pytest.raises(windtunnel.ClientConnectorSSLError):
                await session.get(URL)

    Tunnel().run(program)


def test_a_server_that_leaves_in_the_handshake_is_a_connector_error() -> None:
    async def leave(wire: Wire) -> None:
        await wire.read_some()

    async def program(tunnel: Tunnel) -> None:
        tunnel.host("http://a.test:443").on_connect(leave)
        async with windtunnel.ClientSession() as session:
            with pytest.raises(windtunnel.ClientConnectorError):
                await session.get(URL)

    Tunnel().run(program)


@pytest.mark.parametrize("orderly", [True, False])
def test_a_body_that_ends_with_the_connection_needs_an_orderly_end(
    orderly: bool,
) -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 OK\r\n\r\nok")
        await wire.sleep(1)
        if orderly:
            wire.close()
        else:
            wire.abort()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        if orderly:
            assert await read_all(session, ssl=False) == b"ok"
        else:
            with pytest.raises(windtunnel.ClientPayloadError):
                await read_all(session, ssl=False)

    play_tls(script, main=main)


def test_a_connection_closed_in_the_handshake_is_cancelled_cleanly() -> None:
    async def silent(wire: Wire) -> None:
        assert await wire.read_some()
        await wire.read_until_eof()

    async def program(tunnel: Tunnel) -> None:
        tunnel.host("http://a.test:443").on_connect(silent)
        async with windtunnel.ClientSession() as session:
            task = asyncio.ensure_future(session.get(URL))
            await asyncio.sleep(5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    Tunnel().run(program)


def test_a_stalled_handshake_is_cut_by_sock_connect() -> None:
    async def silent(wire: Wire) -> None:
        while await wire.read_some():
            pass

    async def program(tunnel: Tunnel) -> None:
        tunnel.host("http://a.test:443").on_connect(silent)
        limits = windtunnel.ClientTimeout(sock_connect=2)
        async with windtunnel.ClientSession(timeout=limits) as session:
            with pytest.raises(windtunnel.ConnectionTimeoutError):
                await session.get(URL)
            assert tunnel.clock.elapsed == 2

    Tunnel().run(program)


def test_the_own_contexts_are_made_once_and_verify_unless_told_not_to() -> None:
    assert context_for(True) is context_for(True)
    assert context_for(True).verify_mode is ssl.CERT_REQUIRED
    assert context_for(True).check_hostname
    assert context_for(False).verify_mode is ssl.CERT_NONE
    own = ssl.create_default_context()
    assert context_for(own) is own
