"""What says where a body ends: chunked, HTTP/1.0, compress, read_until_eof."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, answering, play
from windtunnel_fakeserver import Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from windtunnel_fakeserver import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
VERSION_10 = windtunnel.HttpVersion10


async def pieces() -> AsyncIterator[bytes]:
    yield b"ab"
    yield b"cd"


def ask(
    main: Callable[[windtunnel.ClientSession], Awaitable[None]], **options: Any
) -> list[Request]:
    """Run with a session; the requests that the host got."""
    tunnel = Tunnel()

    def answer(request: Request) -> Reply:
        if request.path == "/moved":
            return Reply(302, headers={"Location": "/there"})
        return Reply(200)

    tunnel.host("http://a.test", app=answer)

    async def program(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(**options) as session:
            await main(session)

    tunnel.run(program)
    return [exchange.request for exchange in tunnel.journal]


# --- chunked ------------------------------------------------------------------------


def test_a_body_of_known_length_is_not_chunked_when_that_is_declined() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        await session.post(URL, data=b"body", chunked=False)
        await session.post(URL, data=pieces(), chunked=False)

    known, unknown = ask(main)
    assert known.header("Content-Length") == "4"
    assert known.raw.endswith(b"\r\n\r\nbody")
    assert unknown.header("Transfer-Encoding") == "chunked"


def test_a_get_without_a_body_has_no_chunks() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        await session.get(URL, chunked=True)
        await session.post(f"{URL}moved", data=b"body", chunked=True)

    requests = ask(main)
    assert [request.raw.endswith(b"\r\n0\r\n\r\n") for request in requests] == [
        False,
        True,
        False,
    ]
    assert requests[2].header("Transfer-Encoding") is None


def test_the_chunked_coding_of_a_missing_body_is_ended_at_once() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        await session.post(URL, headers={"Transfer-Encoding": "chunked"})
        await session.post(URL, chunked=True)

    requests = ask(main)
    assert all(request.raw.endswith(b"\r\n\r\n0\r\n\r\n") for request in requests)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        pytest.param(
            {"chunked": True, "headers": {"Content-Length": "4"}},
            "Content-Length header is set",
            id="length",
        ),
        pytest.param(
            {"chunked": True, "headers": {"Transfer-Encoding": "chunked"}},
            "Transfer-Encoding header is set",
            id="coding",
        ),
        pytest.param(
            {"compress": True, "headers": {"Content-Length": "4"}},
            "Content-Length header is set",
            id="compress-and-length",
        ),
        pytest.param(
            {"compress": True, "headers": {"Content-Encoding": "gzip"}},
            "Content-Encoding header is set",
            id="compress-twice",
        ),
        pytest.param({"compress": "rot13"}, "'rot13' cannot be applied", id="unknown"),
    ],
)
def test_two_ways_to_frame_a_body_are_refused(
    options: dict[str, Any], text: str
) -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        with pytest.raises(ValueError, match=text):
            await session.post(URL, data=b"body", **options)

    assert ask(main) == []


@pytest.mark.parametrize("value", [1, 0, "yes"])
def test_a_chunk_size_is_warned_about(value: Any) -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        with pytest.warns(DeprecationWarning, match="no chunk size"):
            await session.post(URL, data=b"body", chunked=value)

    (request,) = ask(main)
    assert request.body == b"body"
    assert (request.header("Transfer-Encoding") is not None) == bool(value)


# --- HTTP/1.0 -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"data": pieces}, id="pieces"),
        pytest.param({"data": lambda: b"abcd", "chunked": True}, id="chunked"),
        pytest.param({"data": lambda: b"abcd", "expect100": True}, id="expect"),
    ],
)
def test_an_old_request_says_how_long_its_body_is(options: dict[str, Any]) -> None:
    options["data"] = options["data"]()

    async def main(session: windtunnel.ClientSession) -> None:
        assert session.version == VERSION_10
        await session.post(URL, **options)

    (request,) = ask(main, version=VERSION_10)
    assert request.raw.startswith(b"POST / HTTP/1.0\r\n")
    assert request.header("Content-Length") == "4"
    assert request.header("Transfer-Encoding") is None
    assert request.header("Expect") is None
    assert request.body == b"abcd"


def test_an_old_request_can_be_compressed() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        await session.post(URL, data=b"abcd", compress=True)

    (request,) = ask(main, version=VERSION_10)
    assert request.header("Content-Encoding") == "deflate"
    assert zlib.decompress(request.body) == b"abcd"


def test_an_old_request_cannot_ask_for_chunks() -> None:
    async def main(session: windtunnel.ClientSession) -> None:
        with pytest.raises(ValueError, match=r"HTTP/1\.0 does not know"):
            await session.post(
                URL, data=b"body", headers={"Transfer-Encoding": "chunked"}
            )

    assert ask(main, version=VERSION_10) == []


def test_old_requests_share_a_connection_that_the_server_keeps() -> None:
    kept = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for _ in range(2):
            assert (await session.get(URL)).version == VERSION_10

    play(answering(kept, kept, then_close=False), main=main, version=VERSION_10)


# --- read_until_eof -----------------------------------------------------------------


def test_a_response_that_may_not_end_with_the_connection_has_no_body() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\nendless"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL, read_until_eof=False) as response:
            assert await response.read() == b""
        async with session.get(URL, read_until_eof=False) as response:
            assert await response.read() == b"ok"

    play(
        answering(endless, then_close=False),
        answering(OK, then_close=False),
        main=main,
    )


# --- json ---------------------------------------------------------------------------


def test_a_serializer_that_gives_bytes_comes_first() -> None:
    def dumps(value: Any) -> bytes:
        return b"\xff%d" % len(value)

    async def main(session: windtunnel.ClientSession) -> None:
        assert session.json_serialize is str
        await session.post(URL, json=[1])

    (request,) = ask(main, json_serialize=str, json_serialize_bytes=dumps)
    assert request.body == b"\xff1"
    assert request.header("Content-Type") == "application/json"
