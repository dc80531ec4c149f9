"""Tracing: which handlers hear what, in which order."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import windtunnel
from windtunnel._session.tracing import Signal
from windtunnel_fakeserver import Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from windtunnel_fakeserver import Request

A = "http://a.test"
REQUEST_SIGNALS = [
    "request_start",
    "request_chunk_sent",
    "response_chunk_received",
    "request_end",
    "request_exception",
    "request_redirect",
    "request_headers_sent",
]
CONNECTION_SIGNALS = [
    "request_start",
    "connection_queued_start",
    "connection_queued_end",
    "connection_create_start",
    "connection_create_end",
    "connection_reuseconn",
    "dns_resolvehost_start",
    "dns_resolvehost_end",
    "dns_cache_hit",
    "dns_cache_miss",
    "request_end",
]


def answer(request: Request) -> Reply:
    if request.path == "/moved":
        return Reply(302, headers={"Location": "/there"})
    return Reply(200, text="body")


def recording(client: Any, names: list[str], seen: list[Any]) -> Any:
    """Make a config whose handlers note what they hear."""
    config = client.TraceConfig()

    def handler(name: str) -> Any:
        async def note(session: Any, context: Any, params: Any) -> None:
            fields = [
                f for f in ("method", "url", "chunk", "host") if hasattr(params, f)
            ]
            facts = [str(getattr(params, field)) for field in fields]
            seen.append([name, context.trace_request_ctx, *facts])

        return note

    for name in names:
        getattr(config, f"on_{name}").append(handler(name))
    return config


def ask(
    client: Any,
    main: Callable[[Any], Awaitable[None]],
    names: list[str] = REQUEST_SIGNALS,
    **limits: Any,
) -> list[Any]:
    seen: list[Any] = []
    tunnel = Tunnel()
    tunnel.host(A, app=answer)

    async def program(tunnel: Tunnel) -> None:
        config = recording(client, names, seen)
        connector = client.TCPConnector(**{"limit": 1, **limits})
        async with client.ClientSession(
            connector=connector, trace_configs=[config]
        ) as session:
            await main(session)

    tunnel.run(program)
    return seen


async def plain(session: Any) -> None:
    async with session.get(f"{A}/x?a=1", params={"b": 2}) as response:
        assert await response.text() == "body"
        assert await response.read() == b"body"


async def moved(session: Any) -> None:
    async with session.post(f"{A}/moved", data=b"1", trace_request_ctx="ctx"):
        pass


async def pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


async def streamed(session: Any) -> None:
    async with session.post(f"{A}/", data=pieces()) as response:
        await response.read()


async def failing(session: Any) -> None:
    with pytest.raises((aiohttp.ClientError, windtunnel.ClientError)):
        await session.get("http://nowhere.invalid/")


@pytest.mark.parametrize("main", [plain, moved, streamed, failing])
def test_the_signals_of_a_request_are_those_of_aiohttp(
    main: Callable[[Any], Awaitable[None]],
) -> None:
    assert ask(windtunnel, main) == ask(aiohttp, main)


async def again(session: Any) -> None:
    await plain(session)
    await plain(session)
    await asyncio.sleep(30)
    await plain(session)


async def crowded(session: Any) -> None:
    async def one(name: str) -> None:
        async with session.get(f"{A}/{name}", trace_request_ctx=name) as response:
            await response.read()

    await asyncio.gather(one("1"), one("2"))


async def by_address(session: Any) -> None:
    async with session.get("http://198.18.0.1/") as response:
        assert response.status == 200


@pytest.mark.parametrize("use_dns_cache", [True, False])
@pytest.mark.parametrize("main", [plain, again, crowded, failing, by_address])
def test_the_signals_of_connections_are_those_of_aiohttp(
    main: Callable[[Any], Awaitable[None]], use_dns_cache: bool
) -> None:
    def told(client: Any) -> list[Any]:
        seen = ask(client, main, CONNECTION_SIGNALS, use_dns_cache=use_dns_cache)
        # What each request hears has an order, not what several hear together.
        return sorted(seen, key=lambda facts: facts[1] or "")

    assert told(windtunnel) == told(aiohttp)


def test_requests_for_one_new_name_share_its_look_up() -> None:
    async def main(session: Any) -> None:
        await asyncio.gather(plain(session), plain(session))

    names = ["dns_cache_hit", "dns_cache_miss", "dns_resolvehost_end"]
    seen = [name for name, *_ in ask(windtunnel, main, names, limit=2)]
    assert seen == ["dns_cache_miss", "dns_cache_hit", "dns_resolvehost_end"]


def test_only_who_heard_of_the_start_hears_of_the_failure() -> None:
    seen: list[str] = []

    async def fail(session: Any, context: Any, params: Any) -> None:
        raise RuntimeError("handler")

    first, second = windtunnel.TraceConfig(), windtunnel.TraceConfig()

    async def note(session: Any, context: Any, params: Any) -> None:
        seen.append(type(params.exception).__name__)

    async def hear(session: Any, context: Any, params: Any) -> None:
        seen.append("start")

    first.on_request_start.append(hear)
    first.on_request_exception.append(note)
    second.on_request_end.append(fail)
    second.on_request_exception.append(note)

    async def main(tunnel: Tunnel) -> None:
        tunnel.host(A, app=answer)
        async with windtunnel.ClientSession(trace_configs=[first, second]) as session:
            with pytest.raises(RuntimeError, match="handler"):
                await session.get(A)

    Tunnel().run(main)
    assert seen == ["start"]


def test_a_failing_start_is_an_error_of_the_request() -> None:
    seen: list[str] = []
    first, second = windtunnel.TraceConfig(), windtunnel.TraceConfig()

    async def fail(session: Any, context: Any, params: Any) -> None:
        raise RuntimeError("handler")

    async def note(session: Any, context: Any, params: Any) -> None:
        seen.append("exception")

    first.on_request_start.append(fail)
    second.on_request_exception.append(note)

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(trace_configs=[first, second]) as session:
            with pytest.raises(RuntimeError, match="handler"):
                await session.get(A)

    Tunnel().run(main)
    assert seen == []


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("connection_reuseconn", 1),
        ("request_headers_sent", 2),
        ("request_end", 2),
        ("response_chunk_received", 1),
    ],
)
def test_a_handler_that_fails_midway_leaves_nothing_open(name: str, limit: int) -> None:
    config = windtunnel.TraceConfig()
    seen: list[str] = []

    async def fail(session: Any, context: Any, params: Any) -> None:
        seen.append(name)
        if len(seen) == limit:
            raise RuntimeError("handler")

    getattr(config, f"on_{name}").append(fail)
    tunnel = Tunnel()
    tunnel.host(A, app=answer)

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(trace_configs=[config]) as session:
            if limit > 1 or name == "connection_reuseconn":
                await plain(session)
            with pytest.raises(RuntimeError, match="handler"):
                await plain(session)
            await plain(session)

    tunnel.run(main)


@pytest.mark.parametrize(
    "name",
    [
        "connection_queued_start",
        "connection_queued_end",
        "connection_create_start",
        "connection_create_end",
        "connection_reuseconn",
        "dns_resolvehost_start",
    ],
)
def test_a_handler_that_fails_leaves_the_pool_whole(name: str) -> None:
    config = windtunnel.TraceConfig()

    async def fail(session: Any, context: Any, params: Any) -> None:
        if context.trace_request_ctx == "fail":
            raise RuntimeError("handler")

    getattr(config, f"on_{name}").append(fail)
    tunnel = Tunnel()
    tunnel.host(A, app=answer)

    async def main(tunnel: Tunnel) -> None:
        connector = windtunnel.TCPConnector(limit=1)
        async with windtunnel.ClientSession(
            connector=connector, trace_configs=[config]
        ) as session:
            is_queued = "queued" in name or "reuse" in name
            first = session.get(A) if is_queued else asyncio.sleep(0)
            second = session.get(A, trace_request_ctx="fail")
            results = await asyncio.gather(first, second, return_exceptions=True)
            assert isinstance(results[1], RuntimeError)
            await plain(session)

    tunnel.run(main)


def test_a_connection_that_dies_while_handlers_run_is_not_used() -> None:
    tunnel = Tunnel()

    async def short(wire: Any) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\nbody")
        await wire.sleep(1)
        wire.close()

    tunnel.host(A).on_connect(short, short)
    config = windtunnel.TraceConfig()

    async def wait(session: Any, context: Any, params: Any) -> None:
        await asyncio.sleep(2)

    config.on_connection_reuseconn.append(wait)

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(trace_configs=[config]) as session:
            await plain(session)
            await plain(session)

    tunnel.run(main)


def test_the_context_is_made_for_each_request() -> None:
    made: list[Any] = []

    def factory(*, trace_request_ctx: Any = None) -> Any:
        made.append(trace_request_ctx)
        return SimpleNamespace()

    config = windtunnel.TraceConfig(factory)
    assert config.trace_config_ctx("x") == SimpleNamespace()

    async def main(tunnel: Tunnel) -> None:
        tunnel.host(A, app=answer)
        async with windtunnel.ClientSession(trace_configs=[config]) as session:
            assert session.trace_configs == [config]
            await session.get(f"{A}/moved", trace_request_ctx="y")

    Tunnel().run(main)
    assert made == ["x", "y"]


def test_a_config_has_every_signal_of_aiohttp() -> None:
    def names(client: Any) -> list[str]:
        return [name for name in dir(client.TraceConfig) if name.startswith("on_")]

    assert names(windtunnel) == names(aiohttp)
    config = windtunnel.TraceConfig()
    for name in names(windtunnel):
        assert len(getattr(config, name)) == 0


def test_a_signal_is_a_list_until_it_is_frozen() -> None:
    async def one(session: Any, context: Any, params: Any) -> None:
        heard.append(params)

    async def two(session: Any, context: Any, params: Any) -> None:
        heard.append(params + 1)

    async def main() -> None:
        session: Any = None
        with pytest.raises(RuntimeError, match="non-frozen"):
            await signal.send(session, None, 1)
        signal.freeze()
        await signal.send(session, None, 1)

    heard: list[int] = []
    signal: Signal[int] = Signal()
    signal.append(two)
    signal.insert(0, one)
    signal.append(one)
    del signal[-1]
    signal[1] = two
    assert list(signal) == [one, two]
    asyncio.run(main())
    assert heard == [1, 2]
    assert signal.frozen
    assert repr(signal).startswith("<Signal(frozen=True, [")
    with pytest.raises(RuntimeError, match="Cannot modify frozen list"):
        signal.append(one)
    with pytest.raises(RuntimeError, match="Cannot modify frozen list"):
        signal[0] = one
    with pytest.raises(RuntimeError, match="Cannot modify frozen list"):
        del signal[0]
