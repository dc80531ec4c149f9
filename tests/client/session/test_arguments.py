"""What a caller can get wrong: nothing is sent then, and forgetting is warned about."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, answering, play, read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from windtunnel_fakeserver import Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        pytest.param({"headers": {"A": "b\r\nC: d"}}, ValueError, "control", id="crlf"),
        pytest.param({"headers": {"A": "b\nc"}}, ValueError, "control", id="lf"),
        pytest.param({"headers": {"A": "b\0"}}, ValueError, "control", id="nul"),
        pytest.param({"headers": {"A": "\x7f"}}, ValueError, "control", id="del"),
        pytest.param({"headers": {"A b": "c"}}, ValueError, "token", id="name"),
        pytest.param({"headers": {"": "c"}}, ValueError, "token", id="empty-name"),
        pytest.param({"headers": {"A\r\nB": "c"}}, ValueError, "token", id="name-crlf"),
        pytest.param({"headers": {"Host": "a\r\nB: c"}}, ValueError, "control", id="h"),
        pytest.param({"headers": {"A": 5}}, TypeError, "is a int, not a str", id="int"),
        pytest.param(
            {"headers": {"Content-Length": "x"}},
            ValueError,
            "number of digits",
            id="cl",
        ),
        pytest.param(
            {"headers": [("Content-Length", "1"), ("Content-Length", "2")]},
            ValueError,
            "number of digits",
            id="two-lengths",
        ),
        pytest.param(
            {"headers": {"Content-Length": "3"}, "data": b"ab"},
            ValueError,
            "the body has 2 bytes",
            id="short-body",
        ),
        pytest.param(
            {"headers": {"Transfer-Encoding": "gzip"}, "data": b"ab"},
            ValueError,
            "allowed is 'chunked'",
            id="coding",
        ),
        pytest.param(
            {
                "headers": {"Transfer-Encoding": "chunked", "Content-Length": "2"},
                "data": b"ab",
            },
            ValueError,
            "allowed is one",
            id="both",
        ),
        pytest.param({"data": b"", "json": 1}, ValueError, "same time", id="data+json"),
        pytest.param({"data": 5}, TypeError, "cannot be sent", id="data"),
        pytest.param({"params": 5}, TypeError, "params=5", id="params"),
        pytest.param({"timeout": -1}, ValueError, "total=-1", id="timeout"),
        pytest.param({"timeout": "x"}, TypeError, "total='x'", id="timeout-type"),
        pytest.param({"allow_redirect": True}, TypeError, "unexpected", id="unknown"),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_sent(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(error, match=text):
            await session.post(URL, **options)
        assert len(tunnel.journal.connections) == 0

    play(main=main)


@pytest.mark.parametrize("method", ["", "GET POST", "GET\r\nX: y", "G\xc4T", "GET:"])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(ValueError, match="is not a token"):
            await session.request(method, URL)

    play(main=main)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("/relative", windtunnel.InvalidUrlClientError),
        ("http://", windtunnel.InvalidUrlClientError),
        ("ftp://a.test/", windtunnel.NonHttpUrlClientError),
        (5, TypeError),
    ],
)
def test_a_url_that_cannot_be_asked_is_refused(
    url: Any, error: type[Exception]
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(error):
            await session.get(url)

    play(main=main)


def test_credentials_twice_are_refused() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(ValueError, match="give one"):
            await session.get("http://u:p@a.test/", headers={"Authorization": "x"})

    play(main=main)


def bad_session(**options: Any) -> Callable[[], object]:
    return lambda: windtunnel.ClientSession(**options)


def bad_connector(**options: Any) -> Callable[[], object]:
    return lambda: windtunnel.TCPConnector(**options)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        pytest.param(bad_session(timeout=5), ValueError, "ClientTimeout", id="timeout"),
        pytest.param(bad_session(base_url="/x"), ValueError, "absolute", id="base"),
        pytest.param(
            bad_session(headers={"A": "\n"}), ValueError, "control", id="head"
        ),
        pytest.param(bad_connector(limit=-1), ValueError, "limit=-1", id="limit"),
        pytest.param(
            bad_connector(limit_per_host=-1),
            ValueError,
            "limit_per_host",
            id="per-host",
        ),
        pytest.param(
            bad_connector(keepalive_timeout=-1), ValueError, "negative", id="keepalive"
        ),
        pytest.param(
            bad_connector(keepalive_timeout=1, force_close=True),
            ValueError,
            "cannot be set",
            id="keepalive-and-force-close",
        ),
    ],
)
def test_a_bad_setting_is_refused_where_it_is_made(
    make: Callable[[], object], error: type[Exception], text: str
) -> None:
    async def main() -> None:
        with pytest.raises(error, match=text):
            make()

    asyncio.run(main())
    gc.collect()


def test_a_session_needs_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        windtunnel.ClientSession()


def test_a_connector_of_another_loop_is_refused() -> None:
    async def make() -> windtunnel.TCPConnector:
        return windtunnel.TCPConnector()

    connector = asyncio.run(make())

    async def main() -> None:
        with pytest.raises(RuntimeError, match="same event loop"):
            windtunnel.ClientSession(connector=connector)

    asyncio.run(main())


def test_a_session_shows_its_settings() -> None:
    async def main() -> None:
        limits = windtunnel.ClientTimeout(total=1)
        async with windtunnel.ClientSession(
            headers={"A": "b"},
            timeout=limits,
            skip_auto_headers=["Accept"],
            json_serialize=str,
            auto_decompress=False,
            raise_for_status=True,
            connector=windtunnel.TCPConnector(limit=7, limit_per_host=3),
        ) as session:
            assert session.headers == {"A": "b"}
            assert session.timeout is limits
            assert session.skip_auto_headers == frozenset({"Accept"})
            assert session.json_serialize is str
            assert session.auto_decompress is False
            assert session.raise_for_status is True
            assert session.connector_owner
            connector = session.connector
            assert connector is not None
            assert (connector.limit, connector.limit_per_host) == (7, 3)
            assert connector.force_close is False
        async with windtunnel.ClientSession(timeout=None) as other:
            assert other.timeout == windtunnel.ClientTimeout(total=300, sock_connect=30)
        assert other.connector is None

    asyncio.run(main())


def test_a_session_is_entered_with_async_with_only() -> None:
    async def main() -> None:
        async with windtunnel.ClientSession() as session:
            with pytest.raises(TypeError, match="Use async with instead"):
                session.__enter__()
            session.__exit__(None, None, None)

    asyncio.run(main())


def test_a_closed_session_sends_nothing() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await session.close()
        await session.close()
        with pytest.raises(RuntimeError, match="Session is closed"):
            await session.get(URL)

    play(main=main)


def test_a_detached_session_counts_as_closed_and_leaves_its_connector_open() -> None:
    async def main() -> None:
        async with windtunnel.TCPConnector() as connector:
            session = windtunnel.ClientSession(connector=connector)
            session.detach()
            assert session.closed
            assert not connector.closed

    asyncio.run(main())


def test_limits_can_be_set_for_session_and_request() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientResponseError, match="max_headers"):
            await session.get(URL)
        async with session.get(URL, max_headers=3) as response:
            assert response.status == 200
            await response.read()
        for name in ("max_line_size", "max_field_size"):
            limit: Any = {name: 3, "max_headers": 3}
            with pytest.raises(windtunnel.ClientResponseError, match=name):
                await session.get(URL, **limit)

    async def script(wire: Wire) -> None:
        while await wire.read_some():
            await wire.send(OK.replace(b"\r\n\r\n", b"\r\nA: b\r\nC: d\r\n\r\n"))

    play(*[script] * 3, main=main, max_headers=2)


# --- forgetting to close ------------------------------------------------------------


def test_a_session_that_is_dropped_open_is_warned_about() -> None:
    told: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        sessions = [windtunnel.ClientSession()]
        with pytest.warns(ResourceWarning, match="Unclosed client session"):
            sessions.clear()
        gc.collect()

    asyncio.run(main())
    assert told == ["Unclosed client session"]


def test_a_connector_that_is_dropped_with_connections_is_warned_about() -> None:
    told: list[str] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        connectors = [windtunnel.TCPConnector()]
        async with windtunnel.ClientSession(
            connector=connectors[0], connector_owner=False
        ) as other:
            await read_all(other)
        named = r"Unclosed connector .* with <Connection a\.test:80 idle>"
        with pytest.warns(ResourceWarning, match=named):
            connectors.clear()
        await asyncio.sleep(1)

    play(answering(OK, then_close=False), main=main)
    assert told == ["Unclosed connector"]


def test_dropping_after_the_loop_is_closed_only_warns() -> None:
    async def make() -> windtunnel.ClientSession:
        return windtunnel.ClientSession()

    sessions = [asyncio.run(make())]
    with pytest.warns(ResourceWarning, match="Unclosed client session"):
        sessions.clear()


UNFINISHED = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"


async def unfinished(wire: Wire) -> None:
    await wire.read_request()
    await wire.send(UNFINISHED)
    assert await wire.read_some() == b""


def test_a_response_dropped_unread_is_warned_about_in_debug_mode_only() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        responses = [await session.get(URL)]
        responses.clear()
        asyncio.get_running_loop().set_debug(True)
        responses = [await session.get(URL)]
        with pytest.warns(ResourceWarning, match=r"Unclosed response on <Connection a"):
            responses.clear()
        asyncio.get_running_loop().set_debug(False)

    play(unfinished, unfinished, main=main)


def test_a_response_dropped_after_its_loop_was_closed_does_nothing() -> None:
    async def main(
        session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> list[windtunnel.ClientResponse]:
        return [await session.get(URL)]

    kept = play(unfinished, main=main)
    assert kept[0].closed
    kept.clear()


def test_a_local_address_is_bound() -> None:
    peers: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connector = windtunnel.TCPConnector(
            local_addr=("127.0.0.2", 0), family=socket.AF_INET
        )
        async with server, windtunnel.ClientSession(connector=connector) as session:
            assert await read_all(session, f"http://127.0.0.1:{port}/") == b"ok"

    asyncio.run(main())
    assert peers == ["127.0.0.2"]
