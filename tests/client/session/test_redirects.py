"""Redirects, cookies and credentials over several requests; beside aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import io
import warnings
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import windtunnel
from windtunnel_fakeserver import (
    Reply,
    Request,
    Tunnel,
    VerificationError,
    WireClosedError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

A, B = "http://a.test", "http://b.test"


def moved(location: str, status: int = 302, **headers: str) -> Reply:
    return Reply(status, headers={"Location": location, **headers})


def answer(request: Request) -> Reply:
    """Answer by the path: /STATUS?TARGET redirects, anything else tells its facts."""
    first = request.path.strip("/").partition("/")[0]
    if first.isdigit():
        return Reply(
            int(first),
            headers=[
                ("Location", request.target.partition("?")[2]),
                ("Set-Cookie", "j=1"),
            ],
        )
    return Reply(200, text="end")


def ask(
    main: Callable[[Any, Tunnel], Awaitable[None]],
    client: Any = windtunnel,
    **options: Any,
) -> list[Request]:
    """Run with a session of a client; the requests that both hosts got."""
    tunnel = Tunnel()
    for host in (A, B, "https://a.test"):
        tunnel.host(host, app=answer)

    async def program(tunnel: Tunnel) -> None:
        context = tunnel.authority.client_context()
        connector = client.TCPConnector(ssl=context)
        async with client.ClientSession(connector=connector, **options) as session:
            await main(session, tunnel)

    tunnel.run(program)
    return [exchange.request for exchange in tunnel.journal]


def shown(requests: list[Request]) -> list[Any]:
    """Give what matters of requests, without what names the client."""
    return [
        (
            request.method,
            request.target,
            [pair for pair in request.headers if pair[0] != "User-Agent"],
            request.body,
        )
        for request in requests
    ]


def auth(client: Any, login: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return client.BasicAuth(login, "p")


# --- beside aiohttp -----------------------------------------------------------------

JOURNEYS = [
    *[
        pytest.param(method, f"{A}/{status}?/z", {}, id=f"{method}-{status}")
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE")
        for status in (300, 301, 302, 303, 304, 307, 308)
    ],
    pytest.param("GET", f"{A}/302?{B}/z", {"cookies": {"c": "1"}}, id="cookie-away"),
    pytest.param("GET", f"{A}/302?/z", {"cookies": {"c": "1"}}, id="cookie-stays"),
    pytest.param(
        "GET", f"{A}/302?{B}/302?{A}/z", {"headers": {"Authorization": "x"}}, id="field"
    ),
    pytest.param(
        "GET", f"{A}/302?/z", {"headers": {"Cookie": "h=1", "X": "2"}}, id="own-cookie"
    ),
    pytest.param("GET", f"{A}/302?/z", {"params": {"q": "1"}}, id="params"),
    pytest.param("POST", f"{A}/307?/z", {"data": b"body"}, id="body"),
    pytest.param("POST", f"{A}/302?/z", {"data": b"body"}, id="no-body"),
    pytest.param("POST", f"{A}/308?{B}/z", {"json": {"a": 1}}, id="json"),
    pytest.param("PUT", f"{A}/307?/z", {"data": io.BytesIO(b"file")}, id="file"),
    pytest.param("GET", f"{A}/302?https://a.test/z", {}, id="to-https"),
    pytest.param("GET", "http://u:p@a.test/302?/z", {}, id="url-auth"),
    pytest.param("GET", f"{A}/302?http://u:p@b.test/z", {}, id="target-auth"),
    pytest.param("GET", f"{A}/302?/302?/z", {"max_redirects": 3}, id="limit-3"),
    pytest.param("GET", f"{A}/302?/302?/z", {"max_redirects": 2}, id="limit-2"),
    pytest.param("GET", f"{A}/302?/302?/z", {"max_redirects": 0}, id="no-limit"),
    pytest.param("GET", f"{A}/302?/z", {"allow_redirects": False}, id="not-allowed"),
    pytest.param("GET", f"{A}/302?ftp://a.test/", {}, id="ftp"),
]


@pytest.mark.parametrize(("method", "url", "options"), JOURNEYS)
def test_a_journey_is_that_of_aiohttp(
    method: str, url: str, options: dict[str, Any]
) -> None:
    seen: list[Any] = []
    for client in (aiohttp, windtunnel):
        results: list[Any] = []
        if isinstance(options.get("data"), io.BytesIO):
            options = {"data": io.BytesIO(b"file")}

        async def main(session: Any, tunnel: Tunnel) -> None:
            try:
                response = await session.request(method, url, **options)  # noqa: B023
            except Exception as exc:  # noqa: BLE001  # both have to fail alike
                results.append(type(exc).__name__)  # noqa: B023
                return
            history = [(r.status, str(r.url), r.method) for r in response.history]
            body = await response.read()
            results.append(  # noqa: B023
                (response.status, str(response.url), response.method, history, body)
            )
            jar = [(each.key, each["domain"]) for each in session.cookie_jar]
            results.append(sorted(jar))  # noqa: B023
            results.append(response.cookies.output())  # noqa: B023

        requests = ask(main, client)
        seen.append((results, shown(requests)))
    assert seen[1] == seen[0]


# --- redirects ----------------------------------------------------------------------


def test_the_limit_shows_the_way() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.TooManyRedirects) as info:
            await session.get(f"{A}/302?/302?/z", max_redirects=2)
        assert [r.status for r in info.value.history] == [302, 302]
        assert info.value.request_info == info.value.history[0].request_info

    assert len(ask(main)) == 2


def test_a_fragment_stays_unless_there_is_a_new_one() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(f"{A}/302?/z#old") as response:
            assert str(response.real_url) == f"{A}/z#old"
            assert str(response.url) == f"{A}/z"

    ask(main)


def test_head_is_not_sent_on_unless_asked_for() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.head(f"{A}/302?/z") as response:
            assert response.status == 302
        async with session.head(f"{A}/302?/z", allow_redirects=True) as response:
            assert response.status == 200

    assert [request.method for request in ask(main)] == ["HEAD"] * 3


def test_a_body_that_cannot_be_sent_twice_stops_the_journey() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"once"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientPayloadError, match="cannot be sent twice"):
            await session.post(f"{A}/307?/z", data=body())
        async with session.post(f"{A}/303?/z", data=body()) as response:
            assert response.status == 200

    assert [request.body for request in ask(main)] == [b"once", b"once", b""]


@pytest.mark.parametrize("rest", [b"0\r\n\r\n", b"9\r\n\r\npart"])
def test_a_body_that_is_still_being_sent_starts_again(rest: bytes) -> None:
    data = bytes(3_000_000)
    tunnel = Tunnel()
    server = tunnel.host(A)

    async def early(wire: Any) -> None:
        await wire.read_head()
        await wire.send(b"HTTP/1.1 307 X\r\nLocation: /z\r\nContent-Length: " + rest)
        with contextlib.suppress(WireClosedError):
            await wire.read_until_eof()

    async def whole(wire: Any) -> None:
        request = await wire.read_request()
        assert len(request.body) == len(data)
        await wire.send(b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n")

    server.on_connect(early, whole)

    async def main(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession() as session,
            session.post(f"{A}/", data=io.BytesIO(data)) as response,
        ):
            assert response.status == 200

    tunnel.run(main)


def test_a_target_may_be_taken_as_written() -> None:
    tunnel = Tunnel()
    tunnel.host(A).on("GET", "/").reply(moved("/a%2f%41"))

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(requote_redirect_url=False) as session:
            assert session.requote_redirect_url is False
            await session.get(A)
            with pytest.warns(DeprecationWarning, match="requote_redirect_url"):
                session.requote_redirect_url = True
            await session.get(A)

    tunnel.host("http://unused.test")
    with contextlib.suppress(VerificationError):
        tunnel.run(main)
    targets = [exchange.request.target for exchange in tunnel.journal]
    assert targets[1::2] == ["/a%2f%41", "/a%2FA"]


def test_the_total_timeout_covers_all_hops() -> None:
    tunnel = Tunnel()
    server = tunnel.host(A)
    server.on("GET", "/slow").reply(Reply(302, headers={"Location": "/slow"}, delay=3))

    async def main(tunnel: Tunnel) -> None:
        timeout = windtunnel.ClientTimeout(total=10, ceil_threshold=100)
        async with windtunnel.ClientSession(timeout=timeout) as session:
            with pytest.raises(asyncio.TimeoutError):
                await session.get(f"{A}/slow")
        assert tunnel.clock.elapsed == pytest.approx(10, abs=0.01)

    tunnel.run(main)


def test_a_file_is_sent_again_and_closed_at_the_end() -> None:
    file = io.BytesIO(bytes(200_000))

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.put(f"{A}/307?/z", data=file) as response:
            assert response.status == 200

    assert [len(request.body) for request in ask(main)] == [200_000, 200_000]


def test_patch_delete_and_options_are_sent() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.patch(f"{A}/")
        await session.delete(f"{A}/")
        await session.options(f"{A}/")
        await session.put(f"{A}/")

    methods = [request.method for request in ask(main)]
    assert methods == ["PATCH", "DELETE", "OPTIONS", "PUT"]


# --- cookies ------------------------------------------------------------------------


def test_cookies_of_the_session_go_to_every_host() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.get(f"{A}/")
        await session.get(f"{B}/", cookies={"c": "2"})

    requests = ask(main, cookies={"c": "1", "d": "3"})
    assert [r.header("Cookie") for r in requests] == ["c=1; d=3", "c=2; d=3"]


def test_a_cookie_that_came_is_sent_from_then_on() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.get(f"{A}/200")
        await session.get(f"{A}/")
        await session.get(f"{B}/")

    assert [r.header("Cookie") for r in ask(main)] == [None, "j=1", None]


def test_a_dummy_jar_keeps_the_session_without_cookies() -> None:
    jar = windtunnel.DummyCookieJar()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert session.cookie_jar is jar
        async with session.get(f"{A}/200") as response:
            assert response.cookies["j"].value == "1"
            assert response.cookies is response.cookies
        await session.get(f"{A}/")

    assert [r.header("Cookie") for r in ask(main, cookie_jar=jar)] == [None, None]


def test_all_cookies_of_a_call_are_sent() -> None:
    cookies = {f"c{n:03}": "v" * 50 for n in range(200)}

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.get(f"{A}/", cookies=cookies)

    (request,) = ask(main)
    assert (request.header("Cookie") or "").count("=") == 200


def test_a_cookie_that_would_be_a_header_is_refused() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(ValueError, match="control character"):
            await session.get(f"{A}/", cookies={"a": "b\r\nX: 1"})

    assert ask(main) == []


# --- credentials --------------------------------------------------------------------


def test_credentials_of_the_session_stay_with_the_first_origin() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.get(f"{A}/302?{B}/302?{A}/z")
        await session.get(f"{A}/302?/z")

    with pytest.warns(DeprecationWarning, match="'auth' parameter"):
        requests = ask(main, auth=auth(windtunnel, "me"))
    sent = [request.header("Authorization") is not None for request in requests]
    assert sent == [True, False, False, True, True]


def test_credentials_of_the_session_belong_to_its_base_url() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert session.auth is not None
        await session.get("/x")
        await session.get(f"{B}/")

    with pytest.warns(DeprecationWarning, match="'auth' parameter"):
        requests = ask(main, base_url=f"{A}:80/", auth=auth(windtunnel, "me"))
    sent = [request.header("Authorization") is not None for request in requests]
    assert sent == [True, False]


def test_credentials_of_a_call_come_first() -> None:
    wrong: Any = ("a", "b")

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.warns(DeprecationWarning, match="'auth' parameter"):
            await session.get(f"{A}/", auth=auth(windtunnel, "me"))
        with (
            pytest.warns(DeprecationWarning, match="'auth' parameter"),
            pytest.raises(TypeError, match="not a BasicAuth"),
        ):
            await session.get(f"{A}/", auth=wrong)
        with (
            pytest.warns(DeprecationWarning, match="'auth' parameter"),
            pytest.raises(ValueError, match="AUTHORIZATION header"),
        ):
            await session.get(
                f"{A}/", auth=auth(windtunnel, "me"), headers={"Authorization": "x"}
            )

    (request,) = ask(main)
    assert request.header("Authorization") == windtunnel.encode_basic_auth("me", "p")


# --- retry --------------------------------------------------------------------------


@pytest.mark.parametrize("retry", [True, False])
def test_the_repetition_can_be_switched_off(retry: bool) -> None:
    tunnel = Tunnel()

    async def gone(wire: Any) -> None:
        await wire.read_request()
        wire.close()

    async def here(wire: Any) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n")

    tunnel.host(A).on_connect(*([gone, here] if retry else [gone]))

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(retry_connection=retry) as session:
            assert session.retry_connection is retry
            if retry:
                assert (await session.get(A)).status == 200
            else:
                with pytest.raises(windtunnel.ServerDisconnectedError):
                    await session.get(A)

    tunnel.run(main)
