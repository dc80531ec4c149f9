"""The handshake is an ordinary request of its session; each case beside aiohttp."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import windtunnel
from tests.client.websocket.support import TEXT, accepting, closing, frame
from windtunnel_fakeserver import Tunnel, WireClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel_fakeserver import Request, Wire

URL = "ws://a.test/chat"
clients = pytest.mark.parametrize(
    "client",
    [pytest.param(windtunnel, id="windtunnel"), pytest.param(aiohttp, id="aiohttp")],
)


def ask(
    client: Any,
    main: Callable[[Any], Awaitable[None]],
    *answers: bytes,
    **options: Any,
) -> list[Request]:
    """Run ``main`` with a session; give the requests that came.

    Args:
        client: The library.
        main: Gets the session.
        *answers: Sent for the first requests, one after the other. Every other request
            gets its WebSocket, with a message of text and a close frame.
        **options: Of the session.
    """
    tunnel = Tunnel()
    seen: list[Request] = []
    left = list(answers)

    async def script(wire: Wire) -> None:
        try:
            async for request in wire.requests():
                seen.append(request)
                if left:
                    await wire.send(left.pop(0))
                    continue
                await wire.send(accepting(request, b"Set-Cookie: from=handshake"))
                await wire.send(frame(TEXT, b"hello") + closing())
                await wire.read_until_eof()
                return
        except WireClosedError:
            return

    for host in ("a", "b"):
        tunnel.host(f"http://{host}.test").on_connect(otherwise=script)

    async def program(tunnel: Tunnel) -> None:
        async with client.ClientSession(**options) as session:
            await main(session)
        await asyncio.sleep(0.1)

    tunnel.run(program)
    return seen


async def greet(session: Any, url: str = URL, **options: Any) -> None:
    async with session.ws_connect(url, **options) as socket:
        assert await socket.receive_str() == "hello"


@clients
def test_a_redirect_is_followed_with_a_handshake_to_the_new_place(client: Any) -> None:
    seen = ask(
        client,
        greet,
        b"HTTP/1.1 302 Found\r\nLocation: http://b.test/there\r\n"
        b"Content-Length: 0\r\n\r\n",
    )
    assert [(r.header("Host"), r.target) for r in seen] == [
        ("a.test", "/chat"),
        ("b.test", "/there"),
    ]
    assert all(request.header("Upgrade") == "websocket" for request in seen)


@clients
def test_cookies_go_both_ways(client: Any) -> None:
    async def main(session: Any) -> None:
        await greet(session)
        await greet(session)

    first, second = ask(client, main, cookies={"mine": "1"})
    assert first.header("Cookie") == "mine=1"
    assert second.header("Cookie") == "from=handshake; mine=1"


@clients
def test_headers_and_base_url_of_the_session_apply(client: Any) -> None:
    async def main(session: Any) -> None:
        await greet(session, "chat", params={"room": "1"}, origin="http://o.test")

    (request,) = ask(client, main, base_url="http://a.test/v1/", headers={"X-All": "y"})
    assert request.target == "/v1/chat?room=1"
    assert request.header("X-All") == "y"
    assert request.header("Origin") == "http://o.test"


@clients
def test_middlewares_see_the_handshake_and_may_repeat_it(client: Any) -> None:
    async def sign(request: Any, handler: Any) -> Any:
        response = await handler(request)
        if response.status == 401:
            response.release()
            request.headers["Authorization"] = "Bearer t"
            response = await handler(request)
        return response

    seen = ask(
        client,
        greet,
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        middlewares=(sign,),
    )
    assert [request.header("Authorization") for request in seen] == [None, "Bearer t"]


@clients
def test_traces_hear_of_the_handshake_and_not_of_messages(client: Any) -> None:
    heard: list[str] = []
    config = client.TraceConfig()
    for name in ("request_start", "request_end", "request_exception"):

        def handler(name: str) -> Any:
            async def note(session: Any, context: Any, params: Any) -> None:
                heard.append(f"{name} {params.url}")

            return note

        getattr(config, f"on_{name}").append(handler(name))
    ask(client, greet, trace_configs=[config])
    assert heard == [f"request_start {URL}", f"request_end {URL}"]


@clients
def test_a_refusal_is_an_error_of_the_handshake_or_of_the_status(client: Any) -> None:
    refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why: no\r\n\r\nbody"

    async def main(session: Any) -> None:
        with pytest.raises(client.WSServerHandshakeError) as caught:
            await greet(session)
        error = caught.value
        assert (error.status, error.message) == (403, "Invalid response status")
        assert error.headers["X-Why"] == "no"

    ask(client, main, refused)

    async def strict(session: Any) -> None:
        with pytest.raises(client.ClientResponseError) as caught:
            await greet(session)
        assert type(caught.value) is client.ClientResponseError
        assert caught.value.message == "Forbidden"

    ask(client, strict, refused, raise_for_status=True)


@clients
def test_an_argument_that_does_not_exist_is_named_at_the_call(client: Any) -> None:
    async def main(session: Any) -> None:
        for name in ("compres", "json", "allow_redirects"):
            with pytest.raises(
                TypeError,
                match=rf"ws_connect\(\) got an unexpected keyword argument '{name}'",
            ):
                session.ws_connect(URL, **{name: None})

    assert ask(client, main) == []


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        pytest.param({"heartbeat": -1}, ValueError, "heartbeat=-1", id="heartbeat"),
        pytest.param({"heartbeat": "1"}, TypeError, "heartbeat='1'", id="no-number"),
        pytest.param(
            {"max_msg_size": -1}, ValueError, "max_msg_size=-1", id="max-msg-size"
        ),
        pytest.param({"compress": 8}, ValueError, "compress=8", id="compress"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_sent(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    async def main(session: Any) -> None:
        with pytest.raises(error, match=text):
            await session.ws_connect(URL, **options)

    assert ask(windtunnel, main) == []


def test_times_that_are_none_are_refused_when_they_are_made() -> None:
    with pytest.raises(ValueError, match=r"ws_close=-1 is not a time span"):
        windtunnel.ClientWSTimeout(ws_close=-1)
    with pytest.raises(ValueError, match=r"ws_receive=nan is not a time span"):
        windtunnel.ClientWSTimeout(ws_receive=float("nan"))
    with pytest.raises(TypeError, match="ws_close='x' is not a number of seconds"):
        windtunnel.ClientWSTimeout(ws_close="x")  # type: ignore[arg-type]  # the test
    assert windtunnel.ClientWSTimeout() == windtunnel.ClientWSTimeout(None, None)
