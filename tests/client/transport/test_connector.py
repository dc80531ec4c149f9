"""Connectors: their arguments, and what closing does."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

import windtunnel
from tests.client.support import answering
from tests.client.transport.test_names import CountingResolver
from windtunnel._base.compat import override
from windtunnel_fakeserver import Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Main: TypeAlias = Callable[[Tunnel], Awaitable[None]]


async def read_all(session: windtunnel.ClientSession, url: str, **options: Any) -> str:
    async with session.get(url, **options) as response:
        return await response.text()


def test_properties_show_the_arguments() -> None:
    async def main(tunnel: Tunnel) -> None:
        loop = asyncio.get_running_loop()
        connector = windtunnel.TCPConnector(
            family=socket.AF_INET6,
            use_dns_cache=False,
            limit=3,
            limit_per_host=2,
            loop=loop,
        )
        assert connector.family is socket.AF_INET6
        assert not connector.use_dns_cache
        assert (connector.limit, connector.limit_per_host) == (3, 2)
        assert connector.loop is loop
        assert connector.allowed_protocol_schema_set == {
            *("", "http", "https", "ws", "wss", "tcp"),
        }
        await connector.close()
        assert connector.closed

    Tunnel().run(main)


@pytest.mark.parametrize(
    "options",
    [
        {"limit": -1},
        {"limit_per_host": -1},
        {"keepalive_timeout": -1},
        {"dns_cache_max_size": 0},
        {"force_close": True, "keepalive_timeout": 5},
    ],
    ids=str,
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    async def main(tunnel: Tunnel) -> None:
        with pytest.raises(ValueError, match=r"negative|allowed are|cannot be set"):
            windtunnel.TCPConnector(**options)

    Tunnel().run(main)


def test_a_connector_needs_a_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        windtunnel.TCPConnector()


@pytest.mark.parametrize(
    ("options", "expected", "text"),
    [
        pytest.param({"verify_ssl": False}, False, "ssl=False", id="verify_ssl"),
        pytest.param(
            {"fingerprint": bytes(32)}, windtunnel.Fingerprint, "Fingerprint", id="pin"
        ),
        pytest.param(
            {"ssl_context": ssl.create_default_context()},
            ssl.SSLContext,
            "ssl=context",
            id="context",
        ),
    ],
)
def test_the_old_arguments_of_tls_still_work_and_warn(
    options: dict[str, Any], expected: Any, text: str
) -> None:
    async def main(tunnel: Tunnel) -> None:
        with pytest.warns(DeprecationWarning, match=text) as caught:
            connector = windtunnel.TCPConnector(**options)
        assert caught[0].filename == __file__
        setting = connector.tls_setting(True)
        assert setting is expected or isinstance(setting, expected)
        await connector.close()

    Tunnel().run(main)


@pytest.mark.parametrize(
    "options",
    [
        {"verify_ssl": False, "ssl": False},
        {"verify_ssl": False, "fingerprint": bytes(32)},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_only_one_argument_of_tls_may_be_given(options: dict[str, Any]) -> None:
    async def main(tunnel: Tunnel) -> None:
        with pytest.raises(ValueError, match="mutually exclusive"):
            windtunnel.TCPConnector(**options)

    Tunnel().run(main)


def test_enable_cleanup_closed_and_plain_with_warn() -> None:
    async def main(tunnel: Tunnel) -> None:
        with pytest.warns(DeprecationWarning, match="enable_cleanup_closed"):
            connector = windtunnel.TCPConnector(enable_cleanup_closed=True)
        with pytest.warns(DeprecationWarning, match="async with"), connector as same:
            assert same is connector
        assert connector.closed
        async with windtunnel.TCPConnector() as other:
            assert not other.closed
        assert other.closed

    Tunnel().run(main)


def test_only_subclasses_of_the_base_connect() -> None:
    async def main(tunnel: Tunnel) -> None:
        base = windtunnel.BaseConnector()
        async with windtunnel.ClientSession(connector=base) as session:
            with pytest.raises(NotImplementedError):
                await session.get("http://a.test/")

    Tunnel().run(main)


def test_a_given_resolver_is_used_and_not_closed() -> None:
    class Closing(CountingResolver):
        is_closed = False

        @override
        async def close(self) -> None:
            self.is_closed = True

    async def main(tunnel: Tunnel) -> None:
        address = tunnel.network.dns.declare("a.test")
        tunnel.host("http://a.test").on_connect(answering(OK))
        resolver = Closing(address)
        connector = windtunnel.TCPConnector(resolver=resolver)
        async with windtunnel.ClientSession(connector=connector) as session:
            assert await read_all(session, "http://a.test/") == "ok"
        assert resolver.asked == ["a.test"]
        assert not resolver.is_closed

    Tunnel().run(main)


def test_the_dns_cache_can_be_cleared_and_the_family_is_asked_for() -> None:
    async def main(tunnel: Tunnel) -> None:
        server = tunnel.host("http://a.test", addresses=["198.18.0.9"])
        server.on_connect(*[answering(OK)] * 3)
        tunnel.network.dns.add("a.test", ["2001:db8::9", "198.18.0.9"], delay=1)
        connector = windtunnel.TCPConnector(family=socket.AF_INET, force_close=True)
        async with windtunnel.ClientSession(connector=connector) as session:
            await read_all(session, "http://a.test/")
            await read_all(session, "http://a.test/")
            assert 1 <= tunnel.clock.elapsed < 2
            connector.clear_dns_cache("a.test", 80)
            connector.clear_dns_cache()
            await read_all(session, "http://a.test/")
            assert 2 <= tunnel.clock.elapsed < 3
            with pytest.raises(ValueError, match="both host and port or none"):
                connector.clear_dns_cache("a.test")

    Tunnel().run(main)


@pytest.mark.parametrize(
    ("seconds", "abort", "expected"), [(3, False, 3), (3, True, 0)]
)
def test_ssl_shutdown_timeout_is_how_long_closing_waits_for_the_peer(
    seconds: float, abort: bool, expected: float
) -> None:
    async def deaf(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(OK)
        wire.pause()
        await wire.sleep(5)
        wire.resume()

    async def main(tunnel: Tunnel) -> None:
        tunnel.host("https://a.test").on_connect(deaf)
        with pytest.warns(DeprecationWarning, match="ssl_shutdown_timeout"):
            connector = windtunnel.TCPConnector(
                ssl=tunnel.authority.client_context(), ssl_shutdown_timeout=seconds
            )
        async with windtunnel.ClientSession(
            connector=connector, connector_owner=False
        ) as session:
            await read_all(session, "https://a.test/")
        begun = tunnel.clock.elapsed
        await connector.close(abort_ssl=abort)
        assert tunnel.clock.elapsed - begun == pytest.approx(expected, abs=0.01)
        await asyncio.sleep(6)

    Tunnel().run(main)


@pytest.mark.parametrize(("threshold", "expected"), [(5, 5.4), (7, 5.1)])
def test_idle_connections_are_closed_at_whole_seconds_above_the_threshold(
    threshold: float, expected: float
) -> None:
    async def main(tunnel: Tunnel) -> None:
        closed: list[float] = []

        async def script(wire: Wire) -> None:
            await wire.read_request()
            await wire.send(OK)
            await wire.read_until_eof()
            closed.append(tunnel.clock.elapsed)

        tunnel.host("http://a.test").on_connect(script)
        connector = windtunnel.TCPConnector(
            keepalive_timeout=5.1, timeout_ceil_threshold=threshold
        )
        async with windtunnel.ClientSession(connector=connector) as session:
            await asyncio.sleep(0.6)
            await read_all(session, "http://a.test/")
            begun = tunnel.clock.elapsed
            await asyncio.sleep(9)
        assert closed[0] - begun == pytest.approx(expected, abs=0.01)

    Tunnel().run(main)


def test_a_digest_that_can_be_forged_or_is_too_short_is_no_fingerprint() -> None:
    for size in (16, 20):
        with pytest.raises(ValueError, match="md5 and sha1 are insecure"):
            windtunnel.Fingerprint(bytes(size))
    with pytest.raises(ValueError, match="invalid length: 3 bytes"):
        windtunnel.Fingerprint(b"abc")
    assert windtunnel.Fingerprint(bytes(32)).fingerprint == bytes(32)


def test_programs_that_look_for_connections_to_wait_for_find_none() -> None:
    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession() as session:
            await read_all(session, "http://a.test/")
            connector: Any = session.connector
            assert list(connector._conns.values()) == []

    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(answering(OK, then_close=False))
    tunnel.run(main)
