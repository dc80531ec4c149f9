"""Responses: made by hand, of a class of one's own, and those of a session."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

import windtunnel
from tests.client.support import URL as ADDRESS, answering, in_pieces, play
from windtunnel._base.compat import override
from windtunnel._exchange.handmade import make_response
from windtunnel._exchange.run import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from windtunnel.connector import Connection
    from windtunnel_fakeserver import Tunnel

INFO = windtunnel.RequestInfo(
    URL("http://a.test/x?q=1"),
    "GET",
    CIMultiDictProxy(CIMultiDict({"A": "b"})),
    URL("http://a.test/x?q=1#f"),
)


def by_hand(
    cls: type[windtunnel.ClientResponse] = windtunnel.ClientResponse, **facts: Any
) -> windtunnel.ClientResponse:
    """Make a response in the way that mock libraries do."""
    arguments: dict[str, Any] = {
        "writer": None,
        "continue100": None,
        "timer": mock.Mock(),
        "request_info": INFO,
        "traces": [],
        "loop": asyncio.get_running_loop(),
        "session": None,
        "stream_writer": mock.Mock(output_size=7),
    }
    return cls("get", URL("http://a.test/x?q=1#f"), **arguments | facts)


def fed(*pieces: bytes) -> windtunnel.StreamReader:
    stream = windtunnel.StreamReader(
        mock.Mock(), 2**16, loop=asyncio.get_running_loop()
    )
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    return stream


def fail() -> None:
    msg = "a user's mistake"
    raise ValueError(msg)


def shown(response: windtunnel.ClientResponse) -> Connection | None:
    return response.connection


def is_closed(connection: Connection) -> bool:
    return connection.closed


def go(main: Callable[[], Awaitable[None]]) -> None:
    async def program() -> None:
        await main()

    asyncio.run(program())


# --- made by hand -------------------------------------------------------------------


def test_a_response_made_by_hand_gives_what_it_was_fed() -> None:
    async def main() -> None:
        response = by_hand()
        response.status = 200
        response.reason = "OK"
        response._headers = CIMultiDictProxy(
            CIMultiDict([("Content-Type", "application/json"), ("Link", "<n>; rel=m")])
        )
        response._raw_headers = ((b"Content-Type", b"application/json"),)
        response.content = fed(b"[1, ", b"2]")
        async with response:
            assert await response.json() == [1, 2]
            assert await response.text() == "[1, 2]"
        assert str(response.links["m"]["url"]) == "http://a.test/n"
        assert response.raw_headers == ((b"Content-Type", b"application/json"),)
        assert repr(response) == (
            f"<ClientResponse(http://a.test/x?q=1) [200 OK]>\n{response.headers}\n"
        )
        with pytest.raises(windtunnel.ClientConnectionError, match="Connection closed"):
            await response.read()

    go(main)


def test_a_response_made_by_hand_knows_its_request_and_little_else() -> None:
    async def main() -> None:
        response = by_hand()
        assert response.method == "get"
        assert response.request_info is INFO
        assert (str(response.url), str(response.real_url), response.host) == (
            "http://a.test/x?q=1",
            "http://a.test/x?q=1#f",
            "a.test",
        )
        assert response.reason is None
        assert (response.closed, response.connection) == (True, None)
        assert (response.history, dict(response.cookies)) == ((), {})
        assert response.content_disposition is None
        assert (response.content_type, response.charset, response.content_length) == (
            "application/octet-stream",
            None,
            None,
        )
        assert list(response.links) == []
        assert response.version == windtunnel.HttpVersion11
        assert await response.read() == b""
        assert response.get_encoding() == "utf-8"

    go(main)


def test_what_mock_libraries_set_is_shown() -> None:
    async def main() -> None:
        response = by_hand()
        response.version = windtunnel.HttpVersion(2, 0)
        response.cookies = SimpleCookie("a=b")
        response._body = b"\xe4"
        response._history = (response,)
        response.elapsed = 3  # type: ignore[attr-defined]  # users do
        assert response.version == (2, 0)
        assert response.cookies["a"].value == "b"
        assert response.history == (response,)
        assert await response.text("latin-1") == "\xe4"
        assert "status" in response.ATTRS

    go(main)


def test_a_response_made_by_hand_asks_its_session_for_the_charset() -> None:
    async def main() -> None:
        session = mock.Mock(_resolve_charset=mock.Mock(return_value="latin-1"))
        response = by_hand(session=session)
        response._body = b"\xe4"
        assert await response.text() == "\xe4"

    go(main)


def test_a_status_without_reason_is_raised_all_the_same() -> None:
    async def main() -> None:
        response = by_hand()
        response.status = 404
        with pytest.raises(windtunnel.ClientResponseError) as caught:
            response.raise_for_status()
        assert (caught.value.status, caught.value.message) == (404, "")
        assert response.closed

    go(main)


def test_starting_a_response_that_nothing_comes_for_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"start\(\) of a response to http://a"):
            await by_hand().start(mock.Mock())

    go(main)


def test_old_attributes_work_and_warn() -> None:
    async def main() -> None:
        response = by_hand()
        with pytest.warns(DeprecationWarning, match=r"use \.url"):
            assert response.url_obj == response.url
        with pytest.warns(DeprecationWarning, match="output_size is deprecated"):
            assert response.output_size == 7
        with pytest.warns(DeprecationWarning, match="upload_complete is deprecated"):
            assert response.upload_complete.result() is None

    go(main)


# --- of a class of one's own --------------------------------------------------------


class Timed(windtunnel.ClientResponse):
    """A class as users write them: more state, a hook at the head, another read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arguments = kwargs
        self.seen: list[str] = []

    @override
    async def start(self, connection: Connection) -> Timed:
        await super().start(connection)
        self.seen.append(f"{self.status} closed={connection.closed}")
        return self

    @override
    async def read(self) -> bytes:
        self.seen.append("read")
        return (await super().read()).upper()


