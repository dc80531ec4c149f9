"""Client middlewares, and the request as they see it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

import windtunnel
from windtunnel_fakeserver import Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_fakeserver import Request

A = "http://a.test"

Handler = windtunnel.ClientHandlerType
Asked = windtunnel.ClientRequest


def answer(request: Request) -> Reply:
    if request.path == "/moved":
        return Reply(302, headers={"Location": "/there"})
    return Reply(200, text=request.target)


def ask(
    main: Callable[[windtunnel.ClientSession], Awaitable[None]], **options: Any
) -> list[Request]:
    """Run with a session; the requests that the host got."""
    tunnel = Tunnel()
    tunnel.host(A, app=answer)

    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(**options) as session:
            await main(session)

    tunnel.run(program)
    return [exchange.request for exchange in tunnel.journal]


def test_the_first_middleware_is_the_outermost() -> None:
    seen: list[str] = []

    def named(name: str) -> windtunnel.ClientMiddlewareType:
        async def middleware(
            request: Asked, handler: Handler
        ) -> windtunnel.ClientResponse:
            seen.append(f"{name} in")
            response = await handler(request)
            seen.append(f"{name} out")
            return response

        return middleware

    async def main(session: windtunnel.ClientSession) -> None:
        await session.get(f"{A}/")
        await session.get(f"{A}/", middlewares=())
        await session.get(f"{A}/", middlewares=[named("c")])

    ask(main, middlewares=[named("a"), named("b")])
    assert seen == ["a in", "b in", "b out", "a out", "c in", "c out"]


def test_each_hop_passes_them() -> None:
    seen: list[tuple[str, str]] = []

    async def watch(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        response = await handler(request)
        seen.append((str(request.url), str(response.status)))
        return response

    async def main(session: windtunnel.ClientSession) -> None:
        response = await session.get(f"{A}/moved")
        assert len(response.history) == 1

    ask(main, middlewares=[watch])
    assert seen == [(f"{A}/moved", "302"), (f"{A}/there", "200")]


def test_what_a_middleware_sees() -> None:
    async def look(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        assert (request.method, str(request.url)) == ("POST", f"{A}/x?q=1")
        assert str(request.original_url) == f"{A}/x?q=1#f"
        assert (request.host, request.port, request.is_ssl()) == ("a.test", 80, False)
        assert request.ssl is True
        assert isinstance(request.session, windtunnel.ClientSession)
        assert isinstance(request.body, windtunnel.Payload)
        names = ["Host", "X", "Content-Type", "Accept", "Accept-Encoding", "Cookie"]
        assert list(request.headers) == [*names, "Content-Length"]
        assert request.headers["Content-Length"] == "4"
        assert request.headers["Content-Type"] == "text/plain"
        return await handler(request)

    async def main(session: windtunnel.ClientSession) -> None:
        await session.post(
            f"{A}/x?q=1#f",
            data=b"body",
            headers={"X": "1", "Content-Type": "text/plain"},
            skip_auto_headers=["user-agent"],
            cookies={"c": "1"},
        )

    (request,) = ask(main, middlewares=[look])
    assert request.body == b"body"
    assert request.header("User-Agent") is None


def test_changes_take_effect() -> None:
    async def change(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        request.method = "PUT"
        request.url = request.url.with_path("/changed").with_host("b.test")
        request.headers["X"] = "1"
        del request.headers["Accept"]
        request.update_headers({"Y": "2"})
        await request.update_body(body=b"new body")
        return await handler(request)

    tunnel = Tunnel()
    tunnel.host("http://b.test", app=answer)

    async def program(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession(middlewares=[change]) as session,
            session.post(f"{A}/", data="old") as response,
        ):
            assert response.url == URL("http://b.test/changed")

    tunnel.run(program)
    request = tunnel.journal[0].request
    assert (request.method, request.path, request.body) == (
        "PUT",
        "/changed",
        b"new body",
    )
    assert request.header("Host") == "b.test"
    assert request.header("Content-Length") == "8"
    assert (request.header("X"), request.header("Y")) == ("1", "2")
    assert request.header("Accept") is None


def test_a_body_can_be_removed() -> None:
    async def remove(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        request.body = None
        assert request.body == b""
        return await handler(request)

    async def main(session: windtunnel.ClientSession) -> None:
        await session.post(f"{A}/", data=b"body")

    (request,) = ask(main, middlewares=[remove])
    assert request.body == b""
    assert request.header("Content-Length") == "0"


def test_a_request_may_be_sent_several_times() -> None:
    async def twice(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        (await handler(request)).release()
        return await handler(request)

    async def main(session: windtunnel.ClientSession) -> None:
        async with session.post(f"{A}/", data=io.BytesIO(b"file" * 30000)) as response:
            assert response.status == 200

    requests = ask(main, middlewares=[twice])
    assert [len(request.body) for request in requests] == [120000, 120000]


def test_the_answer_may_be_another_one() -> None:
    async def cached(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        return kept[0] if kept else await handler(request)

    kept: list[windtunnel.ClientResponse] = []

    async def main(session: windtunnel.ClientSession) -> None:
        kept.append(await session.get(f"{A}/"))
        assert await session.get(f"{A}/x") is kept[0]

    assert len(ask(main, middlewares=[cached])) == 1


def test_a_broken_connection_is_tried_again_through_them() -> None:
    tunnel = Tunnel()

    async def gone(wire: Any) -> None:
        await wire.read_request()
        wire.close()

    async def here(wire: Any) -> None:
        await wire.read_request()
        await wire.send(
            b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )

    tunnel.host(A).on_connect(gone, here, gone)
    attempts: list[str] = []

    async def count(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        attempts.append(request.method)
        return await handler(request)

    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(middlewares=[count]) as session:
            assert (await session.get(A)).status == 200
            with pytest.raises(windtunnel.ServerDisconnectedError):
                await session.post(A)

    tunnel.run(program)
    assert attempts == ["GET", "GET", "POST"]


def test_an_error_of_a_middleware_reaches_the_caller() -> None:
    async def refuse(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        raise windtunnel.ClientError("no")

    async def main(session: windtunnel.ClientSession) -> None:
        with pytest.raises(windtunnel.ClientError, match="no"):
            await session.post(f"{A}/", data=b"body")

    assert ask(main, middlewares=[refuse]) == []


def test_what_a_middleware_adds_is_checked() -> None:
    async def inject(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        request.headers["X"] = "a\r\nY: b"
        return await handler(request)

    async def main(session: windtunnel.ClientSession) -> None:
        with pytest.raises(ValueError, match="control character"):
            await session.get(f"{A}/")

    assert ask(main, middlewares=[inject]) == []


def test_a_callers_host_stays() -> None:
    async def pass_on(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        return await handler(request)

    async def main(session: windtunnel.ClientSession) -> None:
        await session.get(f"{A}/", headers={"Host": "other.test"})

    (request,) = ask(main, middlewares=[pass_on])
    assert request.header("Host") == "other.test"


def test_a_chunked_body_has_no_length() -> None:
    async def look(request: Asked, handler: Handler) -> windtunnel.ClientResponse:
        assert "Content-Length" not in request.headers
        return await handler(request)

    async def main(session: windtunnel.ClientSession) -> None:
        await session.post(
            f"{A}/", data=b"body", headers={"Transfer-Encoding": "chunked"}
        )

    (request,) = ask(main, middlewares=[look])
    assert request.body == b"body"
