"""A proxy whose answer to CONNECT fails at each byte, and tunnels that break."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.client.faults.effects import Effect, strike
from tests.client.faults.remains import remains
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from windtunnel_fakeserver import Wire

PROXIES = ["http://proxy.test:3128", "https://proxy.test:3128"]
ANSWER = b"HTTP/1.1 200 Connection made\r\nVia: me\r\n\r\n"
SECONDS = 2.0


def refused(proxy: str, effect: Effect, after: int, answer: bytes = ANSWER) -> object:
    """Ask through a proxy that fails so many bytes into its answer."""

    async def fails(wire: Wire) -> None:
        with contextlib.suppress(WireClosedError):
            await wire.read_head()
            if after:
                await wire.send(answer[:after])
            await strike(wire, effect)

    tunnel = Tunnel()
    tunnel.host(proxy).on_connect(fails)

    async def program(tunnel: Tunnel) -> object:
        connector = windtunnel.TCPConnector(ssl=False, limit=1)
        limits = windtunnel.ClientTimeout(sock_connect=SECONDS)
        async with windtunnel.ClientSession(
            connector=connector, timeout=limits
        ) as session:
            with pytest.raises(windtunnel.ClientError) as caught:
                await session.get("https://a.test/", proxy=proxy)
            is_cut = caught.type is windtunnel.ConnectionTimeoutError
            assert round(tunnel.clock.elapsed, 2) == (SECONDS if is_cut else 0)
            await asyncio.sleep(1)
            assert remains(connector, tunnel) == []
            # What happened to a CONNECT is never tried again.
            assert len(tunnel.journal.connections) == 1
        return caught.type

    return tunnel.run(program)


@pytest.mark.parametrize("proxy", PROXIES, ids=["http", "https"])
@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.RESET])
def test_a_proxy_that_leaves_before_the_tunnel_stands_cannot_be_connected_to(
    proxy: str, effect: Effect
) -> None:
    step = 1 if proxy.startswith("http:") else 8
    found = {
        after: refused(proxy, effect, after) for after in range(0, len(ANSWER), step)
    }
    assert set(found.values()) == {windtunnel.ClientProxyConnectionError}


@pytest.mark.parametrize("proxy", PROXIES, ids=["http", "https"])
def test_a_proxy_that_says_no_more_is_cut_by_sock_connect(proxy: str) -> None:
    step = 1 if proxy.startswith("http:") else 8
    found = {
        refused(proxy, Effect.STALL, after) for after in range(0, len(ANSWER), step)
    }
    assert found == {windtunnel.ConnectionTimeoutError}


def test_noise_in_the_answer_of_a_proxy_is_refused_or_ends_with_the_time() -> None:
    found = {refused(PROXIES[0], Effect.GARBAGE, after) for after in range(len(ANSWER))}
    assert found == {
        windtunnel.ClientResponseError,
        windtunnel.ConnectionTimeoutError,
    }
    # Behind the answer it is taken for the target's.
    behind = refused(PROXIES[0], Effect.GARBAGE, len(ANSWER))
    assert behind is windtunnel.ClientConnectorSSLError


@pytest.mark.parametrize("status", [100, 301, 400, 403, 407, 502])
def test_every_answer_but_success_is_the_error_of_the_proxy(status: int) -> None:
    answer = b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno" % status
    if status == 100:
        answer += b"HTTP/1.1 500 No\r\n\r\n"
        answer = answer.replace(b"Content-Length: 2\r\n\r\nno", b"\r\n")
    kind = refused(PROXIES[0], Effect.CLOSE, len(answer), answer)
    assert kind is windtunnel.ClientHttpProxyError


@pytest.mark.parametrize("effect", [Effect.CLOSE, Effect.RESET])
def test_a_tunnel_that_breaks_before_the_targets_tls_is_an_error_of_the_target(
    effect: Effect,
) -> None:
    kind = refused(PROXIES[0], effect, len(ANSWER))
    assert kind is windtunnel.ClientConnectorError