class Failing(windtunnel.ClientResponse):
    @override
    async def start(self, connection: Connection) -> Failing:
        await super().start(connection)
        raise KeyError(self.status)


async def get_as(
    cls: type[windtunnel.ClientResponse], session: windtunnel.ClientSession
) -> windtunnel.ClientResponse:
    """Get a response of a class, as the exchange makes it."""
    response = await session.get(ADDRESS)
    request = response._request
    response.release()
    assert session.connector is not None

    async def make(*arrived: Any) -> windtunnel.ClientResponse:
        return await make_response(cls, session, *arrived)

    return await run(
        request,  # type: ignore[arg-type]  # it is one of a session
        session.connector,
        lambda response, body: "utf-8",
        make=make,
    )


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_subclass_is_made_by_its_constructor_and_started() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await get_as(Timed, session)
        assert isinstance(response, Timed)
        assert response.seen == ["200 closed=True"]
        assert response.arguments["session"] is session
        assert response.request_info.method == "GET"
        assert await response.read() == b"OK"
        assert repr(response).startswith("<Timed(http://a.test/) [200 OK]>")
        with pytest.warns(DeprecationWarning, match="output_size"):
            assert response.output_size > 30

    play(answering(OK, OK), main=main)


def test_a_subclass_gets_a_body_that_is_still_coming() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await get_as(Timed, session)
        assert isinstance(response, Timed)
        assert response.seen == ["200 closed=False"]
        assert await response.read() == b"ABCD"

    play(
        answering(OK, then_close=True),
        in_pieces(head, b"ab", b"cd", seconds=1),
        main=main,
    )


def test_a_start_that_fails_gives_the_connection_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(KeyError):
            await get_as(Failing, session)

    play(answering(OK), in_pieces(head, seconds=1), main=main)


# --- of a session -------------------------------------------------------------------


def test_attributes_of_a_users_own_can_be_set_on_any_response() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(ADDRESS) as response:
            response.note = "seen"  # type: ignore[attr-defined]  # users do
            assert response.note == "seen"  # type: ignore[attr-defined]  # the same

    play(answering(OK), main=main)


def test_the_connection_is_shown_while_the_body_comes() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        over: list[str] = []
        async with session.get(ADDRESS) as response:
            connection = response.connection
            assert connection is not None
            assert connection is shown(response)
            assert bool(connection)
            assert not is_closed(connection)
            assert connection.transport is not None
            peer = connection.transport.get_extra_info("peername")
            assert peer[1] == 80
            assert connection.protocol is not None
            connection.add_callback(lambda: over.append("over"))
            connection.add_callback(fail)
            connection.add_callback(None)
            with pytest.warns(DeprecationWarning, match=r"connector\.loop"):
                assert connection.loop is asyncio.get_running_loop()
            assert await response.read() == b"abcd"
            assert over == ["over"]
            assert shown(response) is None
            assert is_closed(connection)
            assert repr(connection.protocol) == repr(connection.transport) == "None"
            # Whoever uses the connection now must not be cut by this.
            connection.close()
            connection.release()

    play(in_pieces(head, b"ab", b"cd", seconds=1), main=main)


@pytest.mark.parametrize("way", ["close", "release"])
def test_ending_the_connection_ends_the_response(way: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        over: list[str] = []
        async with session.get(ADDRESS) as response:
            connection = response.connection
            assert connection is not None
            connection.add_callback(lambda: over.append("over"))
            getattr(connection, way)()
            assert over == ["over"]
            assert response.closed
            with pytest.raises(windtunnel.ClientConnectionError):
                await response.read()

    play(in_pieces(head, seconds=1), main=main)


def test_leaving_a_response_ends_its_connections_turn() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        over: list[str] = []
        async with session.get(ADDRESS) as response:
            connection = response.connection
            assert connection is not None
            connection.add_callback(lambda: over.append("over"))
        assert over == ["over"]
        assert connection.closed

    play(in_pieces(head, seconds=1), main=main)


# --- as a session's response_class --------------------------------------------------


def test_a_session_makes_responses_of_the_class_it_was_given() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(ADDRESS) as response:
            assert isinstance(response, Timed)
            assert await response.text() == "ok"
            assert response.seen == ["200 closed=True", "read"]
            assert response.arguments["session"] is session
            writer = response.arguments["stream_writer"]
            assert writer.output_size == len(tunnel.journal.exchanges[0].request.raw)
        with pytest.raises(windtunnel.ClientResponseError) as caught:
            await session.get(ADDRESS, raise_for_status=True)
        assert caught.value.status == 404

    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    play(answering(OK, missing), main=main, response_class=Timed)


def test_redirects_of_a_users_class_are_its_own_history() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(ADDRESS) as response:
            assert [type(each) for each in response.history] == [Timed]
            assert str(response.url) == "http://a.test/b"

    play(answering(moved, OK), main=main, response_class=Timed)


def test_a_disposition_is_shown_by_the_response() -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
        b'Content-Disposition: attachment; filename="a b.txt"\r\n\r\n'
    )

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(ADDRESS) as response:
            found = response.content_disposition
            assert found is not None
            assert (found.type, found.filename) == ("attachment", "a b.txt")
            assert dict(found.parameters) == {"filename": "a b.txt"}

    play(answering(head), main=main)


def test_the_stream_of_a_response_released_before_is_closed() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await session.get(ADDRESS)
        response.release()
        with pytest.raises(windtunnel.ClientConnectionError, match="Connection closed"):
            await response.content.read()

    play(answering(OK), main=main)
