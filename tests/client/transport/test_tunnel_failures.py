"""Proxies that fail: what is raised, when, and that nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import answering
from tests.client.transport.test_tunnel import (
    MADE,
    OK,
    PROXY,
    SECURE_PROXY,
    play,
    read_all,
)
from windtunnel_fakeserver import Tunnel, Wire

if TYPE_CHECKING:
    from windtunnel_fakeserver import Script


def test_a_407_to_connect_is_an_error_with_the_facts_of_the_proxy() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientHttpProxyError) as caught:
            await session.get("https://a.test/", proxy="http://u:p@proxy.test:3128")
        error = caught.value
        assert (error.status, error.message) == (407, "Who are you")
        assert error.headers is not None
        assert error.headers["Proxy-Authenticate"] == "Basic"
        info = error.request_info
        assert info is not None
        assert info.method == "CONNECT"
        assert str(info.url) == "https://a.test/"
        assert str(info.real_url) == PROXY
        assert info.headers["Proxy-Authorization"] == "Basic dTpw"
        # No byte of TLS was sent.
        assert b"CONNECT" in tunnel.journal.connections[0].events[1].data
        assert len(tunnel.journal.connections) == 1

    answer = b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n"
    play(main, answering(answer))


async def drops(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(b"HTTP/1.1 200")


async def resets(wire: Wire) -> None:
    await wire.read_head()
    wire.reset()


async def says_too_much(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(MADE + b"hello")
    await wire.read_until_eof()


async def is_no_http(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(b"SSH-2.0\r\n")
    await wire.read_until_eof()


async def never_ends(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(b"HTTP/1.1 100 Go on\r\n\r\n" * 100)
    await wire.read_until_eof()


async def drops_after_tls(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(MADE)
    await wire.start_tls()
    wire.reset()


async def drops_in_tls(wire: Wire) -> None:
    await wire.read_head()
    await wire.send(MADE)
    await wire.read_some()


@pytest.mark.parametrize(
    ("script", "error", "text"),
    [
        (drops, windtunnel.ClientProxyConnectionError, r"proxy\.test:3128"),
        (resets, windtunnel.ClientProxyConnectionError, r"proxy\.test:3128"),
        (says_too_much, windtunnel.ClientResponseError, "5 bytes behind"),
        (is_no_http, windtunnel.ClientResponseError, "begins with b'S'"),
        (never_ends, windtunnel.ClientResponseError, "interim"),
        (drops_in_tls, windtunnel.ClientConnectorError, r"a\.test:443"),
        (drops_after_tls, windtunnel.ClientConnectionError, "Connection reset"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_proxy_that_makes_no_tunnel_is_an_error(
    script: Script, error: type[Exception], text: str
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(error, match=text):
            await session.post("https://a.test/", proxy=PROXY, ssl=False)
        assert len(tunnel.journal.connections) == 1

    play(main, script)


def test_a_proxy_that_cannot_be_reached_is_an_error_of_its_own() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.network.refuse(tunnel.network.dns.declare("proxy.test"))
        for url in ("http://a.test/", "https://a.test/"):
            with pytest.raises(windtunnel.ClientProxyConnectionError) as caught:
                await session.get(url, proxy=PROXY)
            assert (caught.value.host, caught.value.port) == ("proxy.test", 3128)
        tunnel.network.dns.fail("nobody.test")
        with pytest.raises(windtunnel.ClientConnectorDNSError) as unknown:
            await session.get("http://a.test/", proxy="http://nobody.test")
        assert (unknown.value.host, unknown.value.port) == ("nobody.test", 80)

    play(main)


def test_a_proxy_whose_certificate_is_not_trusted_is_a_certificate_error() -> None:
    async def left(wire: Wire) -> None:
        await wire.read_some()

    async def program(tunnel: Tunnel) -> None:
        tunnel.host(SECURE_PROXY).on_connect(left)
        async with windtunnel.ClientSession() as session:
            with pytest.raises(windtunnel.ClientConnectorCertificateError):
                await session.get("https://a.test/", proxy=SECURE_PROXY)

    Tunnel().run(program)


@pytest.mark.parametrize(
    ("script", "kind"),
    [("connect", "sock_connect"), ("connect", "total"), ("tls", "sock_connect")],
)
def test_a_stalled_tunnel_is_cut_in_time(script: str, kind: str) -> None:
    async def stalls(wire: Wire) -> None:
        await wire.read_head()
        if script == "tls":
            await wire.sleep(1)
            await wire.send(MADE)
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        limits = windtunnel.ClientTimeout(**{kind: 3})
        with pytest.raises(TimeoutError) as caught:
            await session.get("https://a.test/", proxy=PROXY, timeout=limits)
        is_total = isinstance(caught.value, windtunnel.TotalTimeoutError)
        assert is_total == (kind == "total")
        # Each step has its own time.
        expected = 4 if script == "tls" else 3
        assert tunnel.clock.elapsed == pytest.approx(expected, abs=0.01)

    play(main, stalls)


@pytest.mark.parametrize("moment", [0.5, 1.5, 2.5, 3.5])
def test_cancelling_at_any_moment_of_a_tunnel_leaves_nothing(moment: float) -> None:
    async def slow(wire: Wire) -> None:
        await wire.read_head()
        await wire.sleep(1)
        with contextlib.suppress(Exception):
            await wire.send(MADE)
            await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.network.dns.add(
            "proxy.test", [tunnel.network.dns.declare("proxy.test")], 1
        )
        task = asyncio.ensure_future(session.get("https://a.test/", proxy=PROXY))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        tunnel.host("http://b.test").on_connect(answering(OK))
        assert await read_all(session, "http://b.test/") == "ok"
        await asyncio.sleep(5)

    play(main, *[slow] * (moment > 1))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("foo", windtunnel.InvalidURL),
        ("http://[::1", windtunnel.InvalidURL),
        ("socks5://a.test:1080", windtunnel.InvalidURL),
        (5, TypeError),
    ],
)
def test_what_is_no_proxy_is_refused(value: Any, error: type[Exception]) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(error):
            await session.get("http://a.test/", proxy=value)
        with pytest.raises(error):
            windtunnel.ClientSession(proxy=value)

    play(main)


def test_proxy_auth_must_be_basic_auth_and_warns() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        wrong: Any = ("u", "p")
        with (
            pytest.warns(DeprecationWarning, match="'proxy_auth'"),
            pytest.raises(ValueError, match="proxy_auth"),
        ):
            await session.get("http://a.test/", proxy_auth=wrong)
        with pytest.raises(ValueError, match="proxy_auth"):
            windtunnel.ClientSession(proxy_auth=wrong)
        with pytest.warns(DeprecationWarning, match="BasicAuth is"):
            auth = windtunnel.BasicAuth("u", "p")
        with pytest.warns(DeprecationWarning, match="'proxy_auth'"):
            other = windtunnel.ClientSession(proxy_auth=auth)
        await other.close()

    play(main)


def test_proxy_headers_mean_nothing_without_a_proxy() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert (
            await read_all(session, "http://a.test/", proxy_headers={"X": "y"}) == "ok"
        )
        assert tunnel.journal.exchanges[0].request.header("X") is None

    play(main)
