"""Which connections are used again, for how long, and who waits for one."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

import pytest

import windtunnel
from tests.client.support import URL, answering, play, read_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from windtunnel_fakeserver import Script, Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def connections_for(*answers: bytes, pause: float = 0.0) -> int:
    """Say over how many connections so many requests go, one after the other."""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> int:
        tunnel.server.on("GET", "/").raw(*answers)
        for _ in answers:
            async with session.get("http://server.test/") as response:
                await response.read()
            await asyncio.sleep(pause)
        return len(tunnel.journal.connections)

    return play(main=main)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(OK, 1, id="length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            1,
            id="chunked",
        ),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 1, id="204"),
        pytest.param(
            OK.replace(b"\r\n\r\n", b"\r\nConnection: a, Close\r\n\r\n"), 2, id="close"
        ),
        pytest.param(OK.replace(b"1.1", b"1.0"), 2, id="1.0"),
        pytest.param(
            OK.replace(b"1.1", b"1.0").replace(
                b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"
            ),
            1,
            id="1.0-keep-alive",
        ),
        pytest.param(OK + b"surplus", 2, id="surplus-after-length"),
        pytest.param(OK + OK, 2, id="a-second-response"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
            2,
            id="surplus-after-chunks",
        ),
    ],
)
def test_a_connection_is_used_again_only_if_it_is_clean(
    answer: bytes, expected: int
) -> None:
    assert connections_for(answer, answer) == expected


@pytest.mark.parametrize(("pause", "expected"), [(14.999, 1), (15.0, 2), (15.1, 2)])
def test_an_idle_connection_is_kept_for_fifteen_seconds(
    pause: float, expected: int
) -> None:
    assert connections_for(OK, OK, pause=pause) == expected


def test_idle_connections_are_closed_when_their_time_is_over() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await asyncio.gather(*(read_all(session) for _ in range(2)))
        await asyncio.sleep(2)
        await read_all(session)
        await asyncio.sleep(20)
        closed = [record.closed for record in tunnel.journal.connections]
        # Moved up to a whole second of the loop's clock. The third request went over
        # the connection that had idled longest.
        assert closed == pytest.approx([18.0, 16.0], abs=0.01)

    play(
        answering(OK, OK, then_close=False),
        answering(OK, then_close=False),
        main=main,
    )


def test_each_idle_connection_is_closed_at_its_own_time() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        failures: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        for host in ("a", "b"):
            tunnel.host(f"http://{host}.test").on("GET", "/").reply()
            await read_all(session, f"http://{host}.test/")
            await asyncio.sleep(5)
        await asyncio.sleep(30)
        closed = [record.closed for record in tunnel.journal.connections]
        assert [moment is not None and round(moment) for moment in closed] == [16, 21]
        assert failures == []

    play(main=main)


def test_short_keep_alive_is_exact_and_none_is_for_ever() -> None:
    async def main(
        seconds: float, session: windtunnel.ClientSession, tunnel: Tunnel
    ) -> None:
        await read_all(session)
        await asyncio.sleep(seconds)
        await read_all(session)

    for timeout, seconds in ((0.5, 0.49), (None, 86_000)):
        connector = functools.partial(
            windtunnel.TCPConnector, keepalive_timeout=timeout
        )
        play(
            answering(OK, OK, then_close=False),
            main=functools.partial(main, seconds),
            connector=connector,
        )


def test_a_connection_that_the_server_closed_while_idle_is_not_used() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await read_all(session)
        await asyncio.sleep(0.001)
        async with session.post(URL) as response:
            await response.read()
        assert len(tunnel.journal.connections) == 2

    play(answering(OK), answering(OK), main=main)


@pytest.mark.parametrize("unasked", [b"HTTP/1.1 200 OK\r\n\r\n", b"x"])
def test_unasked_bytes_close_an_idle_connection(unasked: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(OK)
        await wire.sleep(1)
        await wire.send(unasked)
        assert await wire.read_some() == b""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await read_all(session)
        await asyncio.sleep(2)
        assert tunnel.journal.connections[0].closed is not None
        assert await read_all(session) == b"ok"

    play(script, answering(OK), main=main)


def test_a_response_that_is_not_read_ends_its_connection() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
        assert await wire.read_some() == b""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            assert response.status == 200
        with pytest.raises(windtunnel.ClientConnectionError):
            await response.content.read()
        assert await read_all(session) == b"ok"

    play(script, answering(OK), main=main)


def test_a_response_that_is_dropped_unread_gives_its_place_back() -> None:
    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
        assert await wire.read_some() == b""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await session.get(URL)
        assert not response.closed
        del response
        assert await read_all(session) == b"ok"
        assert tunnel.clock.elapsed < 1

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(script, answering(OK), main=main, connector=one)


def test_a_paused_connection_reads_again_before_it_is_pooled() -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + b"x" * 40

    async def script(wire: Wire) -> None:
        for _ in range(2):
            await wire.read_request()
            await wire.send(body[:60])
            await wire.sleep(1)
            await wire.send(body[60:])
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for _ in range(2):
            async with session.get(URL, read_bufsize=1) as response:
                await asyncio.sleep(2)
                assert len(await response.read()) == 40
        assert len(tunnel.journal.connections) == 1

    play(script, main=main)


def test_a_reader_that_does_not_read_stops_the_server() -> None:
    taken: list[int] = []

    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(300):
            await wire.send(bytes(100_000))
            taken.append(100_000)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            await asyncio.sleep(10)
            assert sum(taken) < 5_000_000
            size = 0
            async for piece in response.content.iter_any():
                size += len(piece)
            assert size == 30_000_000

    play(script, main=main)


# --- limits and waiters -------------------------------------------------------------


def slow(seconds: float = 1.0) -> Script:
    """Answer every request of a connection after some time."""

    async def script(wire: Wire) -> None:
        async for _ in wire.requests():
            await wire.sleep(seconds)
            await wire.send(OK)

    return script


def test_requests_over_the_limit_wait_in_their_order() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        done: list[int] = []

        async def get(number: int) -> None:
            await read_all(session, f"{URL}{number}")
            done.append(number)

        await asyncio.gather(*(get(number) for number in range(6)))
        assert done == list(range(6))
        assert len(tunnel.journal.connections) == 2
        assert tunnel.clock.elapsed == pytest.approx(3, abs=0.01)

    two = functools.partial(windtunnel.TCPConnector, limit=2)
    play(slow(), slow(), main=main, connector=two)


def test_a_host_at_its_limit_does_not_hold_up_another() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://b.test").on_connect(slow())
        done: list[str] = []

        async def get(host: str) -> None:
            await read_all(session, f"http://{host}.test/")
            done.append(host)

        await asyncio.gather(*(get(host) for host in "aaab"))
        assert done == ["a", "b", "a", "a"]

    one = functools.partial(windtunnel.TCPConnector, limit_per_host=1)
    play(slow(), main=main, connector=one)


def test_a_free_place_goes_to_the_first_waiter_that_may_have_it() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.host("http://b.test").on_connect(slow(3))
        tunnel.host("http://c.test").on_connect(slow())
        done: list[str] = []

        async def get(host: str) -> None:
            await read_all(session, f"http://{host}.test/")
            done.append(host)

        # b is served for 3 s and its second request has to wait; c overtakes it.
        await asyncio.gather(*(get(host) for host in "abbc"))
        assert done == ["a", "c", "b", "b"]

    limits = functools.partial(windtunnel.TCPConnector, limit=2, limit_per_host=1)
    play(slow(), main=main, connector=limits)


def test_without_limits_every_request_has_its_connection() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await asyncio.gather(*(read_all(session) for _ in range(120)))
        assert len(tunnel.journal.connections) == 120

    none = functools.partial(windtunnel.TCPConnector, limit=0)
    play(*[slow()] * 120, main=main, connector=none)


def test_a_waiter_that_is_cancelled_leaves_the_line() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        first, second, third = (
            asyncio.create_task(read_all(session)) for _ in range(3)
        )
        await asyncio.sleep(0.5)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await first == await third == b"ok"
        assert tunnel.clock.elapsed == pytest.approx(2, abs=0.01)

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(slow(), main=main, connector=one)


def test_a_waiter_cancelled_in_the_moment_of_its_turn_passes_the_place_on() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL):
            second = asyncio.create_task(read_all(session))
            third = asyncio.create_task(read_all(session))
            await asyncio.sleep(0)
        # The place is free and promised, but the second task did not run yet.
        second.cancel()
        assert await third == b"ok"
        assert second.cancelled()

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    chunked = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"
    play(answering(chunked), answering(OK), main=main, connector=one)


def test_a_failed_connect_gives_its_place_to_the_next() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        tunnel.network.dns.declare("b.test")
        bad = asyncio.create_task(read_all(session, "http://b.test/"))
        good = asyncio.create_task(read_all(session))
        with pytest.raises(windtunnel.ClientConnectorError):
            await bad
        assert await good == b"ok"

    one = functools.partial(windtunnel.TCPConnector, limit=1, limit_per_host=1)
    play(slow(), main=main, connector=one)


def test_force_close_says_so_and_uses_no_connection_twice() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for _ in range(2):
            await read_all(session)
        for exchange in tunnel.journal.exchanges:
            assert exchange.request.header("Connection") == "close"
        await (await session.get(URL, headers={"Connection": "x"})).read()
        assert tunnel.journal.exchanges[2].request.header("Connection") == "x"
        assert len(tunnel.journal.connections) == 3

    force = functools.partial(windtunnel.TCPConnector, force_close=True)
    play(*[answering(OK, then_close=False)] * 3, main=main, connector=force)


# --- the end ------------------------------------------------------------------------


def test_closing_ends_requests_in_flight_and_those_that_wait() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        flying = asyncio.create_task(read_all(session))
        waiting = asyncio.create_task(read_all(session))
        await asyncio.sleep(0.5)
        await asyncio.gather(session.close(), session.close())
        for task in (flying, waiting):
            with pytest.raises(windtunnel.ClientConnectionError, match="Connector is"):
                await task
        assert session.closed

    one = functools.partial(windtunnel.TCPConnector, limit=1)
    play(slow(), main=main, connector=one)


def test_a_connection_that_is_being_made_ends_with_the_connector() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        dialling = asyncio.create_task(read_all(session))
        # The name is resolved and the handshake under way.
        await asyncio.sleep(0.0001)
        await session.close()
        with pytest.raises(windtunnel.ClientConnectionError, match="Connector is"):
            await dialling
        assert tunnel.clock.elapsed == 0.0001
        await asyncio.sleep(1)

    play(main=main)


def test_closing_waits_for_uploads() -> None:
    closed: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(1)
        finally:
            await asyncio.sleep(5)
            closed.append("source")

    async def script(wire: Wire) -> None:
        await wire.read_head()
        await wire.sleep(10)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        task = asyncio.create_task(session.post(URL, data=endless()))
        await asyncio.sleep(1)
        await session.close()
        assert closed == ["source"]
        with pytest.raises(windtunnel.ClientConnectionError):
            await task
        await asyncio.sleep(20)

    play(script, main=main)


def test_a_connector_may_be_shared_and_outlives_sessions_that_do_not_own_it() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        shared = session.connector
        assert shared is not None
        other = windtunnel.ClientSession(connector=shared, connector_owner=False)
        async with other:
            await read_all(other)
        assert other.closed
        await read_all(session)
        assert len(tunnel.journal.connections) == 1
        await shared.close()
        with pytest.raises(RuntimeError, match="Session is closed"):
            await session.get(URL)

    play(answering(OK, OK, then_close=False), main=main)
