"""Request heads, byte by byte, beside those of the client whose API this is."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp.http import SERVER_SOFTWARE

import windtunnel
from windtunnel._base.version import USER_AGENT
from windtunnel_fakeserver import Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Request

URL = "http://a.test/p"


def answer(request: Request) -> Reply:
    if request.path == "/moved":
        return Reply(307, headers={"Location": "/p"})
    if request.path == "/cookie":
        return Reply(200, headers={"Set-Cookie": "fromjar=1; Path=/"})
    return Reply(200, text="ok")


async def pieces() -> AsyncIterator[bytes]:
    yield b"ab"
    yield b"cd"


def some_pieces(library: Any) -> Any:
    return pieces()


def a_file(library: Any) -> Any:
    return io.BytesIO(b"body")


def old_version(library: Any) -> Any:
    return library.HttpVersion10


def closing(library: Any) -> Any:
    return library.TCPConnector(force_close=True)


def bytes_serializer(library: Any) -> Any:
    def dumps(value: Any) -> bytes:
        return b"<%d>" % len(value)

    return dumps


def sent(
    library: Any, method: str, url: str, call: dict[str, Any], session: dict[str, Any]
) -> list[bytes]:
    """Give what a client puts on the wire, its own name left out."""
    tunnel = Tunnel()
    tunnel.host("http://a.test", app=answer)

    def made(value: Any) -> Any:
        return value(library) if callable(value) else value

    async def program(tunnel: Tunnel) -> None:
        options = {name: made(value) for name, value in session.items()}
        async with library.ClientSession(**options) as opened:
            if url.endswith("/cookie"):
                async with opened.get(url):
                    pass
            options = {name: made(value) for name, value in call.items()}
            async with opened.request(
                method, url.replace("/cookie", "/p"), **options
            ) as response:
                await response.read()

    tunnel.run(program)
    raw = b"".join(exchange.request.raw for exchange in tunnel.journal)
    for name in (USER_AGENT, SERVER_SOFTWARE):
        raw = raw.replace(name.encode(), b"AGENT")
    return raw.split(b"\r\n")


CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "get": ("GET", {}, {}),
    "head": ("HEAD", {}, {}),
    "options": ("OPTIONS", {}, {}),
    "delete": ("DELETE", {}, {}),
    "post-without-body": ("POST", {}, {}),
    "put-without-body": ("PUT", {}, {}),
    "post-empty": ("POST", {"data": b""}, {}),
    "post-bytes": ("POST", {"data": b"body"}, {}),
    "get-bytes": ("GET", {"data": b"body"}, {}),
    "post-text": ("POST", {"data": "b\xf6dy"}, {}),
    "post-json": ("POST", {"json": {"a": [1, None]}}, {}),
    "post-form": ("POST", {"data": {"a": "b c", "d": "\xe4"}}, {}),
    "post-file": ("POST", {"data": a_file}, {}),
    "post-pieces": ("POST", {"data": some_pieces}, {}),
    "pieces-with-length": (
        "POST",
        {"data": some_pieces, "headers": {"Content-Length": "4"}},
        {},
    ),
    "chunked": ("POST", {"data": b"body", "chunked": True}, {}),
    "chunked-empty": ("POST", {"data": b"", "chunked": True}, {}),
    "chunked-without-body": ("POST", {"chunked": True}, {}),
    "compressed": ("POST", {"data": b"body", "compress": True}, {}),
    "compressed-by-name": ("POST", {"data": b"body", "compress": "gzip"}, {}),
    "compressed-empty": ("POST", {"data": b"", "compress": True}, {}),
    "compressed-with-all": (
        "POST",
        {
            "data": b"body",
            "compress": True,
            "cookies": {"b": "2", "a": "x y"},
            "headers": {"X-Own": "1", "Authorization": "Bearer t"},
        },
        {},
    ),
    "own-headers": (
        "GET",
        {"headers": [("X-B", "1"), ("X-A", "2"), ("X-B", "3")]},
        {"headers": {"X-A": "0", "X-C": "4"}},
    ),
    "own-host": ("GET", {"headers": {"X": "1", "Host": "other.test"}}, {}),
    "own-automatic": (
        "GET",
        {"headers": {"User-Agent": "me", "Accept": "text/plain"}},
        {},
    ),
    "own-type": ("POST", {"data": b"x", "headers": {"Content-Type": "a/b"}}, {}),
    "own-type-for-nothing": ("POST", {"headers": {"content-type": "a/b"}}, {}),
    "skipped": (
        "POST",
        {"data": b"x", "skip_auto_headers": ["content-type", "ACCEPT"]},
        {"skip_auto_headers": ["User-Agent"]},
    ),
    "skipped-for-nothing": ("POST", {"skip_auto_headers": ["Content-Type"]}, {}),
    "own-cookie-header": ("GET", {"headers": {"Cookie": "z=1; a=2", "X": "1"}}, {}),
    "cookies": ("GET", {"cookies": {"b": "2", "a": "1"}}, {}),
    "cookies-and-header": (
        "GET",
        {"cookies": {"b": "2", "a": "1"}, "headers": {"Cookie": "z=1; a=9", "X": "1"}},
        {},
    ),
    "cookies-of-session": ("GET", {"cookies": {"a": "1"}}, {"cookies": {"s": "0"}}),
    "cookies-and-body": ("POST", {"cookies": {"a": "1"}, "json": [1]}, {}),
    "params": ("GET", {"params": {"q": "a b", "r": "\xe4"}}, {}),
    "close": ("GET", {}, {"connector": closing}),
    "own-connection": ("GET", {"headers": {"Connection": "close"}}, {}),
    "close-and-body": (
        "POST",
        {},
        {"connector": closing},
    ),
    "old": ("GET", {}, {"version": old_version}),
    "old-and-body": (
        "POST",
        {"data": b"x"},
        {"version": old_version},
    ),
    "old-and-close": (
        "GET",
        {},
        {
            "version": old_version,
            "connector": closing,
        },
    ),
    "old-and-own-connection": (
        "GET",
        {"headers": {"Connection": "close"}},
        {"version": old_version},
    ),
    "bytes-serializer": (
        "POST",
        {"json": {"a": 1}},
        {"json_serialize_bytes": bytes_serializer},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_has_the_bytes_of_the_compatible_client(case: str) -> None:
    method, call, session = CASES[case]
    ours = sent(windtunnel, method, URL, call, session)
    assert ours == sent(aiohttp, method, URL, call, session)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "http://u:p%40@a.test/p"),
        ("POST", "http://u:p@a.test/p"),
        ("GET", "http://a.test/cookie"),
        ("POST", "http://a.test/cookie"),
        ("GET", "http://a.test/p?x=1&y=%C3%A4#f"),
        ("PUT", "http://a.test/moved"),
    ],
)
def test_a_url_leads_to_the_bytes_of_the_compatible_client(
    method: str, url: str
) -> None:
    ours = sent(windtunnel, method, url, {}, {})
    assert ours == sent(aiohttp, method, url, {}, {})


def test_middlewares_see_the_headers_of_the_compatible_client() -> None:
    seen: dict[Any, list[tuple[str, str]]] = {}

    def middleware(library: Any) -> Any:
        async def look(request: Any, handler: Any) -> Any:
            seen[library] = [
                (name, value)
                for name, value in request.headers.items()
                if name != "User-Agent"
            ]
            return await handler(request)

        return (look,)

    call = {"cookies": {"a": "1"}, "data": b"body", "middlewares": middleware}
    for library in (windtunnel, aiohttp):
        sent(library, "POST", "http://u:p@a.test/p", call, {})
    assert seen[windtunnel] == seen[aiohttp]


def test_a_body_waits_for_the_server_like_that_of_the_compatible_client() -> None:
    def told(library: Any) -> list[bytes]:
        heard: list[bytes] = []

        async def script(wire: Any) -> None:
            heard.append(await wire.read_some())
            await wire.sleep(1)
            await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            heard.append(await wire.read_some())
            await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await wire.read_until_eof()

        tunnel = Tunnel()
        tunnel.host("http://a.test").on_connect(script)

        async def program(tunnel: Tunnel) -> None:
            async with library.ClientSession() as session:
                await session.post(URL, json=[1], expect100=True)
                await asyncio.sleep(0)

        tunnel.run(program)
        return [part for part in heard[0].split(b"\r\n") if b"Agent" not in part] + [
            heard[1]
        ]

    assert told(windtunnel) == told(aiohttp)


def credentials(library: Any) -> Any:
    return library.BasicAuth("login", "password")


SESSIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "auth": {"auth": credentials},
    "auth-at-home": {"auth": credentials, "base_url": "http://a.test/"},
    "auth-elsewhere": {"auth": credentials, "base_url": "http://b.test/"},
}
OWN_FIELD = {"Authorization": "x"}
CALLS: list[dict[str, Any]] = [
    {},
    {"auth": credentials},
    {"headers": OWN_FIELD},
    {"auth": credentials, "headers": OWN_FIELD},
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("user", ["", "u:p@"])
def test_credentials_are_chosen_as_in_the_compatible_client(
    session: str, user: str
) -> None:
    def chosen(library: Any, call: dict[str, Any]) -> list[bytes] | type[Exception]:
        url = f"http://{user}a.test/p"
        try:
            lines = sent(library, "GET", url, call, SESSIONS[session])
        except ValueError as error:
            return type(error)
        return [line for line in lines if line.startswith(b"Authorization")]

    for call in CALLS:
        assert chosen(windtunnel, call) == chosen(aiohttp, call)
