"""Connections that a user asks for: made ahead, given back, closed, or forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import yarl

import windtunnel
from tests.client.support import URL, answering, play, read_all
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from windtunnel.connector import Connection
    from windtunnel_fakeserver import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = windtunnel.ClientTimeout()


async def connect(session: windtunnel.ClientSession, url: str = URL) -> Connection:
    assert session.connector is not None
    request = windtunnel.ClientRequest("GET", yarl.URL(url))
    return await session.connector.connect(request, [], PATIENCE)


async def nothing(wire: Wire) -> None:
    assert await wire.read_some() == b""


def state(connection: Connection) -> tuple[bool, bool]:
    return connection.closed, connection.transport is None


def test_a_connection_made_ahead_is_used_by_the_next_request() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        over: list[str] = []
        connection = await connect(session)
        connection.add_callback(lambda: over.append("over"))
        assert state(connection) == (False, False)
        assert repr(connection).startswith("Connection<ConnectionKey(host='a.test'")
        connection.release()
        connection.release()
        assert over == ["over"]
        assert state(connection) == (True, True)
        assert await read_all(session) == b"ok"
        again = await connect(session)
        again.release()
        assert len(tunnel.journal.connections) == 1
        # Closing what was given back cuts nobody.
        connection.close()
        assert await read_all(session) == b"ok"

    play(answering(OK, OK, then_close=False), main=main)


def test_a_connection_holds_a_place_until_it_is_closed() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        connection = await connect(session)
        waiting = asyncio.create_task(read_all(session))
        await asyncio.sleep(1)
        assert not waiting.done()
        connection.close()
        connection.close()
        assert await waiting == b"ok"
        assert len(tunnel.journal.connections) == 2

    play(
        nothing,
        answering(OK),
        main=main,
        connector=lambda: windtunnel.TCPConnector(limit=1),
    )


def test_a_connection_that_the_server_closed_is_not_given_to_the_next() -> None:
    async def leave(wire: Wire) -> None:
        await wire.sleep(1)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        connection = await connect(session)
        await asyncio.sleep(2)
        assert connection.closed
        connection.release()
        assert await read_all(session) == b"ok"

    play(
        leave,
        answering(OK),
        main=main,
        connector=lambda: windtunnel.TCPConnector(limit=1),
    )


def test_a_connection_that_is_forgotten_is_warned_about_and_closed() -> None:
    told: list[dict[str, Any]] = []

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        connections = [await connect(session)]
        with pytest.warns(ResourceWarning, match="Unclosed connection Connection<"):
            connections.clear()
        assert await read_all(session) == b"ok"

    play(
        nothing,
        answering(OK),
        main=main,
        connector=lambda: windtunnel.TCPConnector(limit=1),
    )
    assert [context["message"] for context in told] == ["Unclosed connection"]


def test_what_keeps_a_connection_from_being_made_is_said_in_public_errors() -> None:
    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession() as session:
            with pytest.raises(windtunnel.ClientConnectorError, match=r"nobody\.test"):
                await connect(session, "http://nobody.test/")
            holder = windtunnel.TCPConnector(limit=1)
            request = windtunnel.ClientRequest("GET", yarl.URL(URL))
            held = await holder.connect(request, [], PATIENCE)
            with pytest.raises(windtunnel.ConnectionTimeoutError, match=r"a\.test"):
                await holder.connect(request, [], windtunnel.ClientTimeout(connect=1))
            held.close()
            await holder.close()
            with pytest.raises(windtunnel.ClientConnectionError, match="is closed"):
                await holder.connect(request, [], PATIENCE)

    tunnel = Tunnel()
    tunnel.host("http://a.test").on_connect(nothing)
    tunnel.run(main)
