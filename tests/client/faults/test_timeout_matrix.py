"""Each timeout in each phase, alone and with the others: who cuts, and when."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, TypeAlias

import pytest

import windtunnel
from tests.client.faults.remains import remains
from tests.client.transport.test_tunnel import MADE
from windtunnel_fakeserver import (
    Reply,
    Stall,
    Tunnel,
    Wire,
    WireClosedError,
    pause,
)

PROXY, SECURE_PROXY = "http://proxy.test:3128", "https://proxy.test:3129"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Work: TypeAlias = Callable[[windtunnel.ClientSession], Coroutine[Any, Any, object]]


_PLAIN: Mapping[str, Any] = {}


class Phase(NamedTuple):
    """A moment at which nothing goes on.

    Attributes:
        name: For the test.
        prepare: Lets it come to that.
        url: What is asked for.
        covered_by: The timeouts that count there, besides ``total``.
        options: Of the request.
        method: Of the request.
    """

    name: str
    prepare: Callable[[Tunnel], object]
    url: str
    covered_by: tuple[str, ...]
    options: Mapping[str, Any] = _PLAIN
    method: str = "GET"


def _stalls(url: str, *, at: Any, after: int = 0) -> Callable[[Tunnel], object]:
    return lambda tunnel: tunnel.host(url).on_connect(Stall(at=at, after=after))


def _plays(url: str, *pieces: bytes) -> Callable[[Tunnel], object]:
    async def script(wire: Wire) -> None:
        with contextlib.suppress(WireClosedError):
            for piece in pieces:
                await wire.read_head()
                await wire.send(piece)
            while await wire.read_some():
                """The client may go on, and gets no answer."""

    return lambda tunnel: tunnel.host(url).on_connect(script)


def _hangs(name: str) -> Callable[[Tunnel], object]:
    return lambda tunnel: tunnel.network.hang(tunnel.network.dns.declare(name))


def _resolves_slowly(tunnel: Tunnel) -> None:
    tunnel.network.dns.add("a.test", ["198.18.9.9"], delay=100)


def _redirects(tunnel: Tunnel) -> None:
    reply = Reply(302, {"Location": "http://b.test/"}, delay=0.5)
    tunnel.host("http://a.test").on("GET", "/").reply(reply)
    tunnel.host("http://b.test").on_connect(Stall(at="request_head"))


_DIAL = ("connect", "sock_connect")
_BIG = {"data": bytes(2_000_000)}
A, SECURE = "http://a.test", "https://a.test"
PHASES = (
    Phase("resolving", _resolves_slowly, A, ("connect",)),
    Phase("connecting", _hangs("a.test"), A, _DIAL),
    Phase("tls", _stalls(SECURE, at="tls"), SECURE, _DIAL),
    Phase("proxy", _hangs("proxy.test"), A, _DIAL, {"proxy": PROXY}),
    Phase("tunnel", _hangs("proxy.test"), SECURE, _DIAL, {"proxy": PROXY}),
    Phase(
        "proxy-tls",
        _stalls(SECURE_PROXY, at="tls"),
        SECURE,
        _DIAL,
        {"proxy": SECURE_PROXY},
    ),
    Phase("asking-proxy", _plays(PROXY), SECURE, _DIAL, {"proxy": PROXY}),
    Phase("tls-in-tunnel", _plays(PROXY, MADE), SECURE, _DIAL, {"proxy": PROXY}),
    Phase("upload", _stalls(A, at="request_body", after=1), A, (), _BIG, "POST"),
    Phase("head", _stalls(A, at="request_head"), A, ("sock_read",)),
    Phase("body", _plays(A, OK[:-1]), A, ("sock_read",)),
    Phase("second-hop", _redirects, A, ("sock_read",)),
)

_ERRORS = {
    "total": windtunnel.TotalTimeoutError,
    "connect": windtunnel.ConnectionTimeoutError,
    "sock_connect": windtunnel.ConnectionTimeoutError,
    "sock_read": windtunnel.SocketTimeoutError,
}
# So that a phase that no other one covers ends at all.
_LAST = 50.0


def cut(phase: Phase, limits: dict[str, float]) -> tuple[type[Exception], float]:
    """Say with which error the phase ends, and after how many seconds."""
    tunnel = Tunnel()

    async def program(tunnel: Tunnel) -> tuple[type[Exception], float]:
        phase.prepare(tunnel)
        timeout = windtunnel.ClientTimeout(**{"total": _LAST, **limits})
        connector = windtunnel.TCPConnector(ssl=False, limit=1)
        async with windtunnel.ClientSession(
            connector=connector, timeout=timeout
        ) as session:
            with pytest.raises(asyncio.TimeoutError) as caught:
                async with session.request(
                    phase.method, phase.url, **phase.options
                ) as response:
                    await response.read()
            seconds = round(tunnel.clock.elapsed, 2)
            # A look-up goes on for those who ask next.
            await asyncio.sleep(100)
            assert remains(connector, tunnel) == []
            return type(caught.value), seconds

    return tunnel.run(program)


def _choices() -> list[dict[str, float]]:
    """Give every set of timeouts, once with the inner ones and once the outer first."""
    names = tuple(_ERRORS)
    found: list[dict[str, float]] = []
    for size in range(len(names) + 1):
        for chosen in itertools.combinations(names, size):
            found += [
                dict(zip(chosen, (1.5, 2.5, 3.5, 4.5), strict=False)),
                dict(zip(reversed(chosen), (1.5, 2.5, 3.5, 4.5), strict=False)),
            ]
    return found


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_the_first_timeout_that_covers_a_phase_cuts_it(phase: Phase) -> None:
    # Time that a phase comes after, and that does not count for sock_read.
    begun = 0.5 if phase.name == "second-hop" else 0.0
    for limits in _choices():
        ends = {"total": limits.get("total", _LAST)}
        for name in phase.covered_by:
            if name in limits:
                ends[name] = limits[name] + (begun if name == "sock_read" else 0)
        first = min(ends, key=lambda name: ends[name])
        assert cut(phase, limits) == (_ERRORS[first], ends[first]), limits


@pytest.mark.parametrize(
    ("name", "phase"),
    [("total", PHASES[0]), ("connect", PHASES[0]), ("sock_connect", PHASES[1])],
    ids=["total", "connect", "sock_connect"],
)
def test_a_deadline_at_or_above_the_threshold_is_moved_to_a_whole_second(
    name: str, phase: Phase
) -> None:
    for seconds, expected in ((4.75, 4.75), (5.25, 6.0), (7.5, 8.0)):
        assert cut(phase, {name: seconds}) == (_ERRORS[name], expected)
    limits = {name: 2.25, "ceil_threshold": 2.0}
    assert cut(phase, limits) == (_ERRORS[name], 3.0)
    limits = {name: 7.5, "ceil_threshold": 100.0}
    assert cut(phase, limits) == (_ERRORS[name], 7.5)


def test_silence_is_cut_to_the_moment_however_long_it_may_last() -> None:
    found = cut(PHASES[10], {"sock_read": 7.25})
    assert found == (windtunnel.SocketTimeoutError, 7.25)


def test_each_address_has_its_own_sock_connect_and_all_share_connect() -> None:
    async def main(tunnel: Tunnel) -> list[tuple[type[BaseException], float]]:
        addresses = ["198.18.9.1", "198.18.9.2"]
        host = tunnel.host("https://a.test", addresses=addresses)
        host.on_connect(*[Stall(at="tls")] * 4)
        found: list[tuple[type[BaseException], float]] = []
        for limits in ({"sock_connect": 2.0}, {"sock_connect": 2.0, "connect": 3.0}):
            timeout = windtunnel.ClientTimeout(**limits)
            async with windtunnel.ClientSession(timeout=timeout) as session:
                begun = tunnel.clock.elapsed
                with pytest.raises(windtunnel.ConnectionTimeoutError) as caught:
                    await session.get("https://a.test/")
                seconds = round(tunnel.clock.elapsed - begun, 2)
                found.append((caught.type, seconds))
        return found

    kind = windtunnel.ConnectionTimeoutError
    assert Tunnel().run(main) == [(kind, 4.0), (kind, 3.0)]


def test_waiting_for_a_place_is_covered_by_connect_and_total_alone() -> None:
    async def main(tunnel: Tunnel) -> None:
        tunnel.host(A).on_connect(Stall(at="request_head"))
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            holder = asyncio.create_task(session.get(A, timeout=None))
            await asyncio.sleep(1)
            for limits in _choices():
                timeout = windtunnel.ClientTimeout(**{"total": _LAST, **limits})
                begun = tunnel.clock.elapsed
                with pytest.raises(asyncio.TimeoutError) as caught:
                    await session.get(A, timeout=timeout)
                ends = {"total": limits.get("total", _LAST)}
                if "connect" in limits:
                    ends["connect"] = limits["connect"]
                first = min(ends, key=lambda name: ends[name])
                seconds = round(tunnel.clock.elapsed - begun, 2)
                assert (caught.type, seconds) == (_ERRORS[first], ends[first]), limits
            holder.cancel()
            await asyncio.wait([holder])

    Tunnel().run(main)


async def _sleeps_before(
    request: windtunnel.ClientRequest, handler: windtunnel.ClientHandlerType
) -> windtunnel.ClientResponse:
    await asyncio.sleep(10)
    return await handler(request)


async def _sleeps_after(
    request: windtunnel.ClientRequest, handler: windtunnel.ClientHandlerType
) -> windtunnel.ClientResponse:
    response = await handler(request)
    await asyncio.sleep(10)
    return response


async def _passes_on(
    request: windtunnel.ClientRequest, handler: windtunnel.ClientHandlerType
) -> windtunnel.ClientResponse:
    return await handler(request)


@pytest.mark.parametrize("delay", [0.0, 100.0], ids=["answered", "unanswered"])
@pytest.mark.parametrize("middleware", [_sleeps_before, _sleeps_after, _passes_on])
@pytest.mark.parametrize("seconds", [0.5, 3.0])
def test_total_covers_what_middlewares_do_and_ends_once(
    middleware: windtunnel.ClientMiddlewareType, delay: float, seconds: float
) -> None:
    reports: list[str] = []

    async def program(tunnel: Tunnel) -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: reports.append(context["message"])
        )
        reply = Reply(chunks=[b"o", pause(100), b"k"], delay=delay)
        tunnel.host(A).on("GET", "/").reply(reply)
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(connector=connector) as session:
            with pytest.raises(windtunnel.TotalTimeoutError):
                async with session.get(
                    A, timeout=seconds, middlewares=[middleware]
                ) as response:
                    await response.read()
            assert round(tunnel.clock.elapsed, 3) == seconds
            await asyncio.sleep(1)
            assert remains(connector, tunnel) == []

    Tunnel().run(program)
    assert reports == []
