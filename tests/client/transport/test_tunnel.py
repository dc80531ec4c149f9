"""Proxies: requests passed on, tunnels, credentials, and what fails."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import windtunnel
from tests.client.support import answering
from windtunnel_fakeserver import Tls, Tunnel, Wire

if TYPE_CHECKING:
    from windtunnel_fakeserver import Script

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MADE = b"HTTP/1.1 200 Connection established\r\n\r\n"
PROXY = "http://proxy.test:3128"
SECURE_PROXY = "https://proxy.test:3129"

Main: TypeAlias = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[None]]


async def read_all(session: windtunnel.ClientSession, url: str, **options: Any) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


def play(main: Main, *scripts: Script, proxy: str = PROXY, **options: Any) -> Tunnel:
    """Run ``main`` with a proxy that plays one script for each connection."""
    tunnel = Tunnel()
    if scripts:
        tunnel.host(proxy).on_connect(*scripts)

    async def program(tunnel: Tunnel) -> None:
        connector = windtunnel.TCPConnector(
            ssl=tunnel.authority.client_context(), limit=1
        )
        async with windtunnel.ClientSession(connector=connector, **options) as session:
            await main(session, tunnel)

    tunnel.run(program)
    return tunnel


async def bridge(wire: Wire) -> None:
    """Be a proxy that makes one tunnel."""
    request = await wire.read_head()
    assert request.method == "CONNECT"
    host, _, port = request.target.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    await wire.send(MADE)

    async def back() -> None:
        while data := await reader.read(65536):
            await wire.send(data)
        wire.close()

    task = asyncio.create_task(back())
    try:
        while data := await wire.read_some():
            writer.write(data)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        writer.close()
        await writer.wait_closed()


# --- http: requests that are passed on ---------------------------------------------


def test_http_is_asked_of_the_proxy_by_its_absolute_url() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for _ in range(2):
            url = "http://a.test:81/x?y=1#z"
            assert await read_all(session, url, proxy=PROXY) == "ok"
        request = tunnel.journal.exchanges[0].request
        assert request.target == "http://a.test:81/x?y=1"
        assert request.header("Host") == "a.test:81"
        assert request.header("Proxy-Authorization") is None
        assert len(tunnel.journal.connections) == 1

    play(main, answering(OK, OK, then_close=False))


@pytest.mark.parametrize("kind", ["url", "auth", "header"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_credentials_for_the_proxy_go_with_requests_that_are_passed_on(
    kind: str,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        options: dict[str, Any] = {"proxy": PROXY}
        if kind == "url":
            options["proxy"] = "http://u:p@proxy.test:3128"
        elif kind == "auth":
            options["proxy_auth"] = windtunnel.BasicAuth("u", "p")
        else:
            options["proxy_headers"] = {
                "proxy-authorization": windtunnel.encode_basic_auth("u", "p"),
                "X-Proxy": "not for others",
            }
        await read_all(session, "http://a.test/", **options)
        request = tunnel.journal.exchanges[0].request
        assert request.header("Proxy-Authorization") == "Basic dTpw"
        assert request.header("X-Proxy") is None

    play(main, answering(OK))


def test_credentials_that_the_caller_wrote_stay_alone() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        own = {"Proxy-Authorization": "Mine"}
        proxy = "http://u:p@proxy.test:3128"
        await read_all(session, "http://a.test/", proxy=proxy, headers=own)
        request = tunnel.journal.exchanges[0].request
        assert [v for n, v in request.headers if n == "Proxy-Authorization"] == ["Mine"]

    play(main, answering(OK))


def test_a_407_of_a_request_that_is_passed_on_is_an_ordinary_response() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get("http://a.test/", proxy=PROXY) as response:
            assert response.status == 407

    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    play(main, answering(answer))


def test_the_proxy_of_the_session_is_for_requests_without_one_of_their_own() -> None:
    async def program(tunnel: Tunnel) -> None:
        other = "http://other.test:3128"
        tunnel.host(PROXY).on_connect(answering(OK, then_close=False))
        tunnel.host(other).on_connect(answering(OK, then_close=False))
        async with windtunnel.ClientSession(proxy=PROXY) as session:
            assert not session.trust_env
            assert await read_all(session, "http://a.test/") == "ok"
            assert await read_all(session, "http://a.test/", proxy=other) == "ok"
        # Another proxy is another pool.
        assert [c.server for c in tunnel.journal.connections] == [PROXY, other]

    Tunnel().run(program)


# --- https: tunnels ----------------------------------------------------------------


def test_https_goes_through_a_tunnel_with_the_targets_certificate() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(answering(OK, OK, then_close=False))
        for _ in range(2):
            text = await read_all(
                session,
                "https://a.test/x",
                proxy="http://u:p@proxy.test:3128",
                proxy_headers={"X-Proxy": "1"},
            )
            assert text == "ok"
        connect, *inside = [each.request for each in tunnel.journal.exchanges]
        assert (connect.method, connect.target) == ("CONNECT", "a.test:443")
        assert connect.header("Host") == "a.test:443"
        assert connect.header("Proxy-Authorization") == "Basic dTpw"
        assert connect.header("X-Proxy") == "1"
        assert str(connect.header("User-Agent")).startswith("Python/")
        assert [each.target for each in inside] == ["/x", "/x"]
        for each in inside:
            assert each.header("Host") == "a.test"
            assert each.header("Proxy-Authorization") is None
            assert each.header("X-Proxy") is None

    play(main, bridge)


def test_a_tunnel_in_tls_to_the_proxy_is_tls_in_tls() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(answering(OK, OK, then_close=False))
        assert await read_all(session, "https://a.test/", proxy=SECURE_PROXY) == "ok"
        assert await read_all(session, "https://a.test/", proxy=SECURE_PROXY) == "ok"
        assert all(each.tls for each in tunnel.journal.connections)
        assert len(tunnel.journal.connections) == 2

    play(main, bridge, proxy=SECURE_PROXY)


def test_http_is_asked_of_a_proxy_over_tls() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read_all(session, "http://a.test/", proxy=SECURE_PROXY) == "ok"
        assert tunnel.journal.exchanges[0].request.target == "http://a.test/"

    play(main, answering(OK), proxy=SECURE_PROXY)


def test_a_tunnel_to_an_ipv6_address_is_asked_for_in_brackets() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientHttpProxyError):
            await session.get("https://[2001:db8::1]:444/", proxy=PROXY)
        request = tunnel.journal.exchanges[0].request
        assert request.target == request.header("Host") == "[2001:db8::1]:444"

    play(main, answering(b"HTTP/1.1 403 No\r\n\r\n"))


def test_ws_goes_through_a_tunnel_without_tls() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://a.test").on_connect(answering(OK))
        assert await read_all(session, "ws://a.test/", proxy=PROXY) == "ok"
        connect, inside = [each.request for each in tunnel.journal.exchanges]
        assert connect.target == "a.test:80"
        assert inside.target == "/"

    play(main, bridge)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_websocket_opens_in_a_tunnel(scheme: str) -> None:
    async def greet(wire: Wire) -> None:
        request = await wire.read_request()
        key = str(request.header("Sec-WebSocket-Key"))
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode())
        accept = base64.b64encode(digest.digest())
        await wire.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        await wire.send(b"\x81\x02hi\x88\x02\x03\xe8")
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        kind = "https" if scheme == "wss" else "http"
        tunnel.host(f"{kind}://a.test").on_connect(greet)
        async with session.ws_connect(f"{scheme}://a.test/", proxy=PROXY) as socket:
            assert await socket.receive_str() == "hi"

    play(main, bridge)


def test_the_user_agent_for_the_proxy_can_be_given() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        headers = {"user-agent": "me"}
        with pytest.raises(windtunnel.ClientHttpProxyError):
            await session.get("https://a.test/", proxy=PROXY, proxy_headers=headers)
        assert tunnel.journal.exchanges[0].request.header("User-Agent") == "me"

    play(main, answering(b"HTTP/1.1 403 No\r\n\r\n"))


def test_interim_responses_before_the_tunnel_are_skipped_and_length_is_nothing() -> (
    None
):
    async def with_noise(wire: Wire) -> None:
        await wire.read_head()
        await wire.send(b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n")
        await wire.sleep(1)
        await wire.send(b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await wire.start_tls()
        await wire.read_request()
        await wire.send(OK)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert (
            await read_all(session, "https://a.test/", proxy=PROXY, ssl=False) == "ok"
        )

    play(main, with_noise)


def test_a_pinned_certificate_is_that_of_the_target() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(silent)
        pin = windtunnel.Fingerprint(bytes(32))
        with pytest.raises(windtunnel.ServerFingerprintMismatch):
            await session.get("https://a.test/", proxy=PROXY, ssl=pin)

    async def silent(wire: Wire) -> None:
        await wire.read_until_eof()

    play(main, bridge)


def test_server_hostname_is_the_name_that_is_checked() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tls = Tls(["inner.test"])
        server = tunnel.host("https://a.test", tls=tls)
        server.on_connect(answering(OK, then_close=False), refused)
        name = {"server_hostname": "inner.test"}
        assert await read_all(session, "https://a.test/", **name) == "ok"
        with pytest.raises(windtunnel.ClientConnectorCertificateError):
            await session.get("https://a.test/")

    async def refused(wire: Wire) -> None:
        await wire.read_some()

    play(main)


def test_another_context_may_have_another_client_certificate_and_pool() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(
            answering(OK, OK, then_close=False), answering(OK, then_close=False)
        )
        one, two = (tunnel.authority.client_context() for _ in range(2))
        for context in (one, two, one):
            assert await read_all(session, "https://a.test/", ssl=context) == "ok"
        assert len(tunnel.journal.connections) == 2

    play(main)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "options",
    [{"verify_ssl": False}, {"ssl_context": None}, {"fingerprint": None}],
    ids=str,
)
def test_the_old_arguments_of_tls_work_for_a_request(options: dict[str, Any]) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(answering(OK))
        assert await read_all(session, "https://a.test/", **options) == "ok"
        with pytest.raises(ValueError, match="mutually exclusive"):
            await session.get("https://a.test/", verify_ssl=False, ssl=False)

    play(main)
